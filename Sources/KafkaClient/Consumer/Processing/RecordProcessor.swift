internal import Dispatch
internal import Synchronization

/// Workers that process the records of all partitions, in an order that is kept within partitions.
///
/// One task per partition reads ahead, up to the window; a fixed number of workers takes what may begin. What is not done
/// when ``run(ordering:concurrency:window:settlementTimeout:readers:handler:)`` ends stays here for the next run.
final class RecordProcessor: Sendable {
    typealias State = ProcessingState<KafkaConsumerBatch>
    typealias Hold = ConsumerCore.State.Hold

    fileprivate struct Partition: Sendable {
        let channel: PartitionChannel
        /// There is one while something came that is not done.
        var hold: Hold?
        /// The task that reads ahead, while it waits for room.
        var feeder: UnsafeContinuation<Void, Never>?
        /// Completed when the partition was stopped and nothing of it is being processed.
        let drained = Completion()
    }

    fileprivate struct Guarded: Sendable {
        var state = State(ordering: .key, window: 1)
        var isRunning = false
        var failure: (any Error)?
        /// By the slots of the state.
        var partitions: [Int: Partition] = [:]
        var slots: [ObjectIdentifier: Int] = [:]
        /// The workers that wait for something to do.
        var idle: [UnsafeContinuation<State.Work?, Never>] = []
    }

    /// What is to be done once the lock is free.
    fileprivate struct Actions: Sendable {
        var feeders: [UnsafeContinuation<Void, Never>] = []
        var handovers: [(worker: UnsafeContinuation<State.Work?, Never>, work: State.Work?)] = []
        var stores: [(channel: PartitionChannel, position: Int64?, hold: Hold, isReleased: Bool)] = []
        var drained: [Completion] = []

        consuming func carryOut() {
            for store in self.stores {
                store.channel.store(store.position, of: store.hold, isReleased: store.isReleased)
            }
            for drained in self.drained {
                drained.complete()
            }
            for feeder in self.feeders {
                feeder.resume()
            }
            for handover in self.handovers {
                handover.worker.resume(returning: handover.work)
            }
        }
    }

    /// A record that was handled, and what it sent.
    fileprivate struct Unsettled: Sendable {
        var work: State.Work
        var receipts: [KafkaSendReceipt]
    }

    private let guarded = Mutex(Guarded())

    private func change<R>(_ body: (inout Guarded, inout Actions) -> R) -> R {
        var actions = Actions()
        let result = self.guarded.withLock { body(&$0, &actions) }
        actions.carryOut()
        return result
    }

    // MARK: Running

    /// Processes until the consumer is closed, the task is cancelled, or a handler throws.
    ///
    /// - Parameters:
    ///   - settlementTimeout: how long acknowledgements are waited for when the task is cancelled.
    ///   - handler: answers what has to be acknowledged before a record is done. Meanwhile those after it are begun.
    func run(
        ordering: KafkaConsumer.ProcessingOrder,
        concurrency: Int,
        window: Int,
        settlementTimeout: Duration,
        readers: PartitionReaders,
        handler: @escaping @Sendable (KafkaConsumerRecord) async throws -> [KafkaSendReceipt]
    ) async throws {
        try self.begin(ordering: ordering, window: window)
        let stopped = Completion()
        // As many as the windows have records.
        let (unsettled, continuation) = AsyncStream.makeStream(of: Unsettled.self)
        // No child: what was sent before the task was cancelled is done when it is acknowledged.
        let settling = Task { await self.settle(unsettled, stopped: stopped) }
        await withTaskCancellationHandler {
            await withTaskGroup(of: Void.self) { workers in
                for _ in 0..<concurrency {
                    workers.addTask {
                        await self.work(handler, unsettled: continuation, stopped: stopped)
                    }
                }
                do {
                    try await readers.forEachChannel(until: stopped) { await self.feed(from: $0) }
                } catch {
                    self.fail(error)
                    // The consumer has left its group, or is of no use: what is in hand does not count any more.
                    workers.cancelAll()
                }
                self.stop()
            }
            continuation.finish()
            await settling.value
        } onCancel: {
            self.stop()
            let deadline = DispatchTime.now() + .milliseconds(settlementTimeout.milliseconds)
            DispatchQueue.global().asyncAfter(deadline: deadline) { settling.cancel() }
        }
        if let failure = self.end() {
            throw failure
        }
    }

    private func begin(ordering: KafkaConsumer.ProcessingOrder, window: Int) throws(KafkaError) {
        let isBegun = self.change { guarded, actions in
            guard !guarded.isRunning else { return false }
            guarded.isRunning = true
            guarded.failure = nil
            guarded.state.restart(ordering: ordering, window: window)
            for (slot, partition) in guarded.partitions where !guarded.state.isIdle(slot) {
                guarded.partitions[slot]?.hold = partition.channel.core.hold([partition.channel.partition])
            }
            return true
        }
        guard isBegun else {
            throw KafkaError(
                .invalidState,
                operation: "process",
                message: "the consumer is processing already: one call of process runs at a time"
            )
        }
    }

    /// Begins nothing more. What is being processed may be finished.
    private func stop() {
        self.change { guarded, actions in
            guarded.state.stopAll()
            for worker in guarded.idle {
                actions.handovers.append((worker, nil))
            }
            guarded.idle = []
            for slot in guarded.partitions.keys {
                guarded.wake(slot, &actions)
            }
        }
    }

    /// Nothing is being processed any more: partitions can be given up without waiting.
    private func end() -> (any Error)? {
        self.change { guarded, actions in
            guarded.isRunning = false
            for slot in guarded.partitions.keys {
                guarded.settle(slot, isReleased: true, &actions)
            }
            return guarded.failure
        }
    }

    private func fail(_ error: any Error) {
        self.guarded.withLock { guarded in
            if guarded.failure == nil { guarded.failure = error }
        }
    }

    // MARK: Workers

    private func work(
        _ handler: @Sendable (KafkaConsumerRecord) async throws -> [KafkaSendReceipt],
        unsettled: AsyncStream<Unsettled>.Continuation,
        stopped: Completion
    ) async {
        var next = await self.waitForWork()
        while let work = next {
            let receipts: [KafkaSendReceipt]
            do {
                receipts = try await work.record.withProcessSpan { try await handler(work.record) }
            } catch {
                return self.end(work, with: error, stopped: stopped)
            }
            // Those who wait for the record are let go before it can be settled.
            let ready = self.goOn(after: work, isDone: receipts.isEmpty)
            if !receipts.isEmpty {
                unsettled.yield(Unsettled(work: work, receipts: receipts))
            }
            if let ready {
                next = ready
            } else {
                next = await self.waitForWork()
            }
        }
    }

    /// Waits until what was sent is acknowledged, in the order in which it was sent.
    private func settle(_ unsettled: AsyncStream<Unsettled>, stopped: Completion) async {
        for await entry in unsettled {
            do {
                for receipt in entry.receipts { _ = try await receipt.metadata }
            } catch {
                self.end(entry.work, with: error, stopped: stopped)
                continue
            }
            self.change { guarded, actions in
                guarded.follow(guarded.state.complete(entry.work), slot: entry.work.slot, &actions)
                guarded.handOver(&actions)
            }
        }
    }

    /// A record could not be processed: begins nothing more.
    private func end(_ work: State.Work, with error: any Error, stopped: Completion) {
        // What had no answer when the wait was over is done again, and is no error of a task that was cancelled.
        let isUnanswered = error is CancellationError || (error as? KafkaError)?.code == .outcomeUnknown
        if !(isUnanswered && Task.isCancelled) {
            self.fail(error)
        }
        self.change { guarded, actions in
            guarded.follow(guarded.state.fail(work), slot: work.slot, &actions)
        }
        self.stop()
        stopped.complete()
    }

    /// Begins the next record if there is one.
    private func goOn(after work: State.Work, isDone: Bool) -> State.Work? {
        self.change { guarded, actions in
            if isDone {
                guarded.follow(guarded.state.complete(work), slot: work.slot, &actions)
            } else {
                guarded.state.release(work)
            }
            let next = guarded.state.next()
            guarded.handOver(&actions)
            return next
        }
    }

    /// The next record to process; `nil` at the end.
    private func waitForWork() async -> State.Work? {
        await withUnsafeContinuation { continuation in
            let outcome = self.guarded.withLock { guarded -> State.Work?? in
                if guarded.state.isStopping { return .some(nil) }
                if let work = guarded.state.next() { return .some(work) }
                guarded.idle.append(continuation)
                return nil
            }
            if let outcome {
                continuation.resume(returning: outcome)
            }
        }
    }

    // MARK: Reading ahead

    /// Reads a partition until it is given up or processing stops.
    private func feed(from channel: PartitionChannel) async {
        // A partition that was lost and came back waits for what is still being processed of it.
        while let earlier = self.earlier(than: channel) {
            guard await earlier.waitUnlessCancelled() else { return }
        }
        guard self.enter(channel) else { return }
        while await self.waitForRoom(channel), let batch = await channel.nextToProcess() {
            self.take(batch, of: channel)
        }
    }

    private func earlier(than channel: PartitionChannel) -> Completion? {
        self.guarded.withLock { guarded in
            guarded.partitions.values.first {
                $0.channel.partition == channel.partition && $0.channel !== channel
            }?.drained
        }
    }

    /// - Returns: whether the partition is there to be read.
    private func enter(_ channel: PartitionChannel) -> Bool {
        self.guarded.withLock { guarded in
            guard guarded.slots[ObjectIdentifier(channel)] == nil else { return true }
            guard !channel.isOver else { return false }
            let slot = guarded.state.add()
            guarded.state.setPaused(slot, channel.isPaused)
            guarded.partitions[slot] = Partition(channel: channel)
            guarded.slots[ObjectIdentifier(channel)] = slot
            return true
        }
    }

    /// - Returns: whether there is room; else there is an end.
    private func waitForRoom(_ channel: PartitionChannel) async -> Bool {
        while true {
            let isOpen = self.guarded.withLock { guarded -> Bool? in
                guard !guarded.state.isStopping, let slot = guarded.slots[ObjectIdentifier(channel)] else {
                    return false
                }
                return guarded.state.wantsMore(slot) ? true : nil
            }
            if let isOpen { return isOpen }
            await withUnsafeContinuation { continuation in
                let mustWait = self.guarded.withLock { guarded in
                    guard !guarded.state.isStopping, let slot = guarded.slots[ObjectIdentifier(channel)],
                        !guarded.state.wantsMore(slot)
                    else { return false }
                    guarded.partitions[slot]?.feeder = continuation
                    return true
                }
                if !mustWait {
                    continuation.resume()
                }
            }
        }
    }

    private func take(_ batch: KafkaConsumerBatch, of channel: PartitionChannel) {
        self.change { guarded, actions in
            guard let slot = guarded.slots[ObjectIdentifier(channel)] else { return }
            if guarded.partitions[slot]?.hold == nil {
                // Without one the partition is being given up, and is stopped in a moment.
                guard let hold = channel.core.hold([channel.partition]) else { return }
                guarded.partitions[slot]?.hold = hold
            }
            _ = guarded.state.feed(batch, slot: slot)
            guarded.handOver(&actions)
        }
    }

    // MARK: Control

    /// Begins nothing more of a partition that is taken away.
    func end(_ channel: PartitionChannel) {
        self.change { guarded, actions in
            guard let slot = guarded.slots.removeValue(forKey: ObjectIdentifier(channel)) else { return }
            let isDrained = guarded.state.stop(slot)
            guarded.wake(slot, &actions)
            guarded.settle(slot, isReleased: isDrained, &actions)
            if isDrained {
                guarded.remove(slot, &actions)
            }
        }
    }

    func setPaused(_ channel: PartitionChannel, _ isPaused: Bool) {
        self.change { guarded, actions in
            guard let slot = guarded.slots[ObjectIdentifier(channel)] else { return }
            guarded.state.setPaused(slot, isPaused)
            guarded.handOver(&actions)
        }
    }

    /// Stores the positions of all partitions.
    func storeProcessed() {
        self.change { guarded, actions in
            for slot in guarded.partitions.keys {
                guarded.settle(slot, isReleased: false, &actions)
            }
        }
    }
}

extension RecordProcessor.Guarded {
    fileprivate typealias Actions = RecordProcessor.Actions

    /// What follows from the end of a record.
    fileprivate mutating func follow(_ outcome: RecordProcessor.State.Outcome, slot: Int, _ actions: inout Actions) {
        if outcome.wantsMore {
            self.wake(slot, &actions)
        }
        if outcome.isStopped || outcome.isIdle {
            // A partition that is being given up stores each position, since the deadline may come at any time.
            self.settle(slot, isReleased: outcome.isIdle || outcome.isDrained, &actions)
        }
        if outcome.isDrained {
            self.remove(slot, &actions)
        }
    }

    /// Gives idle workers what may begin.
    fileprivate mutating func handOver(_ actions: inout Actions) {
        while !self.idle.isEmpty, let work = self.state.next() {
            actions.handovers.append((self.idle.removeLast(), work))
        }
    }

    fileprivate mutating func wake(_ slot: Int, _ actions: inout Actions) {
        if let feeder = self.partitions[slot]?.feeder {
            self.partitions[slot]?.feeder = nil
            actions.feeders.append(feeder)
        }
    }

    fileprivate mutating func settle(_ slot: Int, isReleased: Bool, _ actions: inout Actions) {
        guard let partition = self.partitions[slot], let hold = partition.hold else { return }
        actions.stores.append((partition.channel, self.state.position(slot), hold, isReleased))
        if isReleased {
            self.partitions[slot]?.hold = nil
        }
    }

    fileprivate mutating func remove(_ slot: Int, _ actions: inout Actions) {
        self.state.remove(slot)
        if let partition = self.partitions.removeValue(forKey: slot) {
            actions.drained.append(partition.drained)
        }
    }
}
