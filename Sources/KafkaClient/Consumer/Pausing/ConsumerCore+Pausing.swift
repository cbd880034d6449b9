internal import CLibrdkafka
internal import Synchronization

/// Pausing without librdkafka's own pause, which drops what it has fetched and in 2.0.2 loses or repeats records beside
/// batch calls: the queue of a paused partition is taken off the data queue and fills by itself up to its limits.
extension ConsumerCore {
    func pause(_ partitions: Set<KafkaTopicPartition>) async throws(KafkaError) {
        let client = try self.client(for: "pause")
        try await self.onPump(client) { _ throws(KafkaError) in
            try self.betweenDrains { () throws(KafkaError) in
                let added = try self.state.withLock { state throws(KafkaError) in try state.pause(partitions) }
                // Partitions that are read apart have queues of their own already.
                if let readers = self.readers.withLock({ $0 }) { return readers.setPaused(added, true) }
                for partition in added {
                    guard let queue = self.partitionQueues[partition] else { continue }
                    rd_kafka_queue_forward(queue, nil)
                }
            }
        }
    }

    func resume(_ partitions: Set<KafkaTopicPartition>) async throws(KafkaError) {
        let client = try self.client(for: "resume")
        try await self.onPump(client) { _ throws(KafkaError) in
            try self.betweenDrains { () throws(KafkaError) in
                let removed = try self.state.withLock { state throws(KafkaError) in try state.resume(partitions) }
                if let readers = self.readers.withLock({ $0 }) { return readers.setPaused(removed, false) }
                for partition in removed {
                    guard let queue = self.partitionQueues[partition] else { continue }
                    // What has waited in the queue goes behind what is in the data queue.
                    rd_kafka_queue_forward(queue, self.dataQueue.value)
                }
            }
            self.signal.signal()
        }
    }

    var paused: Set<KafkaTopicPartition> { self.state.withLock { $0.paused } }
}
