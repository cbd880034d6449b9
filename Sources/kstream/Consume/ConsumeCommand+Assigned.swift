internal import CommandLineSupport
internal import KafkaClient

extension ConsumeCommand {
    /// Reads partitions from given places, outside of any group.
    func consumeAssigned(writer: RecordWriter) async throws {
        let configuration = try self.makeConfiguration(group: nil)
        try await withKafkaConsumer(configuration, logger: self.connection.logger) { consumer in
            var plan = try await self.plan(consumer)
            guard !plan.isDone else { return }
            try await consumer.assign(plan.starts)
            for try await batch in consumer.batches {
                for record in batch where plan.includes(record.topicPartition, offset: record.offset) {
                    guard try await writer.write(record) else { break }
                }
                // Somebody may be looking: what is there is shown before more is waited for.
                try await writer.flush()
                for (partition, _) in batch.endOfPartitions { plan.reachedEnd(of: partition) }
                if writer.isFull || plan.isDone { break }
            }
        }
    }

    /// Where each partition is read from and to, by its ends as they are now.
    private func plan(_ consumer: KafkaConsumer) async throws -> ReadingPlan {
        let timeout = self.connection.timeoutDuration
        let range = self.from ?? OffsetRange(from: .start)
        var plan = ReadingPlan(range: range, exitsAtEnd: self.exitAtEnd)
        let partitions = try await consumer.partitions(of: self.topic.value, timeout: timeout)
            .chosen(self.partition, of: self.topic.value)
        for partition in partitions {
            let watermarks = try await consumer.watermarks(of: partition, timeout: timeout)
            if let note = plan.add(partition, watermarks: watermarks) { writeToStandardError("note: \(note)\n") }
        }
        return plan
    }
}
