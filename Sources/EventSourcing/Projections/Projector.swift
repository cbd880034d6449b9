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
        var start: (time: ContinuousClock.Instant, done: Int64)?
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
                for try await batch in consumer.batches { try await self.project(batch, consumer) }
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
            await hook?(rebalance)
            self.givenUp(rebalance.partitions)
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
        } catch {
            self.logger.error("partitions could not be claimed", metadata: ["error": "\(error)"])
            self.state.withLock { $0.failure = $0.failure ?? error }
        }
    }

    private func claim(
        _ partitions: Set<KafkaTopicPartition>
    ) async throws -> [KafkaTopicPartition: ProjectionClaim] {
        guard !partitions.isEmpty else { return [:] }
        let claims = try await self.storage.claim(partitions, owner: self.owner)
        self.state.withLock { state in
            state.claims.merge(claims) { $1 }
            for (partition, claim) in claims { state.status.positions[partition] = claim.position ?? 0 }
        }
        return claims
    }

    private func givenUp(_ partitions: Set<KafkaTopicPartition>) {
        self.state.withLock { state in
            for partition in partitions {
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
        guard !owned.isEmpty else { return }
        guard try await self.isOwner(of: owned, consumer) else { return }
        // It is the other one who does not own them any more.
        let claims = try await self.claim(owned)
        for (partition, claim) in claims {
            do {
                try await consumer.seek(partition, to: claim.position.map { .absolute($0) } ?? .beginning)
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

    /// A record with its handler.
    private struct Work: Sendable {
        var partition: KafkaTopicPartition
        var offset: Int64
        var handle: @Sendable (Storage.Transaction, ProjectionContext) throws -> Void
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
        var work: Work
        var error: any Error
    }

    private func project(_ batch: KafkaConsumerBatch, _ consumer: KafkaConsumer) async throws {
        // What was read under a claim is written under that one: after another one it is read again.
        var claims = try self.currentClaims()
        var works: [Work] = []
        works.reserveCapacity(batch.count)
        for record in batch {
            let partition = record.topicPartition
            guard claims[partition] != nil, let input = self.inputs[partition.topic] else { continue }
            works.append(
                Work(partition: partition, offset: record.offset, handle: input.prepare(.consumed(record)))
            )
        }
        var isCareful = false
        while true {
            works.removeAll { claims[$0.partition] == nil }
            let ends = batch.endOfPartitions.filter { claims[$0.key] != nil }
            let partitions = Set(works.map(\.partition)).union(ends.keys)
            guard !partitions.isEmpty else { return }
            let changes = self.storage.changeCount
            do {
                let outcome = try await self.write(
                    works,
                    ends: ends,
                    epochs: claims.filter { partitions.contains($0.key) }.mapValues(\.epoch),
                    isCareful: isCareful
                )
                return await self.written(outcome)
            } catch let error as ProjectionError where error.code == .fenced {
                try await self.fenced(error.partitions, under: claims, consumer)
                for partition in error.partitions { claims[partition] = nil }
            } catch let error as ProjectionError where error.code == .held {
                try await self.storage.waitForChange(past: changes)
            } catch let failure as HandlerFailure {
                guard !isCareful, self.configuration.poisonAction(failure.error) == .skip else {
                    throw ProjectionError(
                        .stopped,
                        "\(self.projection.name) stopped at \(failure.work.partition)@\(failure.work.offset), "
                            + "which it can't handle: \(failure.error)",
                        partitions: [failure.work.partition],
                        cause: failure.error
                    )
                }
                isCareful = true
            }
            try Task.checkCancellation()
        }
    }

    private func write(
        _ works: [Work],
        ends: [KafkaTopicPartition: Int64],
        epochs: [KafkaTopicPartition: Int64],
        isCareful: Bool
    ) async throws -> Outcome {
        let (storage, version) = (self.storage, self.projection.version)
        let poisonAction = self.configuration.poisonAction
        return try await storage.write(epochs: epochs) { transaction, positions in
            var outcome = Outcome()
            var index = 0
            while index < works.count {
                // Records of a partition come in runs.
                let partition = works[index].partition
                guard let place = positions.places[partition] else {
                    index += 1
                    continue
                }
                var position = place.position
                while index < works.count, works[index].partition == partition {
                    let work = works[index]
                    index += 1
                    guard work.offset >= position else {
                        outcome.repeated += 1
                        continue
                    }
                    let context = ProjectionContext(version: version, isLive: place.effects.contains(work.offset))
                    do {
                        if isCareful {
                            try storage.attempt(in: transaction) { try work.handle(transaction, context) }
                        } else {
                            try work.handle(transaction, context)
                        }
                        outcome.handled += 1
                        if context.isLive { outcome.effects += context.sideEffects }
                    } catch {
                        guard isCareful, poisonAction(error) == .skip else {
                            throw HandlerFailure(work: work, error: error)
                        }
                        let skip = ProjectionSkip(
                            partition: work.partition,
                            offset: work.offset,
                            error: "\(error)".shortened()
                        )
                        try storage.skip(skip, in: transaction)
                        outcome.skipped += 1
                    }
                    position = work.offset + 1
                }
                positions.advance(partition, to: position)
            }
            for (partition, end) in ends { positions.advance(partition, to: end) }
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
    /// - Returns: nothing while it does not run.
    /// - Throws: as `KafkaConsumer.lag(timeout:)`.
    public func lag(timeout: Duration = .seconds(10)) async throws -> [KafkaTopicPartition: KafkaLag] {
        try await self.state.withLock { $0.consumer }?.lag(timeout: timeout) ?? [:]
    }

    /// How far this instance is on its way to the ends of its partitions, and how long the rest may take: a question to the
    /// brokers.
    ///
    /// - Returns: `nil` while it does not run, or has no partitions.
    /// - Throws: as `KafkaConsumer.watermarks(of:timeout:)`.
    public func progress(timeout: Duration = .seconds(10)) async throws -> ProjectionProgress? {
        let (consumer, positions) = self.state.withLock { ($0.consumer, $0.status.positions) }
        guard let consumer, !positions.isEmpty else { return nil }
        var progress = ProjectionProgress(done: 0, total: 0, timeLeft: nil)
        for (partition, position) in positions {
            let ends = try await consumer.watermarks(of: partition, timeout: timeout)
            progress.total += max(0, ends.high - ends.low)
            progress.done += min(max(0, position - ends.low), max(0, ends.high - ends.low))
        }
        let start = self.state.withLock { state in
            if state.start == nil { state.start = (.now, progress.done) }
            return state.start
        }
        guard let start, progress.done > start.done else { return progress }
        let left = Double(progress.total - progress.done) / Double(progress.done - start.done)
        progress.timeLeft = start.time.duration(to: .now) * left
        return progress
    }
}
