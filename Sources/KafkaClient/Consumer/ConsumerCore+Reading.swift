internal import CLibrdkafka
internal import Dispatch
internal import Logging
internal import Synchronization

/// What the reader's task does: draining the data queue, and storing what is processed.
extension ConsumerCore: BatchSource {
    func readerCame() -> Int {
        self.state.withLock { $0.readerCame() }
    }

    func readerGivesBack(_ readerID: Int) {
        self.state.withLock { $0.readerGivesBack(readerID) }
    }

    func readerIsDone(_ readerID: Int) {
        let step = self.storing { state in
            let step = state.readerIsDone(readerID)
            return (step, step.store)
        }
        self.carryOut(step)
    }

    func readerLeft(_ readerID: Int) {
        let step = self.storing { state in
            let step = state.readerLeft(readerID)
            return (step, step.store)
        }
        self.carryOut(step)
    }

    /// The next batch for a reader, which has processed what it had; `nil` at the end.
    func nextBatch(_ mode: State.ReaderMode, readerID: Int) async throws(KafkaError) -> KafkaConsumerBatch? {
        let now = ContinuousClock.now
        try self.state.withLock { state throws(KafkaError) in try state.begin(.together) }
        let step = self.storing { state in
            let step = state.readerAsks(mode, readerID: readerID, isCancelled: Task.isCancelled, now: now)
            return (step, step.store)
        }
        self.carryOut(step)
        switch step.action {
        case .end: return nil
        case .fail(let error): throw error
        case .deliver(let batch): return batch
        case .poll(let rejoin): return try await self.poll(mode, readerID: readerID, rejoin: rejoin)
        }
    }

    private func poll(
        _ mode: State.ReaderMode,
        readerID: Int,
        rejoin: [String]?
    ) async throws(KafkaError) -> KafkaConsumerBatch? {
        self.rejoin(rejoin)
        let start = self.tracing?.now
        while true {
            if let batch = self.drain(mode, readerID: readerID) {
                if let tracing { tracing.received(batch, since: start) }
                return batch
            }
            switch self.state.withLock({ $0.readerLooks(isCancelled: Task.isCancelled) }) {
            case nil: await self.signal.wait()
            case .fail(let error): throw error
            case .end, .deliver, .poll: return nil
            }
        }
    }

    /// Takes what is in the data queue, as one batch.
    private func drain(_ mode: State.ReaderMode, readerID: Int) -> KafkaConsumerBatch? {
        guard let client = self.handle.withLock({ $0 }), self.gate.beginDraining() else { return nil }
        defer { self.gate.endDraining() }
        while self.state.withLock({ $0.phase == .open }) {
            switch self.betweenDrains({ self.drainOnce(mode, readerID: readerID, client: client) }) {
            case .empty: return nil
            case .nothingToHandOut: continue
            case .batch(let batch):
                self.metrics?.handedOut(batch)
                return batch
            }
        }
        return nil
    }

    /// Joins the group again with these topics, after it was left.
    func rejoin(_ topics: [String]?) {
        guard let topics, let client = self.handle.withLock({ $0 }) else { return }
        client.pump.dispatchQueue.async { self.rejoin(client, topics: topics) }
    }

    /// What a look into a queue of records found.
    enum Drained {
        case empty
        /// Only what is not for the reader.
        case nothingToHandOut
        case batch(KafkaConsumerBatch)
    }

    private func drainOnce(_ mode: State.ReaderMode, readerID: Int, client: ClientHandle) -> Drained {
        let kept = self.state.withLock { state in
            state.stashed.isEmpty ? nil : state.takeStashed(mode: mode, readerID: readerID, now: .now)
        }
        if let kept { return .batch(kept) }
        let drained = self.takeBatch(from: self.dataQueue.value, client: client)
        guard case .batch(let batch) = drained else { return drained }
        let now = ContinuousClock.now
        let found = self.state.withLock { $0.readerFound(batch, mode: mode, readerID: readerID, now: now) }
        guard let found else { return .nothingToHandOut }
        self.resets.withLock { $0.succeeded(found.partitions) }
        return .batch(found)
    }

    /// Takes what is in a queue of records, as one batch.
    func takeBatch(from queue: OpaquePointer, client: ClientHandle) -> Drained {
        let capacity = self.configuration.batchLimit
        let buffer = UnsafeMutableBufferPointer<KafkaConsumerBatch.Message?>.allocate(capacity: capacity)
        let count = rd_kafka_consume_batch_queue(queue, 0, buffer.baseAddress, capacity)
        guard count > 0 else {
            buffer.deallocate()
            return .empty
        }
        return self.sort(buffer, count: count, client: client).map { .batch($0) } ?? .nothingToHandOut
    }

    /// Parts records from ends of partitions and errors, which come in the shape of messages too.
    private func sort(
        _ buffer: UnsafeMutableBufferPointer<KafkaConsumerBatch.Message?>,
        count: Int,
        client: ClientHandle
    ) -> KafkaConsumerBatch? {
        let messages = UnsafeMutableRawBufferPointer(buffer).bindMemory(to: KafkaConsumerBatch.Message.self)
        var builder = KafkaConsumerBatchBuilder(client: client, messages: messages)
        var ends: [KafkaTopicPartition: Int64] = [:]
        var findings: [OffsetResets.Finding] = []
        for index in 0..<count {
            guard let message = buffer[index] else { continue }
            switch message.pointee.err {
            case RD_KAFKA_RESP_ERR_NO_ERROR:
                if !ends.isEmpty {
                    ends[KafkaConsumerBatchBuilder.partition(of: message)] = nil
                }
                builder.append(message)
                continue
            case RD_KAFKA_RESP_ERR__PARTITION_EOF:
                ends[KafkaConsumerBatchBuilder.partition(of: message)] = message.pointee.offset
            case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
                findings.append(self.finding(message))
            default:
                self.report(message)
            }
            rd_kafka_message_destroy(message)
        }
        self.settle(findings)
        return builder.finish(endOfPartitions: ends)
    }

    func report(_ message: KafkaConsumerBatch.Message) {
        if message.pointee.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET {
            return self.settle([self.finding(message)])
        }
        let partition = KafkaConsumerBatchBuilder.partition(of: message)
        let text = rd_kafka_message_errstr(message).map { String(cString: $0) }
        self.report(message.pointee.err, text: text, partition: partition)
    }

    /// Errors that will not go away by themselves reach the reader; the others are logged.
    func report(_ response: ResponseCode, text: String?, partition: KafkaTopicPartition?) {
        let error = KafkaError(
            response,
            operation: "read",
            topic: partition?.topic,
            partition: partition?.partition,
            text: text
        )
        let isLasting: Bool =
            switch error.code {
            case .offsetOutOfRange, .authentication, .topicAuthorization, .groupAuthorization, .clusterAuthorization,
                .fenced, .fatal:
                true
            default:
                error.isFatal
            }
        if isLasting {
            self.fail(error)
        } else {
            self.logger.warning("\(error)")
        }
    }

    func fail(_ error: KafkaError) {
        self.state.withLock { $0.fail(error) }
        self.signal.signal()
    }

    /// Does what a step asks for beyond storing.
    func carryOut(_ step: State.ReaderStep) {
        if let revocation = step.drained, let client = self.handle.withLock({ $0 }) {
            client.pump.dispatchQueue.async { self.drained(revocation, client: client) }
        }
        if self.state.withLock({ $0.phase == .closing && $0.isReaderDone }) {
            self.readerDone.complete()
        }
        self.commitByCount()
    }

    /// How many records, ends of partitions and errors wait to be read.
    var queuedCount: Int { Int(rd_kafka_queue_length(self.dataQueue.value)) }

    var assignment: Set<KafkaTopicPartition> { self.state.withLock { $0.assignment } }

    var hasAssignment: Bool { self.state.withLock { $0.hasAssignment } }
}
