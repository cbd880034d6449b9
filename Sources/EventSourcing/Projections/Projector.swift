internal import EventStreaming
public import KafkaClient
public import Logging
internal import Synchronization

/// Runs a projection: reads its topics, and writes rows, positions and owner in one transaction for each batch.
///
/// Each record is in the rows once, whatever dies when. Instances share the partitions of the topics; one that lost a partition
/// without noticing, since its machine was asleep, is refused by the storage. Records that a handler ignores advance the position
/// like all others.
///
/// A handler that throws undoes the batch, which is written again record by record; what can't be handled even then stops the
/// projection, or is passed over (``ProjectorConfiguration/poisonAction``).
public final class Projector<Storage: ProjectionStorage>: Sendable {
    private struct State {
        var status = ProjectorStatus()
        var claims: [KafkaTopicPartition: ProjectionClaim] = [:]
        /// Why partitions could not be claimed.
        var failure: (any Error)?
        var consumer: KafkaConsumer?
        /// When each partition was claimed, and from where on it is read.
        var starts: [KafkaTopicPartition: (time: ContinuousClock.Instant, position: Int64)] = [:]
        /// What was read and is to be written.
        var line = Handoff<ReadBatch>()
    }

    private let projection: Projection<Storage.Transaction>
    private let storage: Storage
    private let configuration: ProjectorConfiguration
    private let owner: String
    private let inputs: [String: ProjectionInput<Storage.Transaction>]
    private let logger: Logger
    private let state = Mutex(State())

    /// Makes a projector; nothing is connected before it runs.
    ///
    /// - Parameters:
    ///   - projection: what is made of the messages.
    ///   - storage: where the rows are: that of the same projection and version.
    ///   - configuration: how it works.
    ///   - logger: takes what it and its consumer have to say.
    public init(
        _ projection: Projection<Storage.Transaction>,
        storage: Storage,
        configuration: ProjectorConfiguration,
        logger: Logger = Logger(label: "EventSourcing.Projector")
    ) {
        self.projection = projection
        self.storage = storage
        self.configuration = configuration
        self.owner = configuration.instance ?? EventID.next()
        self.inputs = Dictionary(projection.inputs.map { ($0.topic, $0) }) { first, _ in first }
        var logger = logger
        logger[metadataKey: "projection"] = "\(projection.name)-v\(projection.version)"
        self.logger = logger
    }

    /// How it is doing now.
    public var status: ProjectorStatus { self.state.withLock { $0.status } }

    // MARK: Running

    /// Projects until the task is cancelled.
    ///
    /// - Throws: ``ProjectionError``; `KafkaError` of the consumer; what the storage throws. It does not throw when it is cancelled.
    public func run() async throws {
        try self.check()
        try self.state.withLock { state throws(ProjectionError) in
            guard state.status.phase != .running else {
                throw ProjectionError(.configuration, "\(self.projection.name) runs already")
            }
            state = State()
            state.status.phase = .running
        }
        do {
            try await withKafkaConsumer(
                self.consumerConfiguration,
                subscribedTo: self.projection.inputs.map(\.topic),
                logger: self.logger
            ) { consumer in
                self.state.withLock { $0.consumer = consumer }
                try await self.projectUntilTheEnd(consumer)
            }
            self.ended(nil)
        } catch  where Task.isCancelled {
            self.ended(nil)
        } catch {
            self.ended(error)
            throw error
        }
    }

    private func ended(_ error: (any Error)?) {
        self.state.withLock { state in
            state.status.phase = error == nil ? .ended : .failed
            state.status.error = error
            state.consumer = nil
            state.claims = [:]
        }
    }

    private func check() throws(ProjectionError) {
        let (projection, storage) = (self.projection, self.storage)
        if projection.inputs.isEmpty { throw ProjectionError(.configuration, "\(projection.name) has no inputs") }
        if self.inputs.count < projection.inputs.count {
            throw ProjectionError(.configuration, "\(projection.name) reads a topic twice")
        }
        if storage.projection != projection.name || storage.version != projection.version {
            throw ProjectionError(
                .configuration,
                "the storage is that of \(storage.projection), version \(storage.version), "
                    + "not of \(projection.name), version \(projection.version)"
            )
        }
    }

    private var consumerConfiguration: KafkaConsumer.Configuration {
        var configuration = self.configuration.consumer
        configuration.group = configuration.group ?? "\(self.projection.name)-v\(self.projection.version)"
        // Where the log no longer has the position, rows would be missing: that is an error, not a jump.
        configuration.autoOffsetReset = .fail
        configuration.reportsEndOfPartition = true
        configuration.onAssigned = { [hook = configuration.onAssigned] rebalance in
            await self.assigned(rebalance)
            await hook?(rebalance)
        }
        configuration.onRevoked = { [hook = configuration.onRevoked] rebalance in
            let (line, claims) = self.state.withLock { ($0.line, $0.claims) }
            await line.drain()
            await hook?(rebalance)
            // When this took too long, they may have come back, and have claims that are new.
            self.givenUp(rebalance.partitions, under: claims)
        }
        configuration.onLost = { [hook = configuration.onLost] rebalance in
            self.givenUp(rebalance.partitions)
            await hook?(rebalance)
        }
        return configuration
    }

    // MARK: Partitions

    private func assigned(_ rebalance: KafkaRebalance) async {
        do {
            let claims = try await self.claim(rebalance.partitions)
            for (partition, claim) in claims {
                try rebalance.seek(partition, to: claim.position.map { .absolute($0) } ?? .beginning)
            }
            // Only when it begins: it need not wait for that.
            let new = claims.filter { $0.value.position == nil }.keys
            if !new.isEmpty { Task { await self.tellWhatIsMissing(of: new.sorted()) } }
        } catch {
            self.logger.error("partitions could not be claimed", metadata: ["error": "\(error)"])
            self.state.withLock { $0.failure = $0.failure ?? error }
        }
    }

    /// Says so where a log has lost its first records, which the rows will not know of.
    private func tellWhatIsMissing(of partitions: [KafkaTopicPartition]) async {
        guard let consumer = self.state.withLock({ $0.consumer }) else { return }
        for partition in partitions {
            // Where it can't be told, the consumer says why.
            guard let ends = try? await consumer.watermarks(of: partition), ends.low > 0 else { continue }
            self.logger.warning(
                "a log begins in the middle: what was before is not in the rows. Set its `retention.ms` to -1 to keep all",
                metadata: ["partition": "\(partition)", "offset": "\(ends.low)"]
            )
        }
    }

    private func claim(
        _ partitions: Set<KafkaTopicPartition>
    ) async throws -> [KafkaTopicPartition: ProjectionClaim] {
        guard !partitions.isEmpty else { return [:] }
        let claims = try await self.storage.claim(partitions, owner: self.owner)
        self.state.withLock { state in
            state.claims.merge(claims) { $1 }
            for (partition, claim) in claims {
                state.status.positions[partition] = claim.position ?? 0
                state.starts[partition] = (.now, claim.position ?? 0)
            }
        }
        return claims
    }

    /// - Parameter claims: what was claimed of them; `nil` is whatever is.
    private func givenUp(
        _ partitions: Set<KafkaTopicPartition>,
        under claims: [KafkaTopicPartition: ProjectionClaim]? = nil
    ) {
        self.state.withLock { state in
            for partition in partitions where claims == nil || state.claims[partition] == claims?[partition] {
                state.claims[partition] = nil
                state.status.positions[partition] = nil
            }
        }
    }

    /// - Throws: why partitions could not be claimed.
    private func currentClaims() throws -> [KafkaTopicPartition: ProjectionClaim] {
        let (claims, failure) = self.state.withLock { ($0.claims, $0.failure) }
        if let failure { throw failure }
        return claims
    }

    /// Somebody else has claimed partitions. Who owns them is for the group to say: a commit is refused to whoever does not.
    private func fenced(
        _ refused: Set<KafkaTopicPartition>,
        under claims: [KafkaTopicPartition: ProjectionClaim],
        _ consumer: KafkaConsumer
    ) async throws {
        self.logger.warning(
            "a write was refused, since somebody else has claimed partitions",
            metadata: ["partitions": "\(refused.sorted())"]
        )
        // Those that were taken away and given back meanwhile are claimed anew already.
        let partitions = self.state.withLock { state in
            state.status.refused += 1
            return refused.filter { state.claims[$0] == claims[$0] }
        }
        self.givenUp(partitions)
        let owned = partitions.intersection(consumer.assignment)
        guard !owned.isEmpty, try await self.isOwner(of: owned, consumer) else { return }
        // It is the other one who does not own them any more.
        throw Reclaim(partitions: owned)
    }

    /// Partitions are to be claimed again, when nothing is read or written.
    private struct Reclaim: Error {
        var partitions: Set<KafkaTopicPartition>
    }

    /// Claims partitions again, and reads everything on from where the rows are.
    private func reclaim(_ partitions: Set<KafkaTopicPartition>, _ consumer: KafkaConsumer) async throws {
        _ = try await self.claim(partitions.intersection(consumer.assignment))
        let positions = try await self.storage.positions()
        for partition in self.state.withLock({ $0.claims }).keys {
            do {
                try await consumer.seek(partition, to: positions[partition].map { .absolute($0) } ?? .beginning)
            } catch let error as KafkaError where error.code == .groupMembership {
                self.givenUp([partition])
            }
        }
    }

    private func isOwner(of partitions: Set<KafkaTopicPartition>, _ consumer: KafkaConsumer) async throws -> Bool {
        let positions = try await self.storage.positions()
        // Never further than the rows.
        let offsets = Dictionary(uniqueKeysWithValues: partitions.map { ($0, positions[$0] ?? 0) })
        do {
            try await consumer.commit(offsets)
        } catch {
            guard error.code == .groupMembership else { throw error }
            return false
        }
        return true
    }

    // MARK: Records

    /// Records of a partition, one behind the other.
    private struct Run: Sendable {
        var partition: KafkaTopicPartition
        var offsets: [Int64]
        var handle: ProjectionInput<Storage.Transaction>.PreparedHandler
    }

    /// A batch as it was read.
    private struct ReadBatch: Sendable {
        /// What was read under a claim is written under that one: after another one it is read again.
        var claims: [KafkaTopicPartition: ProjectionClaim]
        var runs: [Run] = []
        var ends: [KafkaTopicPartition: Int64]

        var partitions: Set<KafkaTopicPartition> { Set(self.runs.map(\.partition)).union(self.ends.keys) }

        mutating func remove(_ partitions: Set<KafkaTopicPartition>) {
            self.runs.removeAll { partitions.contains($0.partition) }
            self.ends = self.ends.filter { !partitions.contains($0.key) }
        }
    }

    private struct Outcome: Sendable {
        var positions: [KafkaTopicPartition: Int64] = [:]
        var handled = 0
        var repeated = 0
        var skipped = 0
        var effects: [@Sendable () async -> Void] = []
    }

    /// What a handler threw.
    private struct HandlerFailure: Error {
        var partition: KafkaTopicPartition
        var offset: Int64
        var error: any Error
    }

    private func projectUntilTheEnd(_ consumer: KafkaConsumer) async throws {
        while true {
            do {
                return try await self.project(consumer)
            } catch let reclaim as Reclaim {
                try await self.reclaim(reclaim.partitions, consumer)
            }
        }
    }

    /// Reads and writes at the same time: while a batch is written, the next one is read and decoded.
    private func project(_ consumer: KafkaConsumer) async throws {
        let line = Handoff<ReadBatch>()
        self.state.withLock { $0.line = line }
        defer { line.end() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for try await batch in consumer.batches {
                    // Why nothing is written any more, the other task tells.
                    guard try await line.give(try self.read(batch, consumer)) else { return }
                }
                line.close()
            }
            group.addTask {
                // Others need not wait for what is not written any more.
                defer { line.end() }
                while let batch = try await line.take() {
                    try await self.write(batch, consumer)
                    line.finish()
                }
            }
            for try await _ in group {}
        }
    }

    private func read(_ batch: KafkaConsumerBatch, _ consumer: KafkaConsumer) throws -> ReadBatch {
        // First what is claimed, then what is owned without a break: so the batch was read under these claims.
        let claims = try self.currentClaims()
        func isMine(_ partition: KafkaTopicPartition) -> Bool {
            claims[partition] != nil && consumer.isStillOwned(partition, in: batch)
        }
        var read = ReadBatch(claims: claims, ends: batch.endOfPartitions.filter { isMine($0.key) })
        for (partition, records) in IncomingRecord.runs(of: batch) {
            guard isMine(partition), let input = self.inputs[partition.topic] else { continue }
            read.runs.append(
                Run(partition: partition, offsets: records.map(\.offset), handle: input.prepare(records))
            )
        }
        return read
    }

    private func write(_ batch: ReadBatch, _ consumer: KafkaConsumer) async throws {
        var batch = batch
        var isCareful = false
        while true {
            let partitions = batch.partitions
            guard !partitions.isEmpty else { return }
            let changes = self.storage.changeCount
            do {
                return await self.written(try await self.write(batch, isCareful: isCareful))
            } catch let error as ProjectionError where error.code == .fenced {
                try await self.fenced(error.partitions, under: batch.claims, consumer)
                batch.remove(error.partitions)
            } catch let error as ProjectionError where error.code == .held {
                try await self.storage.waitForChange(past: changes)
            } catch let failure as HandlerFailure {
                guard !isCareful, self.configuration.poisonAction(failure.error) == .skip else {
                    throw ProjectionError(
                        .stopped,
                        "\(self.projection.name) stopped at \(failure.partition)@\(failure.offset), "
                            + "which it can't handle: \(failure.error)",
                        partitions: [failure.partition],
                        cause: failure.error
                    )
                }
                isCareful = true
            }
            try Task.checkCancellation()
        }
    }

    private func write(_ batch: ReadBatch, isCareful: Bool) async throws -> Outcome {
        let (storage, version) = (self.storage, self.projection.version)
        let poisonAction = self.configuration.poisonAction
        let partitions = batch.partitions
        let epochs = batch.claims.filter { partitions.contains($0.key) }.mapValues(\.epoch)
        return try await storage.write(epochs: epochs) { transaction, positions in
            var outcome = Outcome()
            for run in batch.runs {
                guard let place = positions.places[run.partition] else { continue }
                var position = place.position
                var context = ProjectionContext(version: version, isLive: false)
                for (index, offset) in run.offsets.enumerated() {
                    guard offset >= position else {
                        outcome.repeated += 1
                        continue
                    }
                    let isLive = place.effects.contains(offset)
                    // What a message that fails has asked for is not done, so each has its own then.
                    if isCareful || isLive != context.isLive {
                        outcome.effects += context.sideEffects
                        context = ProjectionContext(version: version, isLive: isLive)
                    }
                    do {
                        if isCareful {
                            try storage.attempt(in: transaction) { try run.handle(index, transaction, context) }
                        } else {
                            try run.handle(index, transaction, context)
                        }
                        outcome.handled += 1
                    } catch {
                        guard isCareful, poisonAction(error) == .skip else {
                            throw HandlerFailure(partition: run.partition, offset: offset, error: error)
                        }
                        context = ProjectionContext(version: version, isLive: isLive)
                        let skip = ProjectionSkip(
                            partition: run.partition,
                            offset: offset,
                            error: "\(error)".shortened()
                        )
                        try storage.skip(skip, in: transaction)
                        outcome.skipped += 1
                    }
                    position = offset + 1
                }
                outcome.effects += context.sideEffects
                positions.advance(run.partition, to: position)
            }
            for (partition, end) in batch.ends { positions.advance(partition, to: end) }
            outcome.positions = positions.places.mapValues(\.position)
            return outcome
        }
    }

    private func written(_ outcome: Outcome) async {
        self.state.withLock { state in
            state.status.handled += outcome.handled
            state.status.repeated += outcome.repeated
            state.status.skipped += outcome.skipped
            state.status.transactions += 1
            for (partition, position) in outcome.positions where state.claims[partition] != nil {
                state.status.positions[partition] = position
            }
        }
        if outcome.skipped > 0 {
            self.logger.error(
                "records could not be handled and were passed over",
                metadata: ["count": "\(outcome.skipped)"]
            )
        }
        for effect in outcome.effects { await effect() }
    }

    // MARK: Progress

    /// How far it is behind the ends of its partitions, in records and in time: a question to the brokers.
    ///
    /// - Returns: one for each partition of this instance: none while it does not run, which ``ProjectorStatus/phase`` tells.
    /// - Throws: as `KafkaConsumer.lag(timeout:)`.
    public func lag(timeout: Duration = .seconds(10)) async throws -> [KafkaTopicPartition: KafkaLag] {
        try await self.state.withLock { $0.consumer }?.lag(timeout: timeout) ?? [:]
    }

    /// How far this instance is on its way to the ends of its partitions, and how long the rest may take: a question to the
    /// brokers. Of partitions that other instances have it knows nothing.
    ///
    /// - Returns: `nil` while it does not run, or has no partitions.
    /// - Throws: as `KafkaConsumer.watermarks(of:timeout:)`.
    public func progress(timeout: Duration = .seconds(10)) async throws -> ProjectionProgress? {
        let (consumer, positions, starts) = self.state.withLock { ($0.consumer, $0.status.positions, $0.starts) }
        guard let consumer, !positions.isEmpty else { return nil }
        var progress = ProjectionProgress(done: 0, total: 0, timeLeft: nil)
        var doneSince: Int64 = 0
        for (partition, position) in positions {
            let ends = try await consumer.watermarks(of: partition, timeout: timeout)
            progress.total += max(0, ends.high - ends.low)
            progress.done += min(max(0, position - ends.low), max(0, ends.high - ends.low))
            doneSince += max(0, position - max(ends.low, starts[partition]?.position ?? position))
        }
        let start = positions.keys.compactMap { starts[$0]?.time }.min()
        guard let start, doneSince > 0 else { return progress }
        let left = Double(progress.total - progress.done) / Double(doneSince)
        progress.timeLeft = start.duration(to: .now) * left
        return progress
    }
}
