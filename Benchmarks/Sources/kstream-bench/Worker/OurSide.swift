import CMeasurement
import EventStreaming
import KafkaClient
import Logging

/// A round through KafkaClient's public API, on the concurrency pool.
struct OurSide: Sendable {
    var settings: ClientSettings
    var round: Round

    @concurrent
    func run() async throws -> Measurement {
        switch self.round.work {
        case .consumeBatches, .consumeRecords: try await self.consume()
        case .produceBatches: try await self.withProducer(linger: ClientSettings.linger, self.sendBatches)
        case .tasks: try await self.withProducer(linger: ClientSettings.linger, self.sendFromTasks)
        case .receipts: try await self.withProducer(linger: ClientSettings.linger, self.sendWithReceipts)
        case .latency: try await self.withProducer(linger: .zero, self.sendOneByOne)
        case .transactions: try await self.sendInTransactions()
        case .idle: try await self.idle()
        case .brokerStart: try await self.startBroker()
        case .brokerReset: try await self.resetBroker()
        case .fillWithEvents: try await self.fillWithEvents()
        case .decodeMessages, .decodePlainly: try await self.decode()
        case .processExactlyOnce: try await self.process(.exactlyOnce)
        case .processAtLeastOnce: try await self.process(.atLeastOnce)
        case .fillWithDeposits: try await self.fillWithDeposits()
        case .project: try await self.project()
        case .insertPlainly: try self.insertPlainly()
        case .appendOne: try await self.append(tasks: 1)
        case .appendMany: try await self.append(tasks: Self.appendingTasks)
        case .appendPlainly: try self.appendPlainly()
        case .replayEntity: try await self.replayEntity()
        case .replayPlainly: try await self.replayPlainly()
        case .handleCommands: try await self.handleCommands()
        case .restoreEntities: try await self.restoreEntities()
        case .produce: throw BenchFailure(description: "only the reference does rounds of \(self.round.work)")
        }
    }

    /// Errors only: the mock does not know all requests, which librdkafka warns of once for each client.
    static let logger = {
        var logger = Logger(label: "kstream-bench")
        logger.logLevel = .error
        return logger
    }()

    /// A record to be sent.
    var record: KafkaProducerRecord {
        KafkaProducerRecord(
            topic: self.round.topic,
            value: [UInt8](repeating: UInt8(ascii: "v"), count: Round.valueSize)
        )
    }

    /// Runs a round with a producer that has an acknowledgement from the topic already.
    private func withProducer(
        linger: Duration,
        _ body: @Sendable (KafkaProducer) async throws -> Measurement
    ) async throws -> Measurement {
        try await withKafkaProducer(self.settings.producer(linger: linger), logger: Self.logger) { producer in
            _ = try await producer.send(self.record)
            return try await body(producer)
        }
    }

    /// Waits until this process holds that many bytes and rests. The wait blocks, so it happens on the main thread.
    @MainActor
    func waitUntilFetched(heap: Int64) throws {
        guard measurement_wait_until_fetched(heap, 30) else {
            throw BenchFailure(description: "fetching ahead did not come to an end")
        }
    }
}

/// The clocks of a measurement, running from when it is made.
struct Stopwatch {
    private let start = measurement_now()
    private let cpu = measurement_cpu()

    /// What has passed so far.
    func measurement(records: Int) -> Measurement {
        var measurement = Measurement()
        measurement.seconds = measurement_now() - self.start
        measurement.cpuSeconds = measurement_cpu() - self.cpu
        measurement.records = records
        return measurement
    }
}
