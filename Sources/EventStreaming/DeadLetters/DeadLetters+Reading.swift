internal import KafkaClient

extension DeadLetters {
    /// Calls `body` with each letter that is meant, as they stand in their partitions; foreign records are told where all are
    /// meant.
    ///
    /// The topic is read twice, up to what it holds when this is called. Nothing is kept of letters but where they are, at most
    /// of ``Configuration/maxLetters`` of them.
    ///
    /// - Parameters:
    ///   - selection: which letters are meant.
    ///   - state: only those of which this became.
    ///   - body: takes a letter, and answers whether to go on.
    /// - Throws: what `body` throws; ``DeadLetterError``; `KafkaError`, with the code `unknownTopicOrPartition` when the topic
    ///   does not exist.
    public func forEach(
        _ selection: DeadLetterSelection = .all,
        state: StoredDeadLetter.State? = nil,
        _ body: (StoredDeadLetter) async throws -> Bool
    ) async throws {
        var ranges = try await self.ranges()
        if let position = selection.position { ranges = ranges.filter { $0.key.partition == position.partition } }
        let ledgers = try await self.ledgers(ranges) { _, _ in .notMatching }
        try await self.read(ranges) { record in
            let stored: StoredDeadLetter
            switch DeadLetterEntry(record.headers) {
            case .mark: return true
            case .foreign:
                guard selection.isAll else { return true }
                stored = StoredDeadLetter(record: record.detached(), letter: nil, state: .foreign)
            case .letter(let letter):
                guard
                    selection.contains(letter, key: record.key, partition: record.partition, offset: record.offset)
                else { return true }
                let isOutstanding = ledgers[record.partition]?.isOutstanding(record.offset) == true
                stored = StoredDeadLetter(
                    record: record.detached(),
                    letter: letter,
                    state: isOutstanding ? .outstanding : .replayed
                )
            }
            guard state == nil || state == stored.state else { return true }
            return try await body(stored)
        }
    }

    /// The first letters that are meant, as they stand in their partitions.
    ///
    /// - Parameters:
    ///   - selection: which letters are meant.
    ///   - state: only those of which this became.
    ///   - limit: how many at most.
    /// - Throws: as ``forEach(_:state:_:)``.
    public func list(
        _ selection: DeadLetterSelection = .all,
        state: StoredDeadLetter.State? = nil,
        limit: Int = 1_000
    ) async throws -> [StoredDeadLetter] {
        var found: [StoredDeadLetter] = []
        guard limit > 0 else { return [] }
        try await self.forEach(selection, state: state) { stored in
            found.append(stored)
            return found.count < limit
        }
        return found
    }

    /// The record at a place, whole, and what became of it.
    ///
    /// - Throws: ``DeadLetterError`` with the code `notFound` when there is none, or it is a mark; else as
    ///   ``forEach(_:state:_:)``.
    public func letter(partition: Int32, offset: Int64) async throws -> StoredDeadLetter {
        let place = KafkaTopicPartition(topic: self.topic, partition: partition)
        var found: StoredDeadLetter?
        if let range = try await self.ranges()[place], range.contains(offset) {
            // What became of a letter stands behind it.
            try await self.read([place: offset..<range.upperBound]) { record in
                let entry = DeadLetterEntry(record.headers)
                if record.offset == offset {
                    switch entry {
                    case .mark: return false
                    case .foreign: found = StoredDeadLetter(record: record.detached(), letter: nil, state: .foreign)
                    case .letter(let letter):
                        found = StoredDeadLetter(record: record.detached(), letter: letter, state: .outstanding)
                    }
                }
                guard let position = found?.position, found?.state == .outstanding else { return false }
                switch entry {
                case .mark(let mark) where mark.letter == position: found?.state = .replayed
                case .letter(let letter) where letter.replaces == position: found?.state = .replayed
                case .mark, .letter, .foreign: break
                }
                return found?.state == .outstanding
            }
        }
        guard let found else {
            throw DeadLetterError(.notFound, topic: self.topic, message: "there is no letter at \(place)@\(offset)")
        }
        return found
    }

    /// What is known of the letters of each partition.
    func ledgers(
        _ ranges: [KafkaTopicPartition: Range<Int64>],
        verdict: (DeadLetter, KafkaConsumerRecord) async throws -> DeadLetterLedger.Verdict
    ) async throws -> [Int32: DeadLetterLedger] {
        var ledgers: [Int32: DeadLetterLedger] = [:]
        var count = 0
        try await self.read(ranges) { record in
            let partition = record.partition
            count -= ledgers[partition]?.count ?? 0
            switch DeadLetterEntry(record.headers) {
            case .letter(let letter):
                let position = DeadLetterPosition(record)
                let verdict = try await verdict(letter, record)
                ledgers[partition, default: DeadLetterLedger()]
                    .append(letter, key: record.key, at: position, verdict: verdict)
            case .mark(let mark) where mark.letter.topicPartition == record.topicPartition:
                ledgers[partition]?.apply(mark)
            case .mark: break
            case .foreign: ledgers[partition, default: DeadLetterLedger()].appendForeign()
            }
            count += ledgers[partition]?.count ?? 0
            guard count <= self.configuration.maxLetters else {
                throw DeadLetterError(
                    .tooMany,
                    topic: self.topic,
                    message: "there are more than \(self.configuration.maxLetters) letters that are not settled: "
                        + "raise `maxLetters`, or ask for one partition at a time"
                )
            }
            return true
        }
        return ledgers
    }
}

extension DeadLetterSelection {
    /// Whether everything is meant.
    fileprivate var isAll: Bool {
        self.key == nil && self.errorType == nil && self.errorText == nil && self.source == nil
            && self.processor == nil && self.position == nil
    }
}
