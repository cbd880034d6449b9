internal import CLibrdkafka
internal import Dispatch
internal import Logging
internal import Synchronization

/// Rebalances, one after the other, all on the pump but the application's hooks:
/// what is in hand is finished, or the deadline passes; the hook runs; what was processed is committed; the partitions
/// are given up; librdkafka is answered.
extension ConsumerCore {
    /// Puts a rebalance event into the line.
    func rebalance(_ event: OpaquePointer, client: ClientHandle) {
        let list = rd_kafka_event_topic_partition_list(event).map { PartitionList(borrowing: $0).partitions } ?? []
        let partitions = Set(list)
        switch rd_kafka_event_error(event) {
        case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS:
            self.line.append(.assigned, partitions)
        case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS:
            if rd_kafka_assignment_lost(client.pointer) == 1 {
                self.metrics?.count { $0.lostPartitions += Int64(partitions.count) }
                self.line.append(.lost, partitions)
                self.lose(partitions, client: client)
            } else {
                self.line.append(.revoked, partitions)
            }
        case let response:
            self.logger.error("rebalance failed", metadata: ["error": "\(String(cString: rd_kafka_err2str(response)))"])
            rd_kafka_assign(client.pointer, nil)
        }
        self.serveRebalances(client)
    }

    /// Others may own the partitions already: a revocation of them that is being served ends at once.
    private func lose(_ partitions: Set<KafkaTopicPartition>, client: ClientHandle) {
        self.giveUp(partitions)
        if let current = self.line.current, current.kind == .revoked || current.kind == .closing,
            current.partitions.isSubset(of: partitions)
        {
            self.finish(current, client: client)
        }
    }

    /// Processing took too long: leaves the group, with nothing committed of what is in hand.
    func leaveGroup(becauseOfSlowness client: ClientHandle) {
        self.logger.error("processing took longer than maxPollInterval: leaving the group")
        let partitions = self.state.withLock { $0.assignment }
        self.line.append(.expelled, partitions)
        self.lose(partitions, client: client)
        rd_kafka_unsubscribe(client.pointer)
        self.serveRebalances(client)
    }

    /// Gives up all partitions, as a revocation does, and answers every rebalance that comes later at once.
    func giveUpAll(until deadline: DispatchTime, client: ClientHandle) {
        self.closeDeadline = deadline
        self.line.append(.closing, [])
        client.pump.dispatchQueue.asyncAfter(deadline: deadline) { [weak self, weak client] in
            guard let self, let client else { return }
            while !self.hasGivenUpAll, let current = self.line.current {
                self.expire(current.id, client: client)
            }
        }
        self.serveRebalances(client)
    }

    func serveRebalances(_ client: ClientHandle) {
        while let rebalance = self.line.begin() {
            self.serve(rebalance, client: client)
        }
    }

    private func serve(_ rebalance: Rebalance, client: ClientHandle) {
        let metadata: Logger.Metadata = ["partitions": "\(rebalance.partitions.sorted())"]
        let count = rebalance.partitions.count
        switch rebalance.kind {
        case .assigned:
            self.logger.info("assigned \(count) partitions", metadata: metadata)
            // A member that is leaving takes nothing any more.
            guard !self.hasGivenUpAll, self.state.withLock({ $0.assignedUnlessClosing(rebalance.partitions) }) else {
                return self.answer(rebalance, client: client)
            }
            self.startHook(self.configuration.onAssigned, rebalance, client: client)
        case .revoked, .closing:
            if rebalance.kind == .revoked {
                self.logger.info("giving up \(count) partitions", metadata: metadata)
            }
            self.revoke(rebalance, client: client)
        case .lost, .expelled:
            self.logger.info("lost \(count) partitions", metadata: metadata)
            // Again, since it may have waited behind an assignment.
            self.giveUp(rebalance.partitions)
            self.startHook(rebalance.partitions.isEmpty ? nil : self.configuration.onLost, rebalance, client: client)
        }
    }

    private func revoke(_ rebalance: Rebalance, client: ClientHandle) {
        let owned = self.state.withLock { state in
            rebalance.kind == .closing ? state.assignment : state.assignment.intersection(rebalance.partitions)
        }
        let revocation = State.Revocation(id: rebalance.id, partitions: owned)
        let isDrained = self.betweenDrains { self.state.withLock { $0.beginRevoking(revocation) } }
        self.tellListeners { $0.revoking(owned) }
        if rebalance.kind == .closing || isDrained {
            self.startRevocationHook(rebalance.id, client: client)
        } else {
            self.startDeadline(rebalance, client: client)
            self.signal.signal()
        }
    }

    /// What was in hand of the partitions that are being given up is finished.
    func drained(_ id: Int, client: ClientHandle) {
        guard self.line.served(id, in: .draining) != nil else { return }
        self.startRevocationHook(id, client: client)
    }

    private func startRevocationHook(_ id: Int, client: ClientHandle) {
        guard var rebalance = self.line.served(id) else { return }
        rebalance.partitions = self.state.withLock { $0.revocation?.partitions ?? [] }
        let isMember = self.state.withLock { $0.subscription != .partitions } && !rebalance.partitions.isEmpty
        self.startHook(isMember ? self.configuration.onRevoked : nil, rebalance, client: client)
    }

    // MARK: Hooks

    /// Runs a hook, if there is one, and goes on when it has returned or the deadline is over.
    private func startHook(
        _ hook: (@Sendable (KafkaRebalance) async -> Void)?,
        _ rebalance: Rebalance,
        client: ClientHandle
    ) {
        let id = rebalance.id
        self.line.enter(.hook)
        guard let hook else { return self.hookEnded(id, client: client) }
        if self.rebalanceDeadline?.id != id {
            self.startDeadline(rebalance, client: client)
        }
        let deadline = self.rebalanceDeadline?.instant ?? .now
        let context = KafkaRebalance(rebalance, deadline: deadline, core: self)
        self.hookContext = context
        self.hookTask = Task { [weak client] in
            await hook(context)
            guard let client else { return }
            client.pump.dispatchQueue.async { self.hookEnded(id, client: client) }
        }
    }

    private func hookEnded(_ id: Int, client: ClientHandle) {
        guard let rebalance = self.line.served(id, in: .hook) else { return }
        switch rebalance.kind {
        case .revoked where rd_kafka_assignment_lost(client.pointer) == 0, .closing:
            self.settleCommits(rebalance, client: client)
        default:
            self.finish(rebalance, client: client)
            self.serveRebalances(client)
        }
    }

    // MARK: Commits

    /// Commits what was processed of partitions that are being given up, unless the application commits by itself.
    private func settleCommits(_ rebalance: Rebalance, client: ClientHandle) {
        self.line.enter(.committing)
        self.commitProcessed(client)
        if self.rebalanceDeadline?.id != rebalance.id {
            self.startDeadline(rebalance, client: client)
        }
        self.commitsChanged(client)
    }

    private func commitProcessed(_ client: ClientHandle) {
        self.storeProcessed()
        if self.configuration.commitInterval != nil {
            self.commits.requestProcessed(client: client)
        }
    }

    /// A commit was answered: maybe the last one of partitions that are being given up.
    func commitsChanged(_ client: ClientHandle) {
        guard let rebalance = self.line.current, self.line.stage == .committing else { return }
        let partitions = self.state.withLock { $0.revocation?.partitions ?? [] }
        guard self.commits.isIdle(for: partitions) else { return }
        self.finish(rebalance, client: client)
        self.serveRebalances(client)
    }

    // MARK: The deadline

    private func startDeadline(_ rebalance: Rebalance, client: ClientHandle) {
        let timeout = self.configuration.revocationTimeout
        // In this order: when the hook is cancelled, the deadline that it was told is over.
        var instant = ContinuousClock.now + timeout
        var dispatchTime = DispatchTime.now() + .milliseconds(timeout.milliseconds)
        if let closeDeadline, closeDeadline < dispatchTime {
            dispatchTime = closeDeadline
            let now = DispatchTime.now().uptimeNanoseconds
            let left = closeDeadline.uptimeNanoseconds > now ? closeDeadline.uptimeNanoseconds - now : 0
            instant = .now + .nanoseconds(Int64(clamping: left))
        }
        self.rebalanceDeadline = (rebalance.id, instant)
        let id = rebalance.id
        client.pump.dispatchQueue.asyncAfter(deadline: dispatchTime) { [weak self, weak client] in
            guard let self, let client, self.line.served(id) != nil else { return }
            self.expire(id, client: client)
        }
    }

    /// The deadline of a rebalance is over, or it need not be waited for any longer.
    private func expire(_ id: Int, client: ClientHandle) {
        guard let rebalance = self.line.served(id) else { return }
        let metadata: Logger.Metadata = ["partitions": "\(rebalance.partitions.sorted())"]
        switch self.line.stage {
        case .draining:
            self.logger.warning(
                "processing took longer than revocationTimeout: what is in hand of these partitions is not committed",
                metadata: metadata
            )
            self.commitProcessed(client)
            // The application hears of it, but nobody waits for what it does: its commits are refused.
            let owned = self.state.withLock { $0.revocation?.partitions ?? rebalance.partitions }
            self.giveUp(owned)
            if let hook = self.configuration.onRevoked, !owned.isEmpty {
                var revoked = rebalance
                revoked.partitions = owned
                let context = KafkaRebalance(revoked, deadline: .now, core: self)
                Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    await hook(context)
                }
            }
        case .hook:
            self.logger.warning(
                "a rebalance hook took longer than revocationTimeout: the rebalance goes on without it",
                metadata: metadata
            )
            if rebalance.kind == .revoked || rebalance.kind == .closing {
                self.commitProcessed(client)
            }
        case .committing:
            self.logger.warning("what was processed of partitions that are given up was not committed in time")
        case .placing:
            // What is not found out yet is asked for again.
            break
        }
        self.finish(rebalance, client: client)
        self.serveRebalances(client)
    }

    // MARK: The end of a rebalance

    private func finish(_ rebalance: Rebalance, client: ClientHandle) {
        // Before the hook is cancelled: what it chooses or commits then is refused.
        if let hookContext {
            self.starts = hookContext.takeStarts()
        }
        self.hookContext = nil
        switch rebalance.kind {
        case .assigned, .lost, .expelled:
            break
        case .revoked:
            self.giveUp(rebalance.partitions)
        case .closing:
            self.giveUp(self.state.withLock { $0.assignment })
        }
        self.hookTask?.cancel()
        self.hookTask = nil
        if rebalance.kind == .assigned, self.line.stage != .placing, !rebalance.partitions.isEmpty {
            return self.place(rebalance, client: client)
        }
        let starts = self.starts
        self.starts = [:]
        self.answer(rebalance, starts: starts, client: client)
    }

    /// Finds out where to begin before anything is fetched: at an offset that is known, nothing needs to be asked or reset.
    private func place(_ rebalance: Rebalance, client: ClientHandle) {
        self.line.enter(.placing)
        let places = rebalance.partitions.reduce(into: [:]) { $0[$1] = self.starts[$1] ?? .committed }
        Task { [weak client] in
            guard let client else { return }
            let offsets = await self.startOffsets(of: places, client: client)
            client.pump.dispatchQueue.async { [weak client] in
                guard let client, let rebalance = self.line.served(rebalance.id, in: .placing) else { return }
                // A seek may have chosen another place meanwhile.
                let stillWanted = offsets.filter { self.starts[$0.key] ?? .committed == places[$0.key] }
                self.starts.merge(stillWanted.mapValues { .absolute($0) }) { _, found in found }
                self.finish(rebalance, client: client)
                self.serveRebalances(client)
            }
        }
    }

    /// Nothing of the partitions is committed from now on.
    private func giveUp(_ partitions: Set<KafkaTopicPartition>) {
        self.betweenDrains { self.state.withLock { $0.giveUp(partitions) } }
        self.commits.drop(partitions, operation: Self.commitOperation)
        self.tellListeners { $0.gaveUp(partitions) }
    }

    /// Tells librdkafka that it may go on.
    ///
    /// - Parameter starts: where to begin to read partitions that are assigned, if not at the committed offset.
    private func answer(
        _ rebalance: Rebalance,
        starts: [KafkaTopicPartition: KafkaOffset] = [:],
        client: ClientHandle
    ) {
        self.line.finish()
        switch rebalance.kind {
        case .assigned:
            self.wasAssigned = true
            client.setLeaked(false)
            let places = rebalance.partitions.reduce(into: [:]) { $0[$1] = starts[$1] ?? .committed }
            let offsets = places.compactMapValues(\.absoluteOffset)
            self.forward(Array(offsets.keys), client: client)
            self.state.withLock { $0.place(places) }
            self.tellListeners { $0.assigned(Set(offsets.keys)) }
            self.change(PartitionList(offsets), client: client, isAssignment: true)
            // The others follow when it is found out where they begin.
            self.start(places.filter { offsets[$0.key] == nil })
        case .revoked, .lost:
            // What an earlier answer took away already, and what was not started yet, librdkafka would not find.
            let known = rebalance.partitions.filter { self.partitionQueues[$0] != nil }
            self.change(PartitionList(known), client: client, isAssignment: false)
            for partition in known {
                if let queue = self.partitionQueues.removeValue(forKey: partition) {
                    rd_kafka_queue_destroy(queue)
                }
            }
        case .expelled:
            break
        case .closing:
            self.hasGivenUpAll = true
            self.gaveUpAll.complete()
        }
    }

    private func change(_ list: PartitionList, client: ClientHandle, isAssignment: Bool) {
        let isCooperative = rd_kafka_rebalance_protocol(client.pointer).map { String(cString: $0) } == "COOPERATIVE"
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
            self.report(response, text: nil, partition: list.partitions.first)
        }
    }

    // MARK: Listeners

    /// Tells somebody of rebalances from now on, beginning with the partitions that are owned.
    func addListener(_ listener: any RebalanceListener, client: ClientHandle) {
        client.pump.dispatchQueue.async {
            self.listeners.append(listener)
            let owned = self.state.withLock { state in state.assignment.filter(state.isReadable) }
            if !owned.isEmpty {
                listener.assigned(owned)
            }
        }
    }

    func removeListener(_ listener: any RebalanceListener, client: ClientHandle) {
        client.pump.dispatchQueue.async {
            self.listeners.removeAll { $0 === listener }
        }
    }

    func tellListeners(_ tell: (any RebalanceListener) -> Void) {
        for listener in self.listeners {
            tell(listener)
        }
    }
}
