import CMeasurement
import EventStreaming
import Foundation
import KafkaClient

/// An event as services send them.
private struct OrderEvent: Codable, Sendable {
    struct Line: Codable, Sendable {
        var sku: String
        var quantity: Int
        var unitPrice: Int
    }

    var type: String
    var orderId: String
    var country: String
    var placedAt: String
    var lines: [Line]

    init(number: Int) {
        self.type = "OrderPlaced"
        self.orderId = "\(500_000 + number)"
        self.country = "United Kingdom"
        self.placedAt = "2010-12-01T08:26:00Z"
        self.lines = (0..<2).map { Line(sku: "8512\($0)A", quantity: 6, unitPrice: 2_550) }
    }
}

extension OurSide {
    private var orders: Topic<String, OrderEvent> { Topic(self.round.topic, key: .string, value: .json()) }

    /// Fills the topic with events, which are JSON.
    func fillWithEvents() async throws -> Measurement {
        let settings = self.settings.producer(linger: ClientSettings.linger)
        let stopwatch = Stopwatch()
        try await withKafkaProducer(settings, logger: Self.logger) { producer in
            for start in stride(from: 0, to: self.round.records, by: Round.batchSize) {
                let events = (start..<min(start + Round.batchSize, self.round.records)).map(OrderEvent.init)
                let records = try events.map { event in
                    try self.orders.record(of: Message(key: event.orderId, value: event), source: "/bench")
                }
                for result in try await producer.send(contentsOf: records) { _ = try result.get() }
            }
        }
        return stopwatch.measurement(records: self.round.records)
    }

    /// Reads all of the topic, once it is fetched, and decodes each record.
    func decode() async throws -> Measurement {
        var partitions: [KafkaTopicPartition: KafkaOffset] = [:]
        for partition in 0..<self.round.partitions {
            partitions[KafkaTopicPartition(topic: self.round.topic, partition: partition)] = .beginning
        }
        let configuration = self.settings.consumer(isIdle: false)
        return try await withKafkaConsumer(configuration, assigned: partitions, logger: Self.logger) { consumer in
            try await self.waitUntilFetched(heap: measurement_heap() + Int64(self.round.records * Round.valueSize))
            return switch self.round.work {
            case .decodeMessages: try await self.decodeMessages(of: consumer)
            default: try await self.decodePlainly(consumer)
            }
        }
    }

    /// As a service does that has typed topics: key, value and metadata.
    @concurrent
    private func decodeMessages(of consumer: KafkaConsumer) async throws -> Measurement {
        let topic = self.orders
        let stopwatch = Stopwatch()
        var (seen, checksum) = (0, UInt64(0))
        for try await record in consumer.records {
            checksum &+= UInt64(try topic.message(of: record).value.lines.count)
            seen += 1
            if seen == self.round.records { break }
        }
        var measurement = stopwatch.measurement(records: seen)
        measurement.checksum = checksum
        return measurement
    }

    /// As a service does that has none: a decoder, and a loop. It reads no metadata.
    @concurrent
    private func decodePlainly(_ consumer: KafkaConsumer) async throws -> Measurement {
        let decoder = JSONDecoder()
        let stopwatch = Stopwatch()
        var (seen, checksum) = (0, UInt64(0))
        for try await record in consumer.records {
            let key = String(decoding: record.key ?? [], as: UTF8.self)
            guard !key.isEmpty else { throw BenchFailure(description: "a record has no key") }
            let order = try decoder.decode(OrderEvent.self, from: Data(record.value ?? []))
            checksum &+= UInt64(order.lines.count)
            seen += 1
            if seen == self.round.records { break }
        }
        var measurement = stopwatch.measurement(records: seen)
        measurement.checksum = checksum
        return measurement
    }

    /// Processes all of the topic: each event is decoded and another one is sent for it. From the first message to the commit
    /// of the last.
    func process(_ guarantee: ProcessingGuarantee) async throws -> Measurement {
        let name = "\(self.round.topic)-\(UInt64.random(in: 0 ... .max))"
        var configuration = ProcessorConfiguration(name: name, bootstrapServers: [])
        configuration.guarantee = guarantee
        configuration.commitInterval = .milliseconds(100)
        configuration.deadLetters = nil
        configuration.consumer = self.settings.consumer(isIdle: false)
        configuration.producer = self.settings.producer(linger: ClientSettings.linger)
        let output = Topic<String, OrderEvent>("\(self.round.topic)-out", key: .string, value: .json())
        let started = Signal()
        let processor = Processor(configuration, reading: [self.orders], logger: Self.logger) { message, sender in
            started.signal()
            try sender.send(Message(key: try message.key, value: try message.value), to: output)
        }
        let running = Task { try await processor.run() }
        defer { running.cancel() }
        try await started.wait()
        let stopwatch = Stopwatch()
        try await self.waitUntilCommitted(processor)
        let measurement = stopwatch.measurement(records: self.round.records)
        running.cancel()
        _ = await running.result
        return measurement
    }

    private func waitUntilCommitted(_ processor: Processor) async throws {
        let wanted = Int64(self.round.records)
        let deadline = ContinuousClock.now + .seconds(60)
        while processor.status.committed.values.reduce(0, +) < wanted {
            guard ContinuousClock.now < deadline, processor.status.phase != .failed else {
                throw BenchFailure(description: "the processor did not come to its end: \(processor.status)")
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}

/// Something that happens once.
private final class Signal: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (self.stream, self.continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
    }

    func signal() { self.continuation.yield() }

    func wait() async throws {
        for await _ in self.stream { return }
        throw CancellationError()
    }
}
