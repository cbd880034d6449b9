internal import KafkaClient
internal import Logging

/// What a processor does with one message, whatever the guarantee: it has it handled, again where that may help, and answers
/// what is to be sent for it.
struct MessageHandling: Sendable {
    let configuration: ProcessorConfiguration
    /// By the names of their topics.
    let inputs: [String: ProcessorInput]
    let monitor: ProcessorMonitor
    let logger: Logger

    /// - Returns: the records to send, in order; for a message that is given up, its dead letter.
    /// - Throws: ``ProcessorError`` when the processor has to stop; `CancellationError`.
    func outcome(of record: KafkaConsumerRecord) async throws -> [KafkaProducerRecord] {
        // The consumer is subscribed to these topics alone.
        guard let input = self.inputs[record.topic] else { return [] }
        let handling = self.monitor.begins(record)
        do {
            let output = try await self.attempts(record, input.prepare(record))
            self.monitor.ends(record, handling, as: .processed)
            return output
        } catch let failure as MessageFailure {
            self.monitor.ends(record, handling, as: .failed)
            return [try self.deadLetter(of: record, failure: failure)]
        } catch {
            self.monitor.ends(record, handling, as: error is ProcessorError ? .failed : .interrupted)
            throw error
        }
    }

    private func attempts(
        _ record: KafkaConsumerRecord,
        _ handle: @Sendable (ProcessorOutput) async throws -> Void
    ) async throws -> [KafkaProducerRecord] {
        let retry = self.configuration.retry
        let firstTime = UTCTime.now
        var attempt = 1
        while true {
            let output = ProcessorOutput(for: record, configuration: self.configuration)
            do {
                try await handle(output)
                return output.sentRecords
            } catch {
                // Whatever a handler makes of it.
                try Task.checkCancellation()
                switch self.configuration.errorAction(error) {
                case .retry where attempt < retry.attempts:
                    self.monitor.retried(record)
                    self.logger.info(
                        "a message could not be handled; it is handled again",
                        metadata: ["record": "\(record.topicPartition)@\(record.offset)", "error": "\(error)"]
                    )
                case .retry, .deadLetter:
                    throw MessageFailure(error: error, attempts: attempt, firstTime: firstTime)
                case .stop:
                    throw self.stop(record, error)
                }
            }
            try await Task.sleep(for: retry.delay(after: attempt, chance: .random(in: 0...1)))
            attempt += 1
        }
    }

    private func deadLetter(
        of record: KafkaConsumerRecord,
        failure: MessageFailure
    ) throws -> KafkaProducerRecord {
        guard let policy = self.configuration.deadLetters else { throw self.stop(record, failure.error) }
        let letter = DeadLetter(record, failure: failure, processor: self.configuration.name)
        let topic = policy.topic(record.topic)
        self.logger.warning(
            "a message is given up and becomes a dead letter",
            metadata: [
                "record": "\(record.topicPartition)@\(record.offset)", "error": "\(failure.error)",
                "attempts": "\(failure.attempts)", "topic": "\(topic)",
            ]
        )
        return letter.record(of: record, topic: topic)
    }

    private func stop(_ record: KafkaConsumerRecord, _ error: any Error) -> ProcessorError {
        ProcessorError(
            .stopped,
            processor: self.configuration.name,
            message: "stopped at \(record.topicPartition)@\(record.offset), which is not processed: \(error)",
            cause: error
        )
    }
}

/// Why, and after how much, a message was given up.
struct MessageFailure: Error {
    var error: any Error
    var attempts: Int
    var firstTime: UTCTime
}
