internal import KafkaClient

extension DeadLetters {
    /// Sends copies of letters to the topics that their messages were in, each once however often this is called.
    ///
    /// A copy has the letter's key, value and headers; headers with the prefix `kstream-dead-letter-` tell of which letter it is
    /// a copy. It goes to the partition that the message was in, if there is one. The copy, and the mark that it was sent, go out
    /// in one transaction: when this is interrupted, also by the end of the process, a letter was replayed or is outstanding
    /// still. Of two replays of one topic at the same time the first gets an error (`KafkaError` with the code `fenced`).
    ///
    /// A copy that can't be processed becomes a letter again, with a ``DeadLetter/count`` that is one higher. Those that were
    /// given up ``Configuration/maxCount`` times are refused unless `isForced`.
    ///
    /// Letters in ordered mode go in the order of their messages. One that waits for another of its key that is neither meant nor
    /// replayed stays where it is. Messages that come while a replay runs may become letters behind it, since their key is still
    /// blocked: replay again until nothing is outstanding.
    ///
    /// Everybody who reads the topic gets the copy, not the processor alone that gave the message up
    /// (``DeadLetter/processor``).
    ///
    /// - Parameters:
    ///   - selection: which letters are meant.
    ///   - limit: how many at most.
    ///   - isForced: whether those are meant, too, that were given up very often.
    /// - Returns: how many were replayed, and why others were not.
    /// - Throws: ``DeadLetterError``; `KafkaError`. What was replayed before the error stays replayed.
    public func replay(
        _ selection: DeadLetterSelection = .all,
        limit: Int? = nil,
        isForced: Bool = false
    ) async throws -> DeadLetterReplay {
        var configuration = self.configuration.producer
        configuration.transactionalID = configuration.transactionalID ?? "kstream-dead-letters-\(self.topic)"
        return try await withKafkaProducer(configuration, logger: self.logger) { producer in
            // First: what another replay began has ended before it is asked what was replayed.
            try await producer.initializeTransactions()
            let ranges = try await self.ranges()
            var sources: [String: Set<Int32>] = [:]
            let ledgers = try await self.ledgers(ranges) { letter, record in
                guard
                    selection.contains(letter, key: record.key, partition: record.partition, offset: record.offset)
                else { return .notMatching }
                if sources[letter.topic] == nil {
                    sources[letter.topic] = try await self.sourcePartitions(letter.topic)
                }
                if sources[letter.topic]?.isEmpty == true { return .withoutTopic }
                return letter.count >= self.configuration.maxCount && !isForced ? .refused : .meant
            }
            return try await self.send(ledgers, ranges, limit: limit ?? .max, sources: sources, through: producer)
        }
    }

    /// The partitions of a topic that a header names; none when there is no such topic.
    private func sourcePartitions(_ topic: String) async throws -> Set<Int32> {
        // Names that no topic can have, brokers refuse in other ways.
        let characters = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
        guard (1...249).contains(topic.utf8.count), topic.allSatisfy(characters.contains), topic != self.topic else {
            return []
        }
        do {
            return Set(try await self.reader.partitions(of: topic))
        } catch let error as KafkaError where error.code == .unknownTopicOrPartition {
            return []
        }
    }

    private func send(
        _ ledgers: [Int32: DeadLetterLedger],
        _ ranges: [KafkaTopicPartition: Range<Int64>],
        limit: Int,
        sources: [String: Set<Int32>],
        through producer: KafkaProducer
    ) async throws -> DeadLetterReplay {
        var replay = DeadLetterReplay()
        for (partition, ledger) in ledgers.sorted(by: { $0.key < $1.key }) {
            let place = KafkaTopicPartition(topic: self.topic, partition: partition)
            let (candidates, counts) = ledger.plan()
            let room = max(0, limit - replay.replayed)
            replay = replay + counts
            replay.beyondLimit += max(0, candidates.count - room)
            var queue = ReplayQueue(candidates.prefix(room))
            while let range = queue.range {
                let before = queue.count
                try await self.sendOnce(&queue, in: place, range, sources: sources, through: producer)
                replay.replayed += before - queue.count
                // What is left then is no longer in the log.
                if queue.count == before { break }
            }
        }
        return replay
    }

    /// Reads a partition once and sends those that come in the right order.
    private func sendOnce(
        _ queue: inout ReplayQueue,
        in place: KafkaTopicPartition,
        _ range: Range<Int64>,
        sources: [String: Set<Int32>],
        through producer: KafkaProducer
    ) async throws {
        var left = queue
        var records: [KafkaProducerRecord] = []
        var bytes = 0
        func sendBatch() async throws {
            let batch = records
            guard !batch.isEmpty else { return }
            try await producer.withTransaction(attempts: 5) { transaction in
                for result in try await transaction.send(contentsOf: batch) { _ = try result.get() }
            }
            records = []
            bytes = 0
            queue = left
        }
        try await self.read([place: range]) { record in
            guard left.take(record.offset), case .letter(let letter) = DeadLetterEntry(record.headers) else {
                return true
            }
            let partition = sources[letter.topic]?.contains(letter.partition) == true ? letter.partition : nil
            records.append(letter.copy(of: record, to: partition))
            records.append(DeadLetterMark(.replayed, DeadLetterPosition(record)).record(key: record.key))
            bytes += record.value?.count ?? 0
            if records.count >= 2 * max(1, self.configuration.batchSize) || bytes > 1 << 20 { try await sendBatch() }
            return !left.isEmpty
        }
        try await sendBatch()
    }
}
