internal import EventStreaming
internal import KafkaClient
public import Logging
internal import Synchronization

/// Runs a projection over the events of an ``EventStore``, without Kafka: a read model beside the store that it is made from.
///
/// The projection has one input, ``ProjectionInput/init(store:category:events:handler:)``. Rows and position are written in one transaction, so
/// that each event is in the rows once; of two that run over the same storage the one that claimed it last writes.
public final class StoreProjector<Storage: ProjectionStorage, Store: EventStore>: Sendable {
    private let projection: Projection<Storage.Transaction>
    private let storage: Storage
    private let store: Store
    private let batchSize: Int
    private let logger: Logger
    private let state = Mutex(ProjectorStatus())

    /// Makes a projector; nothing is read before it runs.
    ///
    /// - Parameters:
    ///   - projection: what is made of the events.
    ///   - storage: where the rows are: that of the same projection and version.
    ///   - store: where the events are.
    ///   - batchSize: how many events go into one transaction at most.
    ///   - logger: takes what it has to say.
    public init(
        _ projection: Projection<Storage.Transaction>,
        storage: Storage,
        store: Store,
        batchSize: Int = 500,
        logger: Logger = Logger(label: "EventSourcing.StoreProjector")
    ) {
        self.projection = projection
        self.storage = storage
        self.store = store
        self.batchSize = max(1, batchSize)
        self.logger = logger
    }

    /// How it is doing now. Its only partition is ``PositionToken/partition(ofStore:)``.
    public var status: ProjectorStatus { self.state.withLock { $0 } }

    /// Projects until the task is cancelled.
    ///
    /// - Throws: ``ProjectionError``, with the code `fenced` when another one has claimed the storage; what the store and the storage
    ///   throw. It does not throw when it is cancelled.
    public func run() async throws {
        let place = PositionToken.partition(ofStore: self.store.name)
        guard self.projection.inputs.count == 1, let input = self.projection.inputs.first, input.topic == place.topic
        else {
            throw ProjectionError(
                .configuration,
                "\(self.projection.name) must have one input: the store \(self.store.name)"
            )
        }
        guard self.storage.projection == self.projection.name, self.storage.version == self.projection.version else {
            throw ProjectionError(
                .configuration,
                "the storage is that of \(self.storage.projection), version \(self.storage.version)"
            )
        }
        self.state.withLock { state in
            state = ProjectorStatus()
            state.phase = .running
        }
        do {
            guard let claim = try await self.storage.claim([place], owner: EventID.next())[place] else { return }
            // The position is that of the next event.
            var changes = self.store.changes(after: (claim.position ?? 1) - 1)
            changes.batchSize = self.batchSize
            var batches = changes.makeAsyncIterator()
            while let batch = try await batches.nextBatch() { try await self.project(batch, input, claim) }
            self.state.withLock { $0.phase = .ended }
        } catch  where Task.isCancelled {
            self.state.withLock { $0.phase = .ended }
        } catch {
            self.state.withLock { state in
                state.phase = .failed
                state.error = error
            }
            throw error
        }
    }

    private func project(
        _ batch: [StoredEvent],
        _ input: ProjectionInput<Storage.Transaction>,
        _ claim: ProjectionClaim
    ) async throws {
        let (name, version) = (self.projection.name, self.projection.version)
        let place = PositionToken.partition(ofStore: self.store.name)
        let offsets = batch.map(\.position)
        let handle = input.prepare(batch.map { .made(EntityEventRecord.record(of: $0, store: self.store.name)) })
        while true {
            let changes = self.storage.changeCount
            do {
                let (handled, position, effects) = try await self.storage.write(epochs: [place: claim.epoch]) {
                    transaction,
                    positions in
                    var handled = 0
                    var effects: [@Sendable () async -> Void] = []
                    for (index, offset) in offsets.enumerated() {
                        guard let at = positions.places[place], offset >= at.position else { continue }
                        let context = ProjectionContext(version: version, isLive: at.effects.contains(offset))
                        do {
                            try handle(index, transaction, context)
                        } catch {
                            throw ProjectionError(
                                .stopped,
                                "\(name) stopped at the event \(offset), which it can't handle: \(error)",
                                partitions: [place],
                                cause: error
                            )
                        }
                        handled += 1
                        effects += context.sideEffects
                        positions.advance(place, to: offset + 1)
                    }
                    return (handled, positions.places[place]?.position ?? 0, effects)
                }
                self.state.withLock { state in
                    state.handled += handled
                    state.repeated += offsets.count - handled
                    state.transactions += 1
                    state.positions[place] = position
                }
                for effect in effects { await effect() }
                return
            } catch let error as ProjectionError where error.code == .held {
                try await self.storage.waitForChange(past: changes)
            }
        }
    }
}
