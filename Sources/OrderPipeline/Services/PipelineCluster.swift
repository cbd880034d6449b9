internal import EventStreaming
internal import KafkaClient

/// The Kafka cluster that the pipeline runs on, and how to talk to it.
package struct PipelineCluster: Sendable {
    /// Addresses of some brokers.
    package var bootstrapServers: [String]

    /// Names a cluster.
    package init(bootstrapServers: [String]) {
        self.bootstrapServers = bootstrapServers
    }

    /// How many partitions the topics get where this process creates them.
    package static let partitions = 8

    /// The bytes that a record may have: what brokers take unless they are told otherwise.
    static let maxMessageBytes = 1_000_000

    /// How long a group waits for a member that died without leaving, before others get its partitions.
    ///
    /// Much less than the 45 s that are usual: whoever starts a replay again after it was killed waits for it.
    private static let sessionTimeout = Duration.seconds(10)

    /// How long closing a client may take: three seconds, so that an interrupted program ends within five.
    private static let closeTimeout = Duration.seconds(3)

    /// The consumer group of a service.
    static func group(_ name: String) -> String { "order-pipeline.\(name)" }

    /// The configuration of a consumer in a group.
    func consumer(group: String) -> KafkaConsumer.Configuration {
        var configuration = KafkaConsumer.Configuration(bootstrapServers: self.bootstrapServers, group: group)
        configuration.clientID = group
        configuration.commitPolicy = .afterProcessing(interval: .seconds(1))
        // Ranges give one member the same partitions of all topics, so that what concerns one order meets in one place.
        configuration.assignors = [.range]
        configuration.sessionTimeout = Self.sessionTimeout
        configuration.heartbeatInterval = .seconds(3)
        configuration.closeTimeout = Self.closeTimeout
        return configuration
    }

    /// The configuration of a producer.
    func producer(clientID: String) -> KafkaProducer.Configuration {
        var configuration = KafkaProducer.Configuration(bootstrapServers: self.bootstrapServers)
        configuration.clientID = clientID
        // Batches of hundreds are sent: a short wait lets each become one request.
        configuration.linger = .milliseconds(2)
        configuration.compression = .lz4
        configuration.maxMessageBytes = Self.maxMessageBytes
        configuration.closeTimeout = Self.closeTimeout
        return configuration
    }

    /// The configuration of a service's processor.
    func processor(_ name: String, guarantee: ProcessingGuarantee, instance: String?) -> ProcessorConfiguration {
        var configuration = ProcessorConfiguration(name: name, bootstrapServers: self.bootstrapServers)
        configuration.guarantee = guarantee
        configuration.instance = instance
        configuration.carriedExtensions = [Replay.extensionName]
        configuration.consumer = self.consumer(group: name)
        configuration.producer = self.producer(clientID: name)
        return configuration
    }
}
