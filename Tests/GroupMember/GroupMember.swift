internal import ArgumentParser
internal import CommandLineSupport
internal import KafkaClient
internal import Logging

/// A member of a consumer group in a process of its own, for tests that kill it: copies the records of one topic to the
/// same partitions of another one, each with the offset that it had and the name of the member.
///
/// SIGTERM ends it as a service ends. What it loses on the way it says on standard output, a line each.
@main
struct GroupMember: AsyncParsableCommand {
    /// What happens to records when a member dies.
    enum Guarantee: String, ExpressibleByArgument, Sendable {
        /// What was processed is committed at an interval.
        case atLeastOnce = "at-least-once"
        /// Copies and positions go together, in transactions.
        case exactlyOnce = "exactly-once"
    }

    @Option var servers: String
    @Option var group: String
    @Option var name: String
    @Option var guarantee: Guarantee
    @Option var from: String
    @Option var to: String

    static func main() async {
        await CommandRunner.main(Self.self)
    }

    func run() async throws {
        do {
            switch self.guarantee {
            case .atLeastOnce: try await self.copyAtLeastOnce()
            case .exactlyOnce: try await self.copyExactlyOnce()
            }
        } catch is CancellationError {
            // In the middle of a batch, which somebody else copies.
        }
    }

    private func copyAtLeastOnce() async throws {
        var consuming = self.consuming
        consuming.commitPolicy = .afterProcessing(interval: .milliseconds(100))
        try await withKafkaProducer(self.producing, logger: Self.logger) { producer in
            try await withKafkaConsumer(consuming, subscribedTo: [self.from], logger: Self.logger) { consumer in
                for try await batch in consumer.batches {
                    let copies = batch.map(self.copy)
                    // Of a task of its own: an end in between leaves no record behind that is copied and not committed.
                    let results = try await Task { try await producer.send(contentsOf: copies) }.value
                    for result in results {
                        _ = try result.get()
                    }
                }
            }
        }
    }

    private func copyExactlyOnce() async throws {
        var consuming = self.consuming
        consuming.commitPolicy = .manual
        var producing = self.producing
        producing.transactionalID = self.name
        // Who gets the partitions of one that died waits for the end of its transaction.
        producing.transactionTimeout = .seconds(5)
        try await withKafkaProducer(producing, logger: Self.logger) { producer in
            try await withKafkaConsumer(consuming, subscribedTo: [self.from], logger: Self.logger) { consumer in
                do {
                    try await consumer.transform(through: producer) { batch, transaction in
                        for record in batch {
                            try await transaction.enqueue(self.copy(record))
                        }
                    }
                } catch let error as KafkaError where error.code == .fenced {
                    // It stood still for longer than its transaction may take.
                    try await Self.say("fenced")
                }
            }
        }
    }

    /// Writes a line at once: whoever kills members waits for it.
    private static func say(_ line: String) async throws {
        try await StandardOutput.shared.write("\(line)\n")
        try await StandardOutput.shared.flush()
    }

    private func copy(_ record: KafkaConsumerRecord) -> KafkaProducerRecord {
        KafkaProducerRecord(topic: self.to, partition: record.partition, value: "\(record.offset) \(self.name)")
    }

    private var consuming: KafkaConsumer.Configuration {
        var configuration = KafkaConsumer.Configuration(bootstrapServers: [self.servers], group: self.group)
        configuration.clientID = self.name
        configuration.sessionTimeout = .seconds(4)
        configuration.heartbeatInterval = .milliseconds(300)
        configuration.onLost = { rebalance in
            guard !rebalance.partitions.isEmpty else { return }
            let partitions = rebalance.partitions.map { "\($0.partition)" }.sorted().joined(separator: " ")
            do {
                try await Self.say("lost \(partitions)")
            } catch {
                writeToStandardError("\(error)\n")
            }
        }
        return configuration
    }

    private var producing: KafkaProducer.Configuration {
        var configuration = KafkaProducer.Configuration(bootstrapServers: [self.servers])
        configuration.clientID = self.name
        return configuration
    }

    private static let logger = Logger(label: "member") { StreamLogHandler.standardError(label: $0) }
}
