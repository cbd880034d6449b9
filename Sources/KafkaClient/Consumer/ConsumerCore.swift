internal import CLibrdkafka
internal import Dispatch
internal import Logging
internal import Synchronization

/// The engine of a consumer.
///
/// Records and control go separate ways: each assigned partition's queue is forwarded to one data queue, which the
/// reader's own task drains; rebalances, commits and errors come through the pump and are handled there, one after the
/// other.
///
/// Unchecked, because `partitionQueues` and `timer` are confined to the pump.
final class ConsumerCore: @unchecked Sendable {
    typealias State = ConsumerState<KafkaConsumerBatch>

    let configuration: KafkaConsumer.Configuration
    let logger: Logger
    private let state = Mutex(State())
    let commits = CommitLedger()
    private let handle: Mutex<ClientHandle?>
    private let signal = DataSignal()
    private let dataQueue: SendablePointer
    private let closeQueue: SendablePointer
    private let readerDone = Completion()
    private let leftGroup = Completion()
    private let closed = Completion()
    private var partitionQueues: [KafkaTopicPartition: OpaquePointer] = [:]
    private var timer: (any DispatchSourceTimer)?

    init(configuration: KafkaConsumer.Configuration, logger: Logger) throws(KafkaError) {
        let operation = KafkaConsumer.Configuration.operation
        let client = try ClientHandle(
            kind: RD_KAFKA_CONSUMER,
            properties: try configuration.makeProperties(),
            events: RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_OFFSET_COMMIT | ClientEvents.kinds,
            operation: operation
        )
        self.dataQueue = SendablePointer(try client.makeQueue(operation: operation))
        self.closeQueue = SendablePointer(try client.makeQueue(operation: operation))
        self.configuration = configuration
        var logger = logger
        logger[metadataKey: "client"] = "\(client.name)"
        if let group = configuration.group {
            logger[metadataKey: "group"] = "\(group)"
        }
        self.logger = logger
        self.handle = Mutex(client)
        self.start(client)
    }

    private func start(_ client: ClientHandle) {
        let commits = self.commits
        let logger = self.logger
        client.pump.start(
            handler: { [weak client, weak self] event in
                if rd_kafka_event_type(event) == RD_KAFKA_EVENT_OFFSET_COMMIT {
                    // Also when the consumer is gone: somebody may wait for it.
                    commits.handle(event, logger: logger)
                } else if let client, let self {
                    self.handle(event, client: client)
                }
                return .done
            },
            drained: { [weak client, weak self] in
                guard let client, rd_kafka_consumer_closed(client.pointer) == 1 else { return }
                self?.leftGroup.complete()
            }
        )
        rd_kafka_set_log_queue(client.pointer, nil)
        if let queue = rd_kafka_queue_get_main(client.pointer) {
            client.pump.connect(queue)
        }
        if let queue = rd_kafka_queue_get_consumer(client.pointer) {
            client.pump.connect(queue)
        }
        client.pump.connect(self.closeQueue.value, isOwned: false)
        rd_kafka_queue_cb_event_enable(
            self.dataQueue.value,
            { _, opaque in
                guard let opaque else { return }
                Unmanaged<DataSignal>.fromOpaque(opaque).takeUnretainedValue().signal()
            },
            Unmanaged.passUnretained(self.signal).toOpaque()
        )
        client.pump.dispatchQueue.async { [weak self] in self?.startTimer() }
    }

    /// The client, unless it is closed.
    func client(for operation: String) throws(KafkaError) -> ClientHandle {
        guard let client = self.handle.withLock({ $0 }) else { throw KafkaError.closed(operation: operation) }
        return client
    }

    /// The client of a consumer that has a group.
    func committingClient(operation: String) throws(KafkaError) -> ClientHandle {
        guard self.configuration.group != nil else {
            throw KafkaError(
                .invalidState,
                operation: operation,
                message: "the consumer has no group to commit for: set `group`"
            )
        }
        return try self.client(for: operation)
    }

    // MARK: Subscribing

    func subscribe(to topics: [String]) async throws(KafkaError) {
        let operation = "subscribe"
        guard self.configuration.group != nil else {
            throw KafkaError(
                .invalidState,
                operation: operation,
                message: "subscribing needs a consumer group: set `group`, or assign partitions"
            )
        }
        guard !topics.isEmpty else {
            throw KafkaError(.invalidState, operation: operation, message: "there are no topics to subscribe to")
        }
        for topic in topics {
            try TopicName.check(topic, operation: operation)
        }
        let client = try self.client(for: operation)
        try self.state.withLock { state throws(KafkaError) in
            try state.subscribe(to: .topics(topics), operation: operation)
        }
        try await self.onPump(client) { client throws(KafkaError) in
            try Self.subscribe(client, to: topics, operation: operation)
        }
        self.watchConnection(client)
    }

    private static func subscribe(_ client: ClientHandle, to topics: [String], operation: String) throws(KafkaError) {
        let list = PartitionList(topics.map { KafkaTopicPartition(topic: $0, partition: -1) })
        let response = rd_kafka_subscribe(client.pointer, list.pointer)
        guard response == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw KafkaError(response, operation: operation, topic: topics.first)
        }
    }

    func assign(_ partitions: [KafkaTopicPartition: KafkaOffset]) async throws(KafkaError) {
        let operation = "assign"
        let client = try self.client(for: operation)
        try TopicName.check(partitions.keys, operation: operation)
        try self.state.withLock { state throws(KafkaError) in
            try state.subscribe(to: .partitions, operation: operation)
            state.assigned(Array(partitions.keys))
        }
        try await self.onPump(client) { client throws(KafkaError) in
            let list = PartitionList(partitions.mapValues(\.librdkafkaValue))
            self.forward(Array(partitions.keys), client: client)
            let response = rd_kafka_assign(client.pointer, list.pointer)
            guard response == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw KafkaError(response, operation: operation)
            }
        }
        self.watchConnection(client)
    }

    /// Runs a short call of librdkafka on the pump, in order with the events.
    private func onPump(
        _ client: ClientHandle,
        _ call: @escaping @Sendable (ClientHandle) throws(KafkaError) -> Void
    ) async throws(KafkaError) {
        let result: Result<Void, KafkaError> = await withUnsafeContinuation { continuation in
            client.pump.dispatchQueue.async {
                do throws(KafkaError) {
                    continuation.resume(returning: .success(try call(client)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        try result.get()
    }

    /// Tells the reader when no broker answers in time.
    private func watchConnection(_ client: ClientHandle) {
        guard let timeout = self.configuration.connectTimeout else { return }
        let deadline = ContinuousClock.now + timeout
        client.connectionChecks.async { [weak self, weak client] in
            guard let self, let client else { return }
            self.checkConnection(client, deadline: deadline, timeout: timeout)
        }
    }

    /// Waits for a broker in short steps, so that a consumer that is closed meanwhile need not wait for this.
    private func checkConnection(_ client: ClientHandle, deadline: ContinuousClock.Instant, timeout: Duration) {
        guard self.state.withLock({ $0.phase == .open }) else { return }
        let left = deadline - .now
        let step = max(.milliseconds(1), min(left, .milliseconds(500)))
        let nextStep = DispatchTime.now() + .milliseconds(step.milliseconds)
        do throws(KafkaError) {
            try client.connect(timeout: step, total: timeout, operation: "connect")
        } catch {
            guard left > step else { return self.fail(error) }
            client.connectionChecks.asyncAfter(deadline: nextStep) { [weak self, weak client] in
                guard let self, let client else { return }
                self.checkConnection(client, deadline: deadline, timeout: timeout)
            }
        }
    }

    // MARK: Reading

    func readerCame() -> Int {
        self.state.withLock { $0.readerCame() }
    }

    func readerLeft(_ readerID: Int) {
        let step = self.state.withLock { $0.readerLeft(readerID) }
        self.carryOut(step)
    }

    /// The next batch for a reader, which has processed what it had; `nil` at the end.
    func nextBatch(_ mode: State.ReaderMode, readerID: Int) async throws(KafkaError) -> KafkaConsumerBatch? {
        let now = ContinuousClock.now
        let step = self.state.withLock {
            $0.readerAsks(mode, readerID: readerID, isCancelled: Task.isCancelled, now: now)
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
        if let rejoin, let client = try? self.client(for: "read") {
            client.pump.dispatchQueue.async { self.rejoin(client, topics: rejoin) }
        }
        while true {
            if let batch = self.drain(mode, readerID: readerID) { return batch }
            switch self.state.withLock({ $0.readerLooks(isCancelled: Task.isCancelled) }) {
            case nil: await self.signal.wait()
            case .fail(let error): throw error
            case .end, .deliver, .poll: return nil
            }
        }
    }

    /// Takes what is in the data queue, as one batch.
    private func drain(_ mode: State.ReaderMode, readerID: Int) -> KafkaConsumerBatch? {
        guard let client = self.handle.withLock({ $0 }) else { return nil }
        let capacity = self.configuration.maxBatchRecords
        while self.state.withLock({ $0.phase == .open }) {
            let buffer = UnsafeMutableBufferPointer<KafkaConsumerBatch.Message?>.allocate(capacity: capacity)
            let count = rd_kafka_consume_batch_queue(self.dataQueue.value, 0, buffer.baseAddress, capacity)
            guard count > 0 else {
                buffer.deallocate()
                return nil
            }
            guard let batch = self.sort(buffer, count: count, client: client) else { continue }
            let now = ContinuousClock.now
            if let found = self.state.withLock({
                $0.readerFound(batch, mode: mode, readerID: readerID, now: now)
            }) {
                return found
            }
        }
        return nil
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
            default:
                self.report(message)
            }
            rd_kafka_message_destroy(message)
        }
        return builder.finish(endOfPartitions: ends)
    }

    private func report(_ message: KafkaConsumerBatch.Message) {
        let partition = KafkaConsumerBatchBuilder.partition(of: message)
        let text = rd_kafka_message_errstr(message).map { String(cString: $0) }
        self.report(message.pointee.err, text: text, partition: partition)
    }

    /// Errors that will not go away by themselves reach the reader; the others are logged.
    private func report(_ response: ResponseCode, text: String?, partition: KafkaTopicPartition?) {
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

    private func fail(_ error: KafkaError) {
        self.state.withLock { $0.fail(error) }
        self.signal.signal()
    }

    private func carryOut(_ step: State.ReaderStep) {
        self.store(step.store)
        if let revocation = step.answer, let client = self.handle.withLock({ $0 }) {
            client.pump.dispatchQueue.async { self.answer(revocation, client: client) }
        }
        if self.state.withLock({ $0.phase == .closing && $0.isReaderDone }) {
            self.readerDone.complete()
        }
    }

    /// Marks positions for the next commit.
    private func store(_ positions: [State.Position]) {
        guard self.configuration.group != nil, !positions.isEmpty, let client = self.handle.withLock({ $0 }) else {
            return
        }
        let list = PartitionList(capacity: positions.count)
        for position in positions {
            list.append(position.partition, offset: position.offset)
        }
        // Fails for partitions that were taken away at this moment, whose new owner reads the records again.
        _ = rd_kafka_offsets_store(client.pointer, list.pointer)
    }

    /// Marks what is processed so far for the next commit.
    func storeProcessed() {
        self.store(self.state.withLock { $0.takeProcessed() })
    }

    /// Marks positions that are about to be committed, so that automatic commits do not take them back.
    func storeExplicit(_ offsets: [KafkaTopicPartition: Int64]) {
        self.store(self.state.withLock { $0.committing(offsets) })
    }

    var assignment: Set<KafkaTopicPartition> { self.state.withLock { $0.assignment } }

    /// The first of the partitions that this consumer may not commit.
    func partitionNotOwned(of partitions: some Sequence<KafkaTopicPartition>) -> KafkaTopicPartition? {
        self.state.withLock { $0.partitionNotOwned(of: partitions) }
    }

    // MARK: Events, on the pump

    private func handle(_ event: OpaquePointer, client: ClientHandle) {
        let events = ClientEvents(logger: self.logger, connectionProblem: client.connectionProblem)
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_REBALANCE:
            self.rebalance(event, client: client)
        case RD_KAFKA_EVENT_LOG:
            events.log(event)
        case RD_KAFKA_EVENT_ERROR:
            let (response, text) = events.error(event, client: client)
            if response == RD_KAFKA_RESP_ERR__FATAL, let error = client.fatalError(operation: "read") {
                self.fail(error)
            } else if response != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, response != RD_KAFKA_RESP_ERR__TRANSPORT,
                response != RD_KAFKA_RESP_ERR__RESOLVE
            {
                self.report(response, text: text, partition: nil)
            }
        default:
            break
        }
    }

    private func rebalance(_ event: OpaquePointer, client: ClientHandle) {
        let partitions =
            rd_kafka_event_topic_partition_list(event).map { PartitionList(borrowing: $0).partitions } ?? []
        switch rd_kafka_event_error(event) {
        case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS:
            self.state.withLock { $0.assigned(partitions) }
            self.forward(partitions, client: client)
            self.logger.info("assigned \(partitions.count) partitions", metadata: ["partitions": "\(partitions)"])
            self.change(partitions, client: client, isAssignment: true)
        case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS:
            let isLost = rd_kafka_assignment_lost(client.pointer) == 1
            self.logger.info(
                "\(isLost ? "lost" : "giving up") \(partitions.count) partitions",
                metadata: ["partitions": "\(partitions)"]
            )
            switch self.state.withLock({ $0.revoke(partitions, isLost: isLost) }) {
            case .answer(let revocation, let positions):
                self.store(positions)
                self.answer(revocation, client: client)
            case .wait(let revocation):
                self.signal.signal()
                let deadline = DispatchTime.now() + .milliseconds(self.configuration.revocationTimeout.milliseconds)
                client.pump.dispatchQueue.asyncAfter(deadline: deadline) { [weak self, weak client] in
                    guard let self, let client else { return }
                    self.revocationExpired(revocation.id, client: client)
                }
            }
        case let response:
            self.logger.error("rebalance failed", metadata: ["error": "\(String(cString: rd_kafka_err2str(response)))"])
            rd_kafka_assign(client.pointer, nil)
        }
    }

    private func revocationExpired(_ id: Int, client: ClientHandle) {
        guard let (revocation, positions) = self.state.withLock({ $0.revocationExpired(id: id) }) else { return }
        self.store(positions)
        self.logger.warning(
            "processing took longer than revocationTimeout: what is in hand of these partitions is not committed",
            metadata: ["partitions": "\(revocation.partitions)"]
        )
        self.answer(revocation, client: client)
    }

    /// Tells librdkafka that partitions are given up; it commits what was stored of them.
    private func answer(_ revocation: State.Revocation, client: ClientHandle) {
        self.change(revocation.partitions, client: client, isAssignment: false)
        for partition in revocation.partitions {
            if let queue = self.partitionQueues.removeValue(forKey: partition) {
                rd_kafka_queue_destroy(queue)
            }
        }
    }

    private func change(_ partitions: [KafkaTopicPartition], client: ClientHandle, isAssignment: Bool) {
        let isCooperative = rd_kafka_rebalance_protocol(client.pointer).map { String(cString: $0) } == "COOPERATIVE"
        let list = PartitionList(partitions)
        let response: ResponseCode
        if isCooperative {
            let error =
                isAssignment
                ? rd_kafka_incremental_assign(client.pointer, list.pointer)
                : rd_kafka_incremental_unassign(client.pointer, list.pointer)
            response = rd_kafka_error_code(error)
            rd_kafka_error_destroy(error)
        } else {
            response = rd_kafka_assign(client.pointer, isAssignment ? list.pointer : nil)
        }
        if response != RD_KAFKA_RESP_ERR_NO_ERROR {
            self.report(response, text: nil, partition: partitions.first)
        }
    }

    /// Sends the records of partitions to the data queue, before they are assigned.
    private func forward(_ partitions: [KafkaTopicPartition], client: ClientHandle) {
        for partition in partitions {
            guard let queue = rd_kafka_queue_get_partition(client.pointer, partition.topic, partition.partition) else {
                continue
            }
            rd_kafka_queue_forward(queue, self.dataQueue.value)
            if let old = self.partitionQueues.updateValue(queue, forKey: partition) {
                rd_kafka_queue_destroy(old)
            }
        }
    }

    // MARK: Time, on the pump

    private func startTimer() {
        let third = self.configuration.maxPollInterval / 3
        let interval = max(.milliseconds(10), min(third, self.configuration.commitInterval ?? third))
        let timer = DispatchSource.makeTimerSource(queue: self.handle.withLock { $0?.pump.dispatchQueue })
        timer.setEventHandler { [weak self] in self?.tick() }
        let milliseconds = interval.milliseconds
        timer.schedule(
            deadline: .now() + .milliseconds(milliseconds),
            repeating: .milliseconds(milliseconds),
            leeway: .milliseconds(milliseconds / 10)
        )
        timer.resume()
        self.timer = timer
    }

    private func tick() {
        guard let client = self.handle.withLock({ $0 }) else { return }
        // An idle member must be seen to poll: librdkafka measures max.poll.interval.ms by it.
        client.pump.drain()
        let now = ContinuousClock.now
        switch self.state.withLock({ $0.tick(now: now, maxPollInterval: self.configuration.maxPollInterval) }) {
        case .none:
            break
        case .store(let positions):
            self.store(positions)
        case .leaveGroup:
            self.logger.error("processing took longer than maxPollInterval: leaving the group")
            rd_kafka_unsubscribe(client.pointer)
        }
    }

    private func rejoin(_ client: ClientHandle, topics: [String]) {
        self.logger.notice("rejoining the group")
        do throws(KafkaError) {
            try Self.subscribe(client, to: topics, operation: "rejoin")
        } catch {
            self.fail(error)
        }
    }

    // MARK: Closing

    func close() async {
        if case .begin(let waitForReader) = self.state.withLock({ $0.beginClose() }) {
            self.signal.signal()
            await self.finishClose(waitForReader: waitForReader)
        }
        await self.closed.wait()
    }

    /// Closes in the background when the consumer was dropped without being closed.
    func abandon() {
        guard case .begin(let waitForReader) = self.state.withLock({ $0.beginClose() }) else { return }
        self.logger.warning("a KafkaConsumer was dropped without being closed: closing it in the background")
        self.signal.signal()
        Task { await self.finishClose(waitForReader: waitForReader) }
    }

    private func finishClose(waitForReader: Bool) async {
        // Records that are still in somebody's hands keep the client; it is destroyed when they are gone. A call that
        // blocks in C keeps it too, but not beyond the deadline.
        let deadline = DispatchTime.now() + .milliseconds(self.configuration.closeTimeout.milliseconds)
        let destruction = await self.shutDown(waitForReader: waitForReader)
        await destruction?.wait(until: max(deadline, .now() + .milliseconds(100)))
        self.closed.complete()
    }

    /// The answer completes when the client is destroyed, unless records are still in somebody's hands.
    private func shutDown(waitForReader: Bool) async -> Completion? {
        guard let client = self.handle.withLock({ $0 }) else { return nil }
        let pump = client.pump.dispatchQueue
        let timeout = DispatchTimeInterval.milliseconds(self.configuration.closeTimeout.milliseconds)
        let deadline = DispatchTime.now() + timeout
        if waitForReader {
            pump.asyncAfter(deadline: deadline) { self.readerDone.complete() }
            await self.readerDone.wait()
        }
        self.store(self.state.withLock { $0.finishReading() })
        pump.async { self.leaveGroup(client) }
        // The reader may have used up the time; leaving takes a few milliseconds and is worth a little more.
        pump.asyncAfter(deadline: max(deadline, .now() + .seconds(1))) { [weak client] in
            guard client != nil, !self.leftGroup.isComplete else { return }
            self.logger.warning("closing the consumer took longer than \(self.configuration.closeTimeout): giving up")
            self.leftGroup.complete()
        }
        await self.leftGroup.wait()
        return await self.release(client)
    }

    private func leaveGroup(_ client: ClientHandle) {
        self.timer?.cancel()
        self.timer = nil
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
                for queue in self.partitionQueues.values {
                    rd_kafka_queue_destroy(queue)
                }
                self.partitionQueues = [:]
                self.commits.abandonAll()
                self.state.withLock { $0.finishClose() }
                self.handle.withLock { $0 = nil }
                continuation.resume(returning: client.hasLiveBatches ? nil : client.destruction)
            }
        }
    }
}
