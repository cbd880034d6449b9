import EmbeddedKafka
import Logging
import Testing

@testable import KafkaClient

/// Runs `body` with a producer whose log lines go nowhere but to `log`.
func withProducer<R>(
    _ configuration: KafkaProducer.Configuration,
    log: CapturedLog = CapturedLog(),
    _ body: (KafkaProducer) async throws -> R
) async throws -> R {
    try await withKafkaProducer(configuration, logger: log.makeLogger(), body)
}

/// Runs `body` with a consumer whose log lines go nowhere but to `log`.
func withConsumer<R>(
    _ configuration: KafkaConsumer.Configuration,
    log: CapturedLog = CapturedLog(),
    _ body: (KafkaConsumer) async throws -> R
) async throws -> R {
    try await withKafkaConsumer(configuration, logger: log.makeLogger(), body)
}

/// Runs `body` with a consumer of a group.
func withConsumer<R>(
    _ configuration: KafkaConsumer.Configuration,
    subscribedTo topics: [String],
    log: CapturedLog = CapturedLog(),
    _ body: (KafkaConsumer) async throws -> R
) async throws -> R {
    try await withKafkaConsumer(configuration, subscribedTo: topics, logger: log.makeLogger(), body)
}

/// Runs `body` with a consumer of partitions.
func withConsumer<R>(
    _ configuration: KafkaConsumer.Configuration,
    assigned partitions: [KafkaTopicPartition: KafkaOffset],
    log: CapturedLog = CapturedLog(),
    _ body: (KafkaConsumer) async throws -> R
) async throws -> R {
    try await withKafkaConsumer(configuration, assigned: partitions, logger: log.makeLogger(), body)
}

extension KafkaProducer {
    /// Sends values to one partition and expects that all arrive.
    func fill(_ topic: String, partition: Int32 = 0, values: some Collection<String>) async throws {
        let results = try await self.send(
            contentsOf: values.map { KafkaProducerRecord(topic: topic, partition: partition, value: $0) }
        )
        for result in results {
            _ = try result.get()
        }
    }
}

extension KafkaConsumer {
    /// Reads this many records, one by one, and breaks.
    func read(_ count: Int) async throws -> [KafkaRecord] {
        var records: [KafkaRecord] = []
        guard count > 0 else { return records }
        for try await record in self.records {
            records.append(record.detached())
            if records.count == count { break }
        }
        return records
    }

    /// Reads batches until this many records came, and breaks.
    func readBatches(_ count: Int) async throws -> [KafkaRecord] {
        var records: [KafkaRecord] = []
        guard count > 0 else { return records }
        for try await batch in self.batches {
            records += batch.map { $0.detached() }
            if records.count >= count { break }
        }
        return records
    }
}

extension KafkaRecord {
    var valueString: String? { self.value.map { String(decoding: $0, as: UTF8.self) } }
}

extension EmbeddedKafkaCluster {
    /// All records of a topic's partitions, read by a consumer of its own up to the ends of now.
    func allRecords(
        of topic: String,
        partitions: Int,
        _ isolationLevel: KafkaConsumer.IsolationLevel = .readCommitted
    ) async throws -> [KafkaRecord] {
        var configuration = KafkaConsumer.Configuration.test(self)
        configuration.reportsEndOfPartition = true
        configuration.isolationLevel = isolationLevel
        let all = (0..<Int32(partitions)).map { KafkaTopicPartition(topic: topic, partition: $0) }
        return try await withConsumer(configuration, assigned: all.reduce(into: [:]) { $0[$1] = .beginning }) {
            consumer in
            var records: [KafkaRecord] = []
            var ended: Set<KafkaTopicPartition> = []
            for try await batch in consumer.batches {
                records += batch.map { $0.detached() }
                ended.formUnion(batch.endOfPartitions.keys)
                if ended.count == partitions { break }
            }
            return records
        }
    }
}

/// The error of a failed result.
func failure<R>(of result: Result<R, KafkaError>) -> KafkaError? {
    if case .failure(let error) = result { error } else { nil }
}
