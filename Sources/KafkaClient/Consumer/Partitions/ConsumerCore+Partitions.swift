internal import CLibrdkafka
internal import Dispatch
internal import Synchronization

/// Reading each partition apart from the others.
extension ConsumerCore {
    /// Turns to reading each partition apart from the others, unless it was done before.
    ///
    /// - Throws: when the consumer reads in another way already, or is closed.
    func partitionReaders(_ reading: State.Reading) throws(KafkaError) -> PartitionReaders {
        try self.state.withLock { state throws(KafkaError) in try state.begin(reading) }
        let client = try self.client(for: "read")
        let (readers, isNew) = self.readers.withLock { readers in
            if let readers { return (readers, false) }
            let new = PartitionReaders(core: self)
            readers = new
            return (new, true)
        }
        if isNew {
            self.addListener(readers, client: client)
        }
        return readers
    }

    /// A reader asks for a partition.
    ///
    /// - Returns: whether it may look for one; else there is an end.
    func beginReadingPartitions(readerID: Int) throws(KafkaError) -> Bool {
        let now = ContinuousClock.now
        let step = self.state.withLock {
            $0.readerAsks(.batches, readerID: readerID, isCancelled: Task.isCancelled, now: now)
        }
        self.carryOut(step)
        switch step.action {
        case .end, .deliver: return false
        case .fail(let error): throw error
        case .poll(let rejoin):
            self.rejoin(rejoin)
            return true
        }
    }

    /// What came to the data queue before the partitions were read apart, by partition. On the pump only.
    func takeShared(_ client: ClientHandle) -> [KafkaTopicPartition: [KafkaConsumerBatch]] {
        var fetched: [KafkaTopicPartition: [KafkaConsumerBatch]] = [:]
        while true {
            switch self.takeBatch(from: self.dataQueue.value, client: client) {
            case .empty: return fetched
            case .nothingToHandOut: continue
            case .batch(let batch):
                let partitions = Set(batch.partitions).union(batch.endOfPartitions.keys)
                guard partitions.count > 1 else {
                    for partition in partitions { fetched[partition, default: []].append(batch) }
                    continue
                }
                for (partition, part) in batch.splitByPartition() {
                    fetched[partition, default: []].append(part)
                }
            }
        }
    }

    func isPaused(_ partition: KafkaTopicPartition) -> Bool {
        self.state.withLock { $0.paused.contains(partition) }
    }
}
