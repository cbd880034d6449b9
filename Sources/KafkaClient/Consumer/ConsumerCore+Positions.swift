internal import CLibrdkafka
internal import Synchronization

extension ConsumerCore {
    /// The next record of each partition that something was read of, as far as it is known without asking anybody; its
    /// timestamp while it is in hand.
    func next(
        of partitions: some Sequence<KafkaTopicPartition>,
        client: ClientHandle
    ) -> [KafkaTopicPartition: (offset: Int64, timestamp: KafkaTimestamp?)] {
        let list = PartitionList(Array(partitions))
        // A position is what librdkafka has handed over to us...
        rd_kafka_position(client.pointer, list.pointer)
        var next: [KafkaTopicPartition: (offset: Int64, timestamp: KafkaTimestamp?)] = [:]
        for entry in list where entry.response == RD_KAFKA_RESP_ERR_NO_ERROR && entry.offset >= 0 {
            next[entry.partition] = (entry.offset, nil)
        }
        // ... some of which may not be taken yet.
        self.state.withLock { state in
            for partition in next.keys {
                if let record = state.nextInHand(of: partition) { next[partition] = record }
            }
        }
        return next
    }

    /// Where reading begins of partitions that nothing was read of yet.
    func firstPositions(
        of partitions: some Collection<KafkaTopicPartition>,
        ends: [KafkaTopicPartition: KafkaWatermarks],
        client: ClientHandle,
        until deadline: ContinuousClock.Instant,
        timeout: Duration,
        operation: String
    ) async throws -> [KafkaTopicPartition: Int64] {
        guard !partitions.isEmpty else { return [:] }
        let places = self.state.withLock { $0.places }
        let committing = partitions.filter { (places[$0] ?? .committed) == .committed }
        var committed: [KafkaTopicPartition: Int64] = [:]
        if self.configuration.group != nil, !committing.isEmpty {
            committed = try await client.committedOffsets(
                for: Array(committing),
                timeout: max(.milliseconds(1), deadline - .now),
                operation: operation
            )
        }
        return partitions.reduce(into: [:]) { positions, partition in
            guard let ends = ends[partition] else { return }
            positions[partition] = (places[partition] ?? .committed).offset(
                in: ends,
                committed: committed[partition],
                reset: self.configuration.autoOffsetReset
            )
        }
    }
}

extension KafkaOffset {
    /// The offset of this place in a log.
    func offset(
        in ends: KafkaWatermarks,
        committed: Int64?,
        reset: KafkaConsumer.AutoOffsetReset
    ) -> Int64 {
        switch self {
        case .beginning: ends.low
        case .end: ends.high
        case .absolute(let offset): max(0, offset)
        case .tail(let count): max(ends.low, ends.high - max(0, min(count, ends.high)))
        case .committed: committed ?? (reset == .latest ? ends.high : ends.low)
        }
    }
}
