import CMeasurement
import KafkaClient

extension OurSide {
    /// Reads a topic from its start, as the reference does.
    func consume() async throws -> Measurement {
        var partitions: [KafkaTopicPartition: KafkaOffset] = [:]
        for partition in 0..<self.round.partitions {
            partitions[KafkaTopicPartition(topic: self.round.topic, partition: partition)] = .beginning
        }
        let heap = measurement_heap() + Int64(self.round.records * Round.valueSize)
        return try await withKafkaConsumer(
            self.settings.consumer(isIdle: false),
            assigned: partitions,
            logger: Self.logger
        ) { consumer in
            if self.round.isFetchedFirst { try await self.waitUntilFetched(heap: heap) }
            if self.round.countsAllocations { measurement_allocations_start() }
            var measurement =
                if self.round.work == .consumeBatches {
                    try await self.readBatches(of: consumer)
                } else {
                    try await self.readRecords(of: consumer)
                }
            if self.round.countsAllocations { measurement.allocations = Int(measurement_allocations_stop()) }
            return measurement
        }
    }

    // Concurrent, as functions of a package without NonisolatedNonsendingByDefault are: others come back to their
    // caller's executor for every record.
    @concurrent
    private func readBatches(of consumer: KafkaConsumer) async throws -> Measurement {
        let wanted = self.round.records
        var stopwatch = Stopwatch()
        var seen = 0
        var beforeClock = 0
        var shortBatches = 0
        var checksum: UInt64 = 0
        for try await batch in consumer.batches {
            if batch.count < Round.batchSize { shortBatches += 1 }
            for record in batch {
                checksum &+= record.touched
            }
            if seen == 0, !self.round.isFetchedFirst {
                // The first batch tells that connections stand; it is not measured.
                beforeClock = batch.count
                stopwatch = Stopwatch()
            }
            seen += batch.count
            if seen >= wanted { break }
        }
        var measurement = stopwatch.measurement(records: seen - beforeClock)
        measurement.shortBatches = shortBatches
        measurement.checksum = checksum
        return measurement
    }

    @concurrent
    private func readRecords(of consumer: KafkaConsumer) async throws -> Measurement {
        let wanted = self.round.records
        var stopwatch = Stopwatch()
        var seen = 0
        var checksum: UInt64 = 0
        for try await record in consumer.records {
            checksum &+= record.touched
            seen += 1
            if seen == 1, !self.round.isFetchedFirst { stopwatch = Stopwatch() }
            if seen >= wanted { break }
        }
        var measurement = stopwatch.measurement(records: self.round.isFetchedFirst ? seen : seen - 1)
        measurement.checksum = checksum
        return measurement
    }
}

extension KafkaConsumerRecord {
    /// What the reference takes from a record: length, first and last byte of the value.
    fileprivate var touched: UInt64 {
        self.withValueBytes { bytes in
            guard let bytes, bytes.byteCount > 0 else { return 0 }
            let first = bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self)
            let last = bytes.unsafeLoad(fromByteOffset: bytes.byteCount - 1, as: UInt8.self)
            return UInt64(bytes.byteCount) + UInt64(first) + UInt64(last)
        }
    }
}
