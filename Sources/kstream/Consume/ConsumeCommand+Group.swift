internal import CommandLineSupport
internal import KafkaClient

extension ConsumeCommand {
    /// Reads as a member of a group; what was written is committed.
    func consume(asMemberOf group: String, writer: RecordWriter) async throws {
        var configuration = try self.makeConfiguration(group: group)
        configuration.autoOffsetReset = self.from?.lower == .end ? .latest : .earliest
        let wait = AssignmentWait(group: group, topic: self.topic.value, exitsAtEnd: self.exitAtEnd)
        let watch = AssignmentWatch(wait)
        watch.follow(&configuration)
        defer { watch.finish() }
        let consumer = try await withKafkaConsumer(configuration, logger: self.connection.logger) { consumer in
            // A group may subscribe to a topic that is yet to come; somebody at a terminal has more likely mistyped it.
            _ = try await consumer.partitions(of: self.topic.value, timeout: self.connection.timeoutDuration)
            try await consumer.subscribe(to: [self.topic.value])
            watch.begin()
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await self.read(consumer, writer: writer) }
                tasks.addTask { await self.tell(watch) }
                // Either the reader is done, or there is nothing for it.
                try await tasks.next()
                tasks.cancelAll()
                try await tasks.waitForAll()
            }
            return consumer
        }
        let commits = consumer.acknowledgedCommits.sorted { $0.key < $1.key }
        guard !commits.isEmpty else { return }
        let list = commits.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        writeToStandardError("committed for the group \(group): \(list)\n")
    }

    /// Says why nothing comes while the member has no partitions; returns when it is to end without.
    private func tell(_ watch: AssignmentWatch) async {
        for await step in watch.steps {
            switch step {
            case .none: break
            case .say(let text): writeToStandardError(text + "\n")
            case .end(let text): return writeToStandardError(text + "\n")
            }
        }
    }

    private func read(_ consumer: KafkaConsumer, writer: RecordWriter) async throws {
        var atEnd: Set<KafkaTopicPartition> = []
        for try await batch in consumer.batches {
            var offsets: [KafkaTopicPartition: Int64] = [:]
            for record in batch {
                offsets[record.topicPartition] = record.offset + 1
                guard try await writer.write(record) else { break }
            }
            try await writer.flush()
            atEnd.subtract(offsets.keys)
            atEnd.formUnion(batch.endOfPartitions.keys)
            let assignment = consumer.assignment
            if writer.isFull || (self.exitAtEnd && !assignment.isEmpty && assignment.isSubset(of: atEnd)) {
                // The batch counts as processed only when the next one is asked for, and may be processed in part.
                try await consumer.commit(offsets)
                break
            }
        }
    }
}
