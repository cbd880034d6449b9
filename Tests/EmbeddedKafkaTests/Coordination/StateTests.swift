import NIOCore
import Testing

@testable import EmbeddedKafka

/// Both coordinators, a journal of the latest values, and what is recovered from it.
private struct Broker {
    var groups = GroupCoordinator { WireUUID.zero }
    var transactions = TransactionCoordinator()
    var journal: [ByteBuffer: ByteBuffer] = [:]

    mutating func writeJournal() {
        for change in self.groups.takeChanges() + self.transactions.takeChanges() {
            self.journal[change.key] = change.value
        }
    }

    func recovered() throws -> Broker {
        var broker = Broker()
        for (key, value) in self.journal {
            let isOffset = try broker.groups.restore(key: key, value: value)
            let isTransaction = try broker.transactions.restore(key: key, value: value)
            if isOffset == isTransaction { Issue.record("a piece of state that isn't one coordinator's") }
        }
        broker.journal = self.journal
        return broker
    }

    mutating func carryOut(_ effects: [TransactionCompletion], now: Int64) {
        for effect in effects {
            self.groups.completeTransaction(
                producerID: effect.producer.id,
                groups: effect.groups,
                commit: effect.commit
            )
            self.transactions.completed(transactionalID: effect.transactionalID, now: now)
        }
    }
}

@Suite("What survives a restart")
struct StateTests {
    private let partitions = (0..<3).map { TopicPartition("topic", $0) }

    private func expectSame(_ left: Broker, _ right: Broker) {
        #expect(left.groups.list().map(\.group) == right.groups.list().map(\.group))
        for group in ["a", "b", "c"] {
            for requiresStable in [true, false] {
                let fetch = { (broker: Broker) in
                    broker.groups.fetchOffsets(
                        group: group,
                        partitions: self.partitions,
                        requiresStable: requiresStable
                    )
                }
                #expect(fetch(left) == fetch(right))
            }
        }
        #expect(left.transactions.list().transactions == right.transactions.list().transactions)
        #expect(left.transactions.recoveryEffects() == right.transactions.recoveryEffects())
        #expect(left.transactions.nextDeadline == right.transactions.nextDeadline)
    }

    @Test("Whenever it happens, nothing that counts is lost", arguments: 0..<4 as Range<UInt64>)
    func anyPoint(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var broker = Broker()
        var producers: [String: ProducerIdentity] = [:]
        var producerIDs: Set<Int64> = []
        var now: Int64 = 0
        var pending: [TransactionCompletion] = []
        for _ in 0..<1000 {
            now += Int64.random(in: 0...200, using: &generator)
            let id = ["x", "y", "z"].randomElement(using: &generator) ?? ""
            let group = ["a", "b", "c"].randomElement(using: &generator) ?? ""
            let partition = self.partitions.randomElement(using: &generator) ?? TopicPartition("topic", 0)
            let producer = producers[id] ?? ProducerIdentity(id: -5, epoch: 0)
            let commit = OffsetCommit(
                group: group,
                partitions: [
                    OffsetCommit.Partition(partition: partition, offset: now, leaderEpoch: 1, metadata: "at \(now)")
                ]
            )
            switch Int.random(in: 0..<12, using: &generator) {
            case 0:
                let (result, effects) = broker.transactions.initProducerID(
                    transactionalID: id,
                    timeout: 3000,
                    now: now
                )
                if case .success(let producer) = result {
                    producers[id] = producer
                    if producer.epoch == 0 { #expect(producerIDs.insert(producer.id).inserted, "an id twice") }
                }
                pending += effects
            case 1:
                let fresh = try broker.transactions.initProducerID(transactionalID: nil, timeout: 0, now: now).result
                    .get()
                #expect(producerIDs.insert(fresh.id).inserted, "an id twice")
            case 2, 3:
                _ = broker.transactions.addPartitions(
                    transactionalID: id,
                    producerID: producer.id,
                    epoch: producer.epoch,
                    [partition],
                    now: now
                )
            case 4, 5, 6:
                _ = broker.transactions.addOffsets(
                    transactionalID: id,
                    producerID: producer.id,
                    epoch: producer.epoch,
                    group: group,
                    now: now
                )
                let error = broker.transactions.offsetCommitError(
                    transactionalID: id,
                    producerID: producer.id,
                    epoch: producer.epoch,
                    group: group
                )
                if error == nil {
                    let errors = broker.groups.commitTransactionalOffsets(commit, producerID: producer.id, now: now)
                    #expect(errors == [.none])
                }
            case 7:
                pending +=
                    broker.transactions.end(
                        transactionalID: id,
                        producerID: producer.id,
                        epoch: producer.epoch,
                        commit: Bool.random(using: &generator),
                        now: now
                    ).effects
            case 8:
                _ = broker.groups.commitOffsets(commit, now: now)
            case 9:
                _ = broker.groups.deleteOffsets(group: group, partitions: [partition])
            case 10:
                pending += broker.transactions.tick(now: now)
            default:
                broker.carryOut(pending, now: now)
                pending = []
            }
            broker.writeJournal()
            guard Int.random(in: 0..<3, using: &generator) == 0 else { continue }
            var recovered = try broker.recovered()
            self.expectSame(broker, recovered)
            if Int.random(in: 0..<6, using: &generator) == 0 {
                let effects = recovered.transactions.recoveryEffects()
                #expect(effects == pending.sorted { $0.transactionalID < $1.transactionalID })
                recovered.groups.dropPendingOffsets(exceptOf: recovered.transactions.openProducerIDs)
                self.expectSame(broker, recovered)
                broker = recovered
                pending = effects
            }
        }
        #expect(producerIDs.count > 50)
    }

    @Test("An open transaction's time-out runs on from its beginning")
    func timeout() throws {
        var broker = Broker()
        let producer = try broker.transactions.initProducerID(transactionalID: "x", timeout: 5000, now: 0).result.get()
        _ = broker.transactions.addPartitions(
            transactionalID: "x",
            producerID: producer.id,
            epoch: 0,
            self.partitions,
            now: 1000
        )
        broker.writeJournal()
        var recovered = try broker.recovered()
        #expect(recovered.transactions.nextDeadline == 6000)
        #expect(recovered.transactions.tick(now: 5999).isEmpty)
        #expect(recovered.transactions.tick(now: 60_000).map(\.partitions) == [self.partitions])
    }

    @Test("An outcome that wasn't carried out is carried out after the restart; twice does no harm")
    func decided() throws {
        var broker = Broker()
        let producer = try broker.transactions.initProducerID(transactionalID: "x", timeout: 5000, now: 0).result.get()
        _ = broker.transactions.addOffsets(
            transactionalID: "x",
            producerID: producer.id,
            epoch: 0,
            group: "a",
            now: 0
        )
        let commit = OffsetCommit(
            group: "a",
            partitions: [OffsetCommit.Partition(partition: self.partitions[0], offset: 4)]
        )
        _ = broker.groups.commitTransactionalOffsets(commit, producerID: producer.id, now: 0)
        let effects = broker.transactions.end(
            transactionalID: "x",
            producerID: producer.id,
            epoch: 0,
            commit: true,
            now: 0
        ).effects
        broker.writeJournal()

        var recovered = try broker.recovered()
        #expect(recovered.transactions.recoveryEffects() == effects)
        for _ in 0..<2 {
            recovered.carryOut(effects, now: 0)
            #expect(recovered.transactions.recoveryEffects().isEmpty)
            #expect(recovered.transactions.describe("x")?.state == .completeCommit)
            let fetched = recovered.groups.fetchOffsets(group: "a", partitions: nil, requiresStable: true)
            #expect(fetched.map { $0.committed?.offset } == [4])
        }
    }

    @Test("A producer that took over keeps its epoch when the abort was cut short")
    func takenOver() throws {
        var broker = Broker()
        let first = try broker.transactions.initProducerID(transactionalID: "x", timeout: 5000, now: 0).result.get()
        _ = broker.transactions.addPartitions(
            transactionalID: "x",
            producerID: first.id,
            epoch: first.epoch,
            self.partitions,
            now: 0
        )
        let second = try broker.transactions.initProducerID(transactionalID: "x", timeout: 5000, now: 0).result.get()
        broker.writeJournal()
        var recovered = try broker.recovered()
        recovered.carryOut(recovered.transactions.recoveryEffects(), now: 0)
        #expect(recovered.transactions.describe("x")?.producer == second)
        #expect(recovered.transactions.describe("x")?.state == .empty)
    }

    @Test("Offsets of a producer without an open transaction don't stay undecided for ever")
    func leftBehind() throws {
        var broker = Broker()
        let commit = OffsetCommit(
            group: "a",
            partitions: [OffsetCommit.Partition(partition: self.partitions[0], offset: 4)]
        )
        _ = broker.groups.commitTransactionalOffsets(commit, producerID: 99, now: 0)
        broker.writeJournal()
        var recovered = try broker.recovered()
        #expect(recovered.groups.list().map(\.group) == ["a"])
        recovered.groups.dropPendingOffsets(exceptOf: recovered.transactions.openProducerIDs)
        #expect(recovered.groups.list().isEmpty)
    }

    @Test("Changes are told once, each key with its latest value; a broker that keeps nothing is told none")
    func changes() {
        var groups = GroupCoordinator { WireUUID.zero }
        var forgetful = GroupCoordinator(keepsChanges: false) { WireUUID.zero }
        for offset: Int64 in 0..<5 {
            let commit = OffsetCommit(
                group: "a",
                partitions: [OffsetCommit.Partition(partition: self.partitions[0], offset: offset)]
            )
            _ = groups.commitOffsets(commit, now: 0)
            _ = forgetful.commitOffsets(commit, now: 0)
        }
        #expect(groups.takeChanges().count == 1)
        #expect(groups.takeChanges().isEmpty)
        #expect(groups.delete(["a"]) == [.none])
        #expect(groups.takeChanges().map(\.value) == [nil])
        #expect(forgetful.takeChanges().isEmpty)
    }

    @Test("A journal that lies is refused, or believed without harm", arguments: 0..<4 as Range<UInt64>)
    func damage(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var broker = Broker()
        let producer = try broker.transactions.initProducerID(transactionalID: "x", timeout: 5000, now: 0).result.get()
        _ = broker.transactions.addPartitions(
            transactionalID: "x",
            producerID: producer.id,
            epoch: 0,
            self.partitions,
            now: 0
        )
        _ = broker.transactions.addOffsets(
            transactionalID: "x",
            producerID: producer.id,
            epoch: 0,
            group: "a",
            now: 0
        )
        _ = broker.transactions.initProducerID(transactionalID: "x", timeout: 5000, now: 0)
        let commit = OffsetCommit(
            group: "a",
            partitions: [OffsetCommit.Partition(partition: self.partitions[0], offset: 4, metadata: "m")]
        )
        _ = broker.groups.commitOffsets(commit, now: 0)
        _ = broker.groups.commitTransactionalOffsets(commit, producerID: producer.id, now: 0)
        broker.writeJournal()
        #expect(broker.journal.count == 4)

        func damaged(_ bytes: ByteBuffer) -> ByteBuffer {
            var bytes = Array(bytes.readableBytesView)
            for _ in 0..<Int.random(in: 0...2, using: &generator) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[index] = [0, 0x7f, 0x80, 0xff, bytes[index] &+ 1].randomElement(using: &generator) ?? 0
            }
            if Int.random(in: 0..<4, using: &generator) == 0 {
                bytes.removeLast(Int.random(in: 0...bytes.count, using: &generator))
            }
            return ByteBuffer(bytes: bytes)
        }
        var refusals = 0
        for _ in 0..<500 {
            var recovered = Broker()
            for (key, value) in broker.journal {
                let (key, value) = (damaged(key), damaged(value))
                do {
                    _ = try recovered.groups.restore(key: key, value: value)
                    _ = try recovered.transactions.restore(key: key, value: value)
                } catch {
                    refusals += 1
                }
            }
            recovered.carryOut(recovered.transactions.recoveryEffects(), now: 0)
            recovered.carryOut(recovered.transactions.tick(now: .max), now: .max)
            _ = recovered.transactions.initProducerID(transactionalID: "x", timeout: 1, now: 0)
            _ = recovered.transactions.initProducerID(transactionalID: nil, timeout: 0, now: 0)
            _ = recovered.groups.commitOffsets(commit, now: 0)
            _ = recovered.groups.takeChanges()
            _ = recovered.transactions.takeChanges()
        }
        #expect(refusals > 50)
    }
}
