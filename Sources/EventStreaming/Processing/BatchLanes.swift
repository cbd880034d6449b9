internal import KafkaClient

/// Has the records of a batch handled beside each other, as far as their order allows.
struct BatchLanes: Sendable {
    let ordering: KafkaConsumer.ProcessingOrder
    /// How many run at a time.
    let limit: Int

    /// Returns when all records are handled.
    ///
    /// - Throws: the first error, when the others have ended, which are cancelled.
    func forEach(
        in batch: KafkaConsumerBatch,
        _ body: @escaping @Sendable (KafkaConsumerRecord) async throws -> Void
    ) async throws {
        let lanes = self.lanes(of: batch)
        guard lanes.count > 1 else {
            for record in lanes.first ?? [] { try await body(record) }
            return
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in lanes {
                group.addTask {
                    for record in lane { try await body(record) }
                }
            }
            for try await _ in group {}
        }
    }

    /// At most ``limit`` lanes; records whose order counts are in the same one.
    private func lanes(of batch: KafkaConsumerBatch) -> [[KafkaConsumerRecord]] {
        var lanes = [[KafkaConsumerRecord]](repeating: [], count: max(1, min(self.limit, batch.count)))
        for record in batch {
            lanes[self.lane(of: record, among: lanes.count)].append(record)
        }
        return lanes.filter { !$0.isEmpty }
    }

    private func lane(of record: KafkaConsumerRecord, among count: Int) -> Int {
        var hasher = Hasher()
        switch self.ordering {
        case .partition: hasher.combine(record.topicPartition)
        case .key where record.key != nil:
            hasher.combine(record.topicPartition)
            hasher.combine(record.key)
        case .key, .unordered: return Int(UInt64(bitPattern: record.offset) % UInt64(count))
        }
        return Int(UInt(bitPattern: hasher.finalize()) % UInt(count))
    }
}
