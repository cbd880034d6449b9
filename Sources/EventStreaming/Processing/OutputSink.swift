internal import KafkaClient

/// Where a processor sends what comes of a message.
protocol OutputSink: Sendable {
    /// Whether what is sent is true at once, rather than with a transaction.
    var isFinal: Bool { get }

    /// Sends records in their order. Where that is true at once, they are acknowledged then.
    func send(_ records: [KafkaProducerRecord]) async throws

    /// Sends a record.
    ///
    /// - Returns: its offset.
    func place(_ record: KafkaProducerRecord) async throws -> Int64?
}

/// At least once: a producer without transactions.
struct ProducerSink: OutputSink {
    let producer: KafkaProducer

    var isFinal: Bool { true }

    func send(_ records: [KafkaProducerRecord]) async throws {
        guard !records.isEmpty else { return }
        for result in try await self.producer.send(contentsOf: records) { _ = try result.get() }
    }

    func place(_ record: KafkaProducerRecord) async throws -> Int64? {
        try await self.producer.send(record).offset
    }
}

/// Exactly once: a transaction.
struct TransactionSink: OutputSink {
    let transaction: KafkaTransaction

    var isFinal: Bool { false }

    func send(_ records: [KafkaProducerRecord]) async throws {
        for record in records { try await self.transaction.enqueue(record) }
    }

    func place(_ record: KafkaProducerRecord) async throws -> Int64? {
        try await self.transaction.send(record).offset
    }
}
