/// Where each leader's epoch begins in a log (KIP-101).
struct LeaderEpochs {
    private var entries: [(epoch: Int32, startOffset: Int64)] = []

    /// The latest one, or -1.
    var latest: Int32 { self.entries.last?.epoch ?? -1 }

    /// An epoch begins, if it is newer than those before.
    mutating func begin(_ epoch: Int32, at offset: Int64) {
        guard epoch > self.latest else { return }
        // An epoch in which nothing was written has no part of the log.
        while let last = self.entries.last, last.startOffset >= offset { self.entries.removeLast() }
        self.entries.append((epoch, offset))
    }

    /// The log begins later now.
    mutating func trim(before offset: Int64) {
        let count = self.entries.dropFirst().prefix { $0.startOffset <= offset }.count
        if count > 0 { self.entries.removeFirst(count) }
        if let first = self.entries.first, first.startOffset < offset { self.entries[0].startOffset = offset }
    }

    /// The largest epoch up to one that is asked for, and where it ends; (-1, -1) if there is none.
    func end(of epoch: Int32, endOffset: Int64) -> (epoch: Int32, offset: Int64) {
        guard epoch >= 0, let first = self.entries.first, epoch <= self.latest else { return (-1, -1) }
        guard epoch != self.latest else { return (epoch, endOffset) }
        guard epoch >= first.epoch else { return (epoch, first.startOffset) }
        var found = first.epoch
        for entry in self.entries {
            if entry.epoch > epoch { return (found, entry.startOffset) }
            found = entry.epoch
        }
        return (found, endOffset)
    }
}
