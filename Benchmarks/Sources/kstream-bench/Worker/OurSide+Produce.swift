import CMeasurement
import KafkaClient

extension OurSide {
    /// Sends batches from as many tasks as fill the reference's window.
    @Sendable
    func sendBatches(_ producer: KafkaProducer) async throws -> Measurement {
        let tasks = Round.window / Round.batchSize
        let batches = self.round.records / Round.batchSize
        let records = [KafkaProducerRecord](repeating: self.record, count: Round.batchSize)
        let stopwatch = Stopwatch()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<tasks {
                group.addTask {
                    for _ in stride(from: task, to: batches, by: tasks) {
                        for result in try await producer.send(contentsOf: records) {
                            _ = try result.get()
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        return stopwatch.measurement(records: batches * Round.batchSize)
    }

    /// Sends from 10,000 tasks, each of which awaits one send after the other.
    @Sendable
    func sendFromTasks(_ producer: KafkaProducer) async throws -> Measurement {
        let sendsPerTask = self.round.records / Round.tasks
        let record = self.record
        let stopwatch = Stopwatch()
        // Tasks of their own, as those of a server's requests: a group looks for each child that ends among all others.
        let tasks = (0..<Round.tasks).map { _ in
            Task {
                for _ in 0..<sendsPerTask {
                    _ = try await producer.send(record)
                }
            }
        }
        for task in tasks {
            try await task.value
        }
        return stopwatch.measurement(records: sendsPerTask * Round.tasks)
    }

    /// Enqueues without waiting and awaits each receipt when the window is full.
    @Sendable
    func sendWithReceipts(_ producer: KafkaProducer) async throws -> Measurement {
        let record = self.record
        let total = self.round.records
        let window = min(Round.window, total)
        let stopwatch = Stopwatch()
        var receipts: [KafkaSendReceipt] = []
        receipts.reserveCapacity(window)
        for _ in 0..<window {
            receipts.append(try await producer.enqueue(record))
        }
        for sent in window..<total {
            let oldest = sent % window
            _ = try await receipts[oldest].metadata
            receipts[oldest] = try await producer.enqueue(record)
        }
        for receipt in receipts {
            _ = try await receipt.metadata
        }
        return stopwatch.measurement(records: total)
    }

    /// Sends in transactions, one after the other.
    func sendInTransactions() async throws -> Measurement {
        let settings = self.settings.producer(linger: .zero, transactionalID: self.round.topic)
        let transactions = self.round.records / Round.transactionSize
        let record = self.record
        return try await withKafkaProducer(settings, logger: Self.logger) { producer in
            _ = try await producer.withTransaction { try await $0.send(record) }
            let stopwatch = Stopwatch()
            for _ in 0..<transactions {
                try await producer.withTransaction { transaction in
                    for _ in 0..<Round.transactionSize {
                        try await transaction.enqueue(record)
                    }
                }
            }
            return stopwatch.measurement(records: transactions * Round.transactionSize)
        }
    }

    /// Sends one record at a time and measures each.
    @Sendable
    func sendOneByOne(_ producer: KafkaProducer) async throws -> Measurement {
        let record = self.record
        var microseconds = [Double](repeating: 0, count: self.round.records)
        let stopwatch = Stopwatch()
        for index in microseconds.indices {
            let start = measurement_now()
            _ = try await producer.send(record)
            microseconds[index] = (measurement_now() - start) * 1e6
        }
        var measurement = stopwatch.measurement(records: microseconds.count)
        measurement.setPercentiles(of: microseconds)
        return measurement
    }
}
