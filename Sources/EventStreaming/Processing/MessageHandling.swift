internal import KafkaClient
internal import Logging

/// What a processor does with one message, whatever the guarantee: it has it handled, again where that may help, and sends what
/// comes of it.
struct MessageHandling: Sendable {
    let configuration: ProcessorConfiguration
    let routes: RetryRoutes
    /// In ordered mode.
    let ordered: OrderedLetters?
    /// The partitions of the topics of dead letters.
    let letterPartitions: [String: Set<Int32>]
    let monitor: ProcessorMonitor
    let logger: Logger

    /// Has a message handled, and sends what must be there before anything else.
    ///
    /// - Returns: what is to be sent for it besides, in order.
    /// - Throws: ``ProcessorError`` when the processor has to stop; `CancellationError`; `KafkaError`.
    func handle(_ record: KafkaConsumerRecord, _ sink: some OutputSink) async throws -> [KafkaProducerRecord] {
        // The consumers are subscribed to these topics alone.
        guard let route = self.routes[record.topic] else { return [] }
        let letters: PartitionLetters?
        if let ordered {
            letters = try await ordered.letters(of: record.topicPartition)
            // Given up meanwhile: nothing of it can be committed.
            if letters == nil { return [] }
        } else {
            letters = nil
        }
        let outcome = try await self.outcome(of: record, route, letters)
        do {
            return try await self.deliver(outcome, of: record, letters, sink)
        } catch {
            // That nobody waits for an answer any more is no failure.
            try Task.checkCancellation()
            throw error
        }
    }

    private func outcome(
        of record: KafkaConsumerRecord,
        _ route: RetryRoutes.Route,
        _ letters: PartitionLetters?
    ) async throws -> MessageOutcome {
        let handling = self.monitor.begins(record)
        do {
            let outcome = try await self.decide(record, route, letters)
            self.monitor.ends(record, handling, as: outcome.kind)
            return outcome
        } catch {
            self.monitor.ends(record, handling, as: error is ProcessorError ? .failed : .interrupted)
            throw error
        }
    }

    private func decide(
        _ record: KafkaConsumerRecord,
        _ route: RetryRoutes.Route,
        _ letters: PartitionLetters?
    ) async throws -> MessageOutcome {
        let copied = self.letterCopied(by: record, from: route.input.topic)
        if let letters {
            let (key, offset, time) = (record.key, record.offset, MessageOrigin(record).time)
            let decision = letters.read { $0.decision(key: key, offset: offset, time: time, copied: copied) }
            switch decision {
            case .handle: break
            case .follow(let head, _): return self.follower(record, head, letters)
            case .skip: return .skipped
            }
        }
        do {
            return .processed(try await self.attempts(record, route), settling: copied)
        } catch let failure as MessageFailure {
            return try self.givenUp(record, route, failure)
        }
    }

    /// The letter of this processor that a record is a copy of, if a replay sent it.
    private func letterCopied(by record: KafkaConsumerRecord, from source: String) -> DeadLetterPosition? {
        guard let policy = self.configuration.deadLetters, record.hasHeader(named: DeadLetter.replayHeader),
            let position = DeadLetter(headers: record.headers)?.replayed(for: self.configuration.name),
            position.topic == policy.topic(source),
            self.letterPartitions[position.topic]?.contains(position.partition) == true
        else { return nil }
        return position
    }

    // MARK: Handling

    private func attempts(
        _ record: KafkaConsumerRecord,
        _ route: RetryRoutes.Route
    ) async throws -> [KafkaProducerRecord] {
        let handle = route.input.prepare(record)
        let earlier = self.retry(record, route)
        let firstTime = earlier?.firstTime ?? .now
        var attempt = 1
        while true {
            let output = ProcessorOutput(for: record, configuration: self.configuration)
            do {
                try await handle(output)
                return output.sentRecords
            } catch {
                // Whatever a handler makes of it.
                try Task.checkCancellation()
                let action = self.configuration.errorAction(error)
                switch action {
                case .retry where attempt < route.retry.attempts:
                    self.monitor.retried(record)
                    self.logger.info(
                        "a message could not be handled; it is handled again",
                        metadata: ["record": "\(record.topicPartition)@\(record.offset)", "error": "\(error)"]
                    )
                case .retry, .deadLetter:
                    throw MessageFailure(
                        error: error,
                        attempts: max(0, min(earlier?.attempts ?? 0, 1 << 40)) + attempt,
                        firstTime: firstTime,
                        isWorthRetry: action == .retry
                    )
                case .stop:
                    throw self.stop(record, error)
                }
            }
            try await Task.sleep(for: route.retry.delay(after: attempt, chance: .random(in: 0...1)))
            attempt += 1
        }
    }

    /// What a record of a retry topic tells of itself.
    private func retry(_ record: KafkaConsumerRecord, _ route: RetryRoutes.Route) -> MessageRetry? {
        guard route.delay != nil, let retry = MessageRetry(headers: record.headers), retry.topic == route.input.topic
        else {
            return nil
        }
        return retry
    }

    // MARK: Giving up

    private func givenUp(
        _ record: KafkaConsumerRecord,
        _ route: RetryRoutes.Route,
        _ failure: MessageFailure
    ) throws -> MessageOutcome {
        let origin = self.retry(record, route)?.origin ?? MessageOrigin(record)
        if failure.isWorthRetry, let next = route.next {
            let due = UTCTime.now.millisecondsSince1970 + RetryTopics.milliseconds(next.delay)
            let retry = MessageRetry(
                from: origin,
                failure: failure,
                dueTime: UTCTime(millisecondsSince1970: due) ?? .now
            )
            self.logger.info(
                "a message could not be handled; it is handled again later",
                metadata: ["record": "\(origin)", "error": "\(failure.error)", "topic": "\(next.topic)"]
            )
            return .postponed(retry.record(of: record, topic: next.topic))
        }
        guard let policy = self.configuration.deadLetters, !self.isDeadLetter(record, policy) else {
            throw self.stop(record, failure.error)
        }
        let letter = DeadLetter(
            record,
            from: origin,
            failure: failure,
            processor: self.configuration.name,
            isOrdered: policy.isOrdered
        )
        let topic = policy.topic(route.input.topic)
        self.logger.warning(
            "a message is given up and becomes a dead letter",
            metadata: [
                "record": "\(origin)", "error": "\(failure.error)", "attempts": "\(failure.attempts)",
                "topic": "\(topic)",
            ]
        )
        // In ordered mode whoever gets the partition finds the letters of its keys there.
        let partition = policy.isOrdered ? record.partition : nil
        return .letter(letter, letter.record(of: record, topic: topic, partition: partition))
    }

    /// Whether a record was read from where its own letter is: its letter would come back for ever.
    private func isDeadLetter(_ record: KafkaConsumerRecord, _ policy: DeadLetterPolicy) -> Bool {
        guard let letter = DeadLetter(headers: record.headers) else { return false }
        return letter.replayOf == nil && policy.topic(letter.topic) == record.topic
    }

    private func follower(
        _ record: KafkaConsumerRecord,
        _ head: BlockedKeys.Head,
        _ letters: PartitionLetters
    ) -> MessageOutcome {
        let letter = DeadLetter(record, following: head, in: letters.place, processor: self.configuration.name)
        self.logger.info(
            "a message follows a dead letter of its key",
            metadata: [
                "record": "\(record.topicPartition)@\(record.offset)", "letter": "\(letters.place)@\(head.offset)",
            ]
        )
        let place = letters.place
        return .letter(letter, letter.record(of: record, topic: place.topic, partition: place.partition))
    }

    private func stop(_ record: KafkaConsumerRecord, _ error: any Error) -> ProcessorError {
        ProcessorError(
            .stopped,
            processor: self.configuration.name,
            message: "stopped at \(record.topicPartition)@\(record.offset), which is not processed: \(error)",
            cause: error
        )
    }

    // MARK: Sending

    private func deliver(
        _ outcome: MessageOutcome,
        of record: KafkaConsumerRecord,
        _ letters: PartitionLetters?,
        _ sink: some OutputSink
    ) async throws -> [KafkaProducerRecord] {
        switch outcome {
        case .skipped: return []
        case .postponed(let retry): return [retry]
        case .processed(let records, nil): return records
        case .processed(let records, let settled?):
            try await sink.send(records)
            // Only now, since whoever reads the mark takes it that all is done.
            try await sink.send([DeadLetterMark(.resolved, settled).record(key: record.key)])
            guard let letters, settled.topicPartition == letters.place else { return [] }
            letters.change(isFinal: sink.isFinal) { $0.settle(settled.offset) }
            return []
        case .letter(let letter, let output):
            guard let letters else { return [output] }
            try await self.place(letter, output, letters, sink)
            return []
        }
    }

    /// Sends a letter that others may have to follow.
    private func place(
        _ letter: DeadLetter,
        _ output: KafkaProducerRecord,
        _ letters: PartitionLetters,
        _ sink: some OutputSink
    ) async throws {
        guard let offset = try await sink.place(output) else {
            throw ProcessorError(
                .configuration,
                processor: self.configuration.name,
                message: "ordered dead letters need a producer with `acknowledgements` of .all"
            )
        }
        letters.change(isFinal: sink.isFinal) { $0.append(letter, key: output.key, offset: offset) }
        try letters.read { known in Result { try self.ordered?.checkRoom(known, in: letters.place) } }.get()
    }
}

extension MessageOutcome {
    fileprivate var kind: ProcessorMonitor.Outcome {
        switch self {
        case .skipped, .processed: .processed
        case .postponed: .postponed
        case .letter: .failed
        }
    }
}
