/// What a topic of dead letters tells of one partition, for a replay: which letters are outstanding, and which of them are
/// meant. A fold without any I/O.
struct DeadLetterLedger: Sendable {
    /// What a replay is to do with a letter.
    enum Verdict: Sendable {
        case meant
        case notMatching
        /// Given up too often.
        case refused
        case withoutTopic
    }

    struct Note: Sendable {
        var verdict: Verdict
        var isReplayed = false
    }

    private var log = LetterLog<Note>()
    private var counts = DeadLetterReplay()

    /// How many letters are in memory.
    var count: Int { self.log.count }

    mutating func append(_ letter: DeadLetter, key: [UInt8]?, at position: DeadLetterPosition, verdict: Verdict) {
        var replaced: Int64?
        if let earlier = letter.replaces, earlier.topicPartition == position.topicPartition {
            replaced = earlier.offset
            self.settle(earlier.offset)
        }
        self.log.append(
            LetterLog.Letter(offset: position.offset, note: Note(verdict: verdict)),
            lane: LetterLane(letter, key: key),
            replacing: replaced
        )
    }

    mutating func appendForeign() { self.counts.foreign += 1 }

    mutating func apply(_ mark: DeadLetterMark) {
        self.settle(mark.letter.offset)
        if mark.kind == .resolved { self.log.remove(mark.letter.offset) }
    }

    /// A copy of a letter was sent. It keeps its place until it is known what became of that.
    private mutating func settle(_ offset: Int64) {
        guard var note = self.log.note(of: offset), !note.isReplayed else { return }
        note.isReplayed = true
        self.log.update(offset, note: note)
        switch note.verdict {
        case .notMatching: self.counts.notMatching += 1
        case .meant, .refused, .withoutTopic: self.counts.replayedBefore += 1
        }
    }

    /// Whether a letter is there of which no copy was sent.
    func isOutstanding(_ offset: Int64) -> Bool { self.log.note(of: offset)?.isReplayed == false }

    // MARK: Planning

    /// A letter to be replayed.
    struct Candidate: Sendable {
        var offset: Int64
        /// The letter whose copy must be sent before; it may be behind this one in the topic.
        var predecessor: Int64?
        /// Where it stands in an order that suits all letters.
        var rank: Int64
    }

    /// What a replay is to send, in an order of which it may send a part, and what it leaves.
    func plan() -> (candidates: [Candidate], counts: DeadLetterReplay) {
        var counts = self.counts
        var candidates: [Candidate] = []
        for letter in self.log.unordered where !letter.note.isReplayed {
            if letter.note.verdict == .meant {
                candidates.append(Candidate(offset: letter.offset, predecessor: nil, rank: letter.offset))
            } else {
                counts.leave(letter.note.verdict)
            }
        }
        for lane in self.log.lanes {
            var isHeldUp = false
            var last: Candidate?
            for letter in lane where !letter.note.isReplayed {
                switch letter.note.verdict {
                case .meant where isHeldUp: counts.waiting += 1
                case .meant:
                    let rank = max(letter.offset, last?.rank ?? 0)
                    let candidate = Candidate(offset: letter.offset, predecessor: last?.offset, rank: rank)
                    candidates.append(candidate)
                    last = candidate
                case .notMatching, .refused, .withoutTopic:
                    counts.leave(letter.note.verdict)
                    isHeldUp = true
                }
            }
        }
        // Stable: of one lane the earlier come first, and these stand in the order of their lane.
        let order = candidates.indices.sorted { (candidates[$0].rank, $0) < (candidates[$1].rank, $1) }
        return (order.map { candidates[$0] }, counts)
    }
}

extension DeadLetterReplay {
    fileprivate mutating func leave(_ verdict: DeadLetterLedger.Verdict) {
        switch verdict {
        case .meant: break
        case .notMatching: self.notMatching += 1
        case .refused: self.refused += 1
        case .withoutTopic: self.withoutTopic += 1
        }
    }

    static func + (left: Self, right: Self) -> Self {
        var sum = left
        sum.replayed += right.replayed
        sum.replayedBefore += right.replayedBefore
        sum.notMatching += right.notMatching
        sum.refused += right.refused
        sum.waiting += right.waiting
        sum.beyondLimit += right.beyondLimit
        sum.withoutTopic += right.withoutTopic
        sum.foreign += right.foreign
        return sum
    }
}
