import EmbeddedKafka
import Testing

@testable import KafkaClient

/// Sends a record and reads it back, both over this security.
func expectRoundTrip(
    _ cluster: EmbeddedKafkaCluster,
    _ security: KafkaSecurity,
    log: CapturedLog? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let topic = uniqueName("secure")
    try await cluster.createTopic(topic, partitions: 1)
    let isVerbose = log != nil
    let log = log ?? CapturedLog()
    try await withProducer(.secure(cluster, security, isVerbose: isVerbose), log: log) {
        try await $0.fill(topic, values: ["1"])
    }
    let configuration = KafkaConsumer.Configuration.secure(cluster, security, isVerbose: isVerbose)
    let place = KafkaTopicPartition(topic: topic, partition: 0)
    try await withConsumer(configuration, assigned: [place: .beginning], log: log) { consumer in
        let values = try await consumer.read(1).map(\.valueString)
        #expect(values == ["1"], sourceLocation: sourceLocation)
    }
}

/// The errors of everything that waits for a broker, from a client that none lets in. Each must come long before the call's
/// time-out would end.
func refusals(
    _ cluster: EmbeddedKafkaCluster,
    servers: [String]? = nil,
    _ security: KafkaSecurity,
    log: CapturedLog? = nil
) async throws -> [KafkaError] {
    var producerConfiguration = KafkaProducer.Configuration.secure(cluster, security, isVerbose: log != nil)
    producerConfiguration.bootstrapServers = servers ?? producerConfiguration.bootstrapServers
    var consumerConfiguration = KafkaConsumer.Configuration.secure(cluster, security, isVerbose: log != nil)
    consumerConfiguration.bootstrapServers = servers ?? consumerConfiguration.bootstrapServers
    consumerConfiguration.connectTimeout = nil
    var adminConfiguration = KafkaAdmin.Configuration(bootstrapServers: producerConfiguration.bootstrapServers)
    adminConfiguration.security = security
    adminConfiguration.additional["broker.address.family"] = "v4"
    let (forProducer, forConsumer, forAdmin) = (producerConfiguration, consumerConfiguration, adminConfiguration)
    let log = log ?? CapturedLog()
    return try await withDeadline(.seconds(30), "the refusals") {
        async let ofProducer = withProducer(forProducer, log: log) { producer in
            var errors: [KafkaError] = []
            for _ in 0..<2 {
                errors.append(
                    try await #require(throws: KafkaError.self) {
                        try await producer.send(KafkaProducerRecord(topic: "t", value: "1"))
                    }
                )
            }
            let results = try await producer.send(contentsOf: [KafkaProducerRecord(topic: "t", value: "1")])
            errors += results.compactMap(failure(of:))
            errors.append(
                try await #require(throws: KafkaError.self) {
                    try await producer.partitions(of: "t", timeout: .seconds(100))
                }
            )
            return errors
        }
        let place = KafkaTopicPartition(topic: "t", partition: 0)
        async let ofConsumer = withConsumer(forConsumer, assigned: [place: .beginning], log: log) { consumer in
            [try await #require(throws: KafkaError.self) { try await consumer.read(1) }]
        }
        async let ofAdmin = withKafkaAdmin(forAdmin, logger: log.makeLogger()) { admin in
            [
                try await #require(throws: KafkaError.self) {
                    _ = try await admin.describeCluster(timeout: .seconds(100))
                },
                try await #require(throws: KafkaError.self) {
                    _ = try await admin.listGroups(timeout: .seconds(100))
                },
            ]
        }
        return try await ofProducer + ofAdmin + ofConsumer
    }
}

extension KafkaProducer.Configuration {
    /// - Parameter isVerbose: whether librdkafka logs all that it does for security.
    static func secure(_ cluster: EmbeddedKafkaCluster, _ security: KafkaSecurity, isVerbose: Bool = false) -> Self {
        var configuration = Self.test(cluster)
        configuration.security = security
        configuration.additional["broker.address.family"] = "v4"
        configuration.additional["reconnect.backoff.max.ms"] = "500"
        if isVerbose { configuration.additional["debug"] = "security" }
        return configuration
    }
}

extension KafkaConsumer.Configuration {
    /// - Parameter isVerbose: whether librdkafka logs all that it does for security.
    static func secure(_ cluster: EmbeddedKafkaCluster, _ security: KafkaSecurity, isVerbose: Bool = false) -> Self {
        var configuration = Self.test(cluster)
        configuration.security = security
        configuration.additional["broker.address.family"] = "v4"
        configuration.additional["reconnect.backoff.max.ms"] = "500"
        if isVerbose { configuration.additional["debug"] = "security" }
        return configuration
    }
}

/// Expects that a text is in none of the errors and log lines.
func expectHidden(
    _ secret: String,
    in errors: [KafkaError] = [],
    _ log: CapturedLog,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(!log.lines.isEmpty, sourceLocation: sourceLocation)
    for line in log.lines {
        #expect(!line.message.contains(secret), sourceLocation: sourceLocation)
        #expect(!"\(line.metadata)".contains(secret), sourceLocation: sourceLocation)
    }
    for error in errors {
        #expect(!"\(error)".contains(secret), sourceLocation: sourceLocation)
    }
}
