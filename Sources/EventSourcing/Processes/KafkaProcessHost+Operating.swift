internal import EventStreaming
internal import KafkaClient

/// What changes instances besides messages: deadlines, and people.
extension KafkaProcessHost {
    // MARK: Deadlines

    func watchDeadlines(_ consumer: KafkaConsumer, _ producer: KafkaProducer) async throws {
        while true {
            try Task.checkCancellation()
            if let failure = self.hosts.failure { throw failure }
            let count = self.changes.count
            let now = self.configuration.now()
            guard let due = self.hosts.currentlyRestored.values.compactMap(\.nextDeadline).min() else {
                try await self.changes.wait(past: count)
                continue
            }
            guard due > now else {
                let havePassed = try await self.withTurn { try await self.passDeadlines(now, consumer, producer) }
                // A partition that is being given up is its next owner's affair.
                if !havePassed { _ = try await self.changes(past: count, until: .now + .milliseconds(100)) }
                continue
            }
            let wait = Duration.milliseconds(min(due.millisecondsSince1970 - now.millisecondsSince1970, 86_400_000))
            _ = try await self.changes(past: count, until: .now + wait)
        }
    }

    private func changes(past count: UInt64, until deadline: ContinuousClock.Instant) async throws -> Bool {
        try await withDeadline(deadline) {
            try await self.changes.wait(past: count)
            return true
        } ?? false
    }

    /// - Returns: whether any did.
    private func passDeadlines(
        _ now: UTCTime,
        _ consumer: KafkaConsumer,
        _ producer: KafkaProducer
    ) async throws -> Bool {
        var count = 0
        for partition in self.hosts.currentlyRestored.values {
            let passed = partition.passed(at: now)
            guard !passed.isEmpty else { continue }
            let isCommitted = try await self.change(partition, consumer, producer) { transaction in
                var journal: [KafkaProducerRecord] = []
                for (id, deadline) in passed {
                    guard let instance = partition.instance(id),
                        let transition = self.engine.pass(deadline, instance, now: now)
                    else { continue }
                    journal.append(try await self.send((transition, nil), of: partition, transaction))
                }
                return journal
            }
            if isCommitted { count += passed.count }
        }
        guard count > 0 else { return false }
        self.count { $0.deadlines += count }
        self.changes.send()
        return true
    }

    // MARK: People

    /// An instance as it was committed last, where this instance of the service has it in memory.
    public func instance(_ id: String) -> ProcessInstance<State>? {
        self.hosts.current.values.lazy.compactMap { $0.committedInstance(id) }.first
    }

    /// Has an instance that is stuck try again: to undo what it could not, or to handle its deadline.
    ///
    /// Ask the instance of the service that has it in memory (``instance(_:)``).
    ///
    /// - Returns: whether it was stuck.
    /// - Throws: ``ProjectionError`` with the code `configuration` while it does not run; `KafkaError`; `CancellationError`.
    @discardableResult
    public func resume(_ id: String) async throws -> Bool {
        let count = try await self.operate {
            $0.instance(id)?.status == .stuck
        } change: { partition, transaction in
            guard let instance = partition.instance(id),
                let transition = self.engine.resume(instance, now: self.configuration.now())
            else { return [] }
            return [try await self.send((transition, nil), of: partition, transaction)]
        }
        return count > 0
    }

    /// Forgets instances that have ended, of those that this instance of the service has in memory: the journal gets a tombstone for
    /// each.
    ///
    /// - Parameter age: how long ago they ended at least. A message for one of them that comes later begins a new instance.
    /// - Returns: how many.
    /// - Throws: as ``resume(_:)``.
    @discardableResult
    public func forgetEnded(olderThan age: Duration) async throws -> Int {
        let time = self.configuration.now().advanced(by: .zero - age)
        func isForgotten(_ instance: ProcessInstance<State>) -> Bool {
            instance.status.isEnded && instance.updateTime < time
        }
        return try await self.operate {
            $0.instances.contains(where: isForgotten)
        } change: { partition, _ in
            partition.instances.lazy.filter(isForgotten).prefix(1_000).map { instance in
                partition.remove(instance.id)
                return KafkaProducerRecord(
                    topic: self.configuration.journal,
                    partition: partition.number,
                    key: Array(instance.id.utf8),
                    value: nil
                )
            }
        }
    }

    /// Changes instances of partitions, in transactions of their own.
    ///
    /// - Parameters:
    ///   - isConcerned: whether there is something left to do in a partition.
    ///   - body: does some of it, and answers what the journal says of that.
    /// - Returns: how many records the journal has got.
    private func operate(
        where isConcerned: (ProcessPartition<State>) -> Bool,
        change body: (ProcessPartition<State>, KafkaTransaction) async throws -> [KafkaProducerRecord]
    ) async throws -> Int {
        guard let (consumer, producer) = self.clients else {
            throw ProjectionError(
                .configuration,
                "\(self.manager.name) does not run here: its instances can't be changed"
            )
        }
        return try await self.withTurn {
            var count = 0
            for partition in self.hosts.currentlyRestored.values {
                while isConcerned(partition) {
                    var journal: [KafkaProducerRecord] = []
                    let isCommitted = try await self.change(partition, consumer, producer) { transaction in
                        journal = try await body(partition, transaction)
                        return journal
                    }
                    // Else it is another one's by now.
                    guard isCommitted else { break }
                    count += journal.count
                }
            }
            self.changes.send()
            return count
        }
    }

    // MARK: Transactions

    /// Changes instances of a partition in a transaction.
    ///
    /// - Parameter body: changes them, and answers what the journal says of that. It is run again when the transaction was aborted.
    /// - Returns: whether it was committed: not where the partition is another one's by now.
    private func change(
        _ partition: ProcessPartition<State>,
        _ consumer: KafkaConsumer,
        _ producer: KafkaProducer,
        _ body: (KafkaTransaction) async throws -> [KafkaProducerRecord]
    ) async throws -> Bool {
        let offsets = try await self.positions(of: partition, consumer)
        guard !offsets.isEmpty else { return false }
        do {
            try await producer.withTransaction { transaction in
                partition.rollBack()
                try await self.append(try await body(transaction), transaction)
                // They do not change; that they are committed fails for whoever does not own the partition any more.
                try await transaction.commit(offsets, of: consumer)
                // Nor does whoever has it anew know what others did meanwhile.
                guard self.hosts.current[partition.number] === partition else { throw CancellationError() }
            }
            partition.commit()
            return true
        } catch is CancellationError {
            partition.rollBack()
            try Task.checkCancellation()
        } catch let error as KafkaError where error.code == .groupMembership || error.requiresAbort {
            partition.rollBack()
        }
        return false
    }

    /// Where the processing of the topics stands.
    private func positions(
        of partition: ProcessPartition<State>,
        _ consumer: KafkaConsumer
    ) async throws -> [KafkaTopicPartition: Int64] {
        let owned = consumer.assignment.filter { $0.partition == partition.number }
        var positions = partition.positions.filter { owned.contains($0.key) }
        let unknown = owned.filter { positions[$0] == nil }
        if !unknown.isEmpty {
            let committed = try await consumer.committedOffsets(for: Array(unknown), timeout: .seconds(30))
            for place in unknown { positions[place] = committed[place] ?? 0 }
        }
        return positions
    }
}
