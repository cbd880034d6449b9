internal import CLibrdkafka
internal import Dispatch
internal import Logging
internal import Synchronization

/// The end of a consumer.
extension ConsumerCore {
    func close() async {
        if case .begin(let waitForReader) = self.state.withLock({ $0.beginClose() }) {
            self.endReading()
            await self.finishClose(waitForReader: waitForReader)
        }
        await self.closed.wait()
    }

    /// Closes in the background when the consumer was dropped without being closed.
    func abandon() {
        guard case .begin(let waitForReader) = self.state.withLock({ $0.beginClose() }) else { return }
        self.logger.warning("a KafkaConsumer was dropped without being closed: closing it in the background")
        self.endReading()
        Task { await self.finishClose(waitForReader: waitForReader) }
    }

    /// Readers get nothing more.
    private func endReading() {
        self.readers.withLock { $0 }?.close()
        self.signal.signal()
    }

    private func finishClose(waitForReader: Bool) async {
        // Records that are still in somebody's hands keep the client; it is destroyed when they are gone. A call that
        // blocks in C keeps it too, but not beyond the deadline.
        let deadline = DispatchTime.now() + .milliseconds(self.configuration.closeTimeout.milliseconds)
        let destruction = await self.shutDown(waitForReader: waitForReader)
        await destruction?.wait(until: max(deadline, .now() + .milliseconds(100)))
        self.closed.complete()
    }

    /// The answer completes when the client is destroyed; it is `nil` when that may take long: while records are still in
    /// somebody's hands, calls running that nobody waits for, or commits on their way.
    private func shutDown(waitForReader: Bool) async -> Completion? {
        guard let client = self.handle.withLock({ $0 }) else { return nil }
        let pump = client.pump.dispatchQueue
        let timeout = DispatchTimeInterval.milliseconds(self.configuration.closeTimeout.milliseconds)
        let deadline = DispatchTime.now() + timeout
        if waitForReader {
            pump.asyncAfter(deadline: deadline) { self.readerDone.complete() }
            await self.readerDone.wait()
        }
        self.storing { ((), $0.finishReading()) }
        pump.async { self.giveUpAll(until: deadline, client: client) }
        await self.gaveUpAll.wait()
        pump.async { self.leaveGroup(client) }
        // The reader may have used up the time; leaving takes a few milliseconds and is worth a little more. A consumer that
        // reads nothing has no group to leave, but librdkafka would wait for the answer to a commit nobody waits for.
        let leavesNothing = self.state.withLock { $0.subscription == .none } && !self.commits.isAwaited
        let patience = leavesNothing ? DispatchTime.now() + .milliseconds(200) : max(deadline, .now() + .seconds(1))
        pump.asyncAfter(deadline: patience) { [weak client] in
            guard client != nil, !self.leftGroup.isComplete else { return }
            self.gaveUp = true
            if !leavesNothing {
                self.logger.warning(
                    "closing the consumer took longer than \(self.configuration.closeTimeout): giving up"
                )
            }
            self.leftGroup.complete()
        }
        await self.leftGroup.wait()
        return await self.release(client)
    }

    private func leaveGroup(_ client: ClientHandle) {
        self.timer?.cancel()
        self.timer = nil
        self.commits.end()
        if let error = rd_kafka_consumer_close_queue(client.pointer, self.closeQueue.value) {
            // After a fatal error there is nothing to leave.
            self.logger.debug("closing: \(String(cString: rd_kafka_error_string(error)))")
            rd_kafka_error_destroy(error)
            self.leftGroup.complete()
        }
        client.pump.signal()
    }

    /// Gives back all that belongs to librdkafka. The client is destroyed when the last record is gone.
    private func release(_ client: ClientHandle) async -> Completion? {
        await withUnsafeContinuation { continuation in
            client.pump.dispatchQueue.async {
                rd_kafka_queue_cb_event_enable(self.dataQueue.value, nil, nil)
                self.readers.withLock { $0.take() }?.release()
                for queue in self.partitionQueues.values {
                    rd_kafka_queue_destroy(queue)
                }
                self.partitionQueues = [:]
                self.commits.abandonAll()
                self.metrics?.close()
                self.state.withLock { $0.finishClose() }
                self.handle.withLock { $0 = nil }
                let isHeld = client.hasLiveBatches || client.blockingCalls.hasAbandonedCalls || self.gaveUp
                continuation.resume(returning: isHeld ? nil : client.destruction)
            }
        }
    }
}
