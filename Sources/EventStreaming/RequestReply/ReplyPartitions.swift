internal import KafkaClient
internal import Logging
internal import Synchronization

/// Knows which partitions there are for replies: what a request says must not be what ends its responder.
final class ReplyPartitions: Sendable {
    private struct State {
        var known: Set<Int32> = []
        var producer: KafkaProducer?
    }

    private let topic: String
    private let configuration: KafkaProducer.Configuration
    private let logger: Logger
    private let state = Mutex(State())

    init(of topic: String, producer configuration: KafkaProducer.Configuration, logger: Logger) {
        self.topic = topic
        self.configuration = configuration
        self.logger = logger
    }

    /// Runs `body`, while which brokers can be asked.
    func withLookup(_ body: () async throws -> Void) async throws {
        try await withKafkaProducer(self.configuration, logger: self.logger) { producer in
            // A second run, which will be refused, must not take the first one's.
            let isFirst = self.state.withLock { state in
                guard state.producer == nil else { return false }
                state.producer = producer
                return true
            }
            defer { if isFirst { self.state.withLock { $0.producer = nil } } }
            try await body()
        }
    }

    /// Whether there is a partition. Brokers are asked for one that is not known: a topic may grow.
    func contain(_ partition: Int32) async throws -> Bool {
        let (known, producer) = self.state.withLock { ($0.known, $0.producer) }
        if known.contains(partition) { return true }
        guard let producer else { throw CancellationError() }
        let partitions = Set(try await producer.partitions(of: self.topic, timeout: .seconds(30)))
        self.state.withLock { $0.known = partitions }
        return partitions.contains(partition)
    }
}
