import Testing

@testable import EmbeddedKafka

/// A coordinator whose effects are carried out at once, as the server does.
final class TransactionHarness {
    var coordinator: TransactionCoordinator
    var now: Int64 = 1_000_000
    private(set) var effects: [TransactionCompletion] = []

    init(_ coordinator: TransactionCoordinator = TransactionCoordinator()) {
        self.coordinator = coordinator
    }

    func start(
        _ id: String? = "tx",
        timeout: Int32 = 60_000,
        _ claimed: ProducerIdentity? = nil
    ) -> Result<ProducerIdentity, ErrorCode> {
        let (result, effects) = self.coordinator.initProducerID(
            transactionalID: id,
            timeout: timeout,
            producerID: claimed?.id ?? -1,
            producerEpoch: claimed?.epoch ?? -1,
            now: self.now
        )
        self.carryOut(effects)
        return result
    }

    func add(_ producer: ProducerIdentity, _ partition: Int32 = 0, id: String = "tx") -> ErrorCode {
        self.coordinator.addPartitions(
            transactionalID: id,
            producerID: producer.id,
            epoch: producer.epoch,
            [TopicPartition("topic", partition)],
            now: self.now
        )
    }

    func addGroup(_ producer: ProducerIdentity, _ group: String = "group") -> ErrorCode {
        self.coordinator.addOffsets(
            transactionalID: "tx",
            producerID: producer.id,
            epoch: producer.epoch,
            group: group,
            now: self.now
        )
    }

    func end(_ producer: ProducerIdentity, commit: Bool = true, id: String = "tx") -> ErrorCode {
        let (error, effects) = self.coordinator.end(
            transactionalID: id,
            producerID: producer.id,
            epoch: producer.epoch,
            commit: commit,
            now: self.now
        )
        self.carryOut(effects)
        return error
    }

    func append(_ producer: ProducerIdentity, _ partition: Int32 = 0, id: String? = "tx") -> ErrorCode? {
        self.coordinator.verifyAppend(
            transactionalID: id,
            producerID: producer.id,
            epoch: producer.epoch,
            partition: TopicPartition("topic", partition)
        )
    }

    func advance(_ milliseconds: Int64) {
        self.now += milliseconds
        self.carryOut(self.coordinator.tick(now: self.now))
    }

    private func carryOut(_ effects: [TransactionCompletion]) {
        self.effects += effects
        for effect in effects { self.coordinator.completed(transactionalID: effect.transactionalID, now: self.now) }
    }

    var state: TransactionState? { self.coordinator.describe("tx")?.state }

    /// Bumps the epoch until it is the wanted one.
    func start(atEpoch epoch: Int16) throws -> ProducerIdentity {
        var producer = try self.start().get()
        while producer.epoch < epoch { producer = try self.start().get() }
        return producer
    }
}

@Suite("Transactions")
struct TransactionTests {
    private func completion(
        _ producer: ProducerIdentity,
        commit: Bool,
        partitions: [Int32] = [0],
        groups: [String] = []
    ) -> TransactionCompletion {
        TransactionCompletion(
            transactionalID: "tx",
            producer: producer,
            coordinatorEpoch: 0,
            commit: commit,
            partitions: partitions.map { TopicPartition("topic", $0) },
            groups: groups
        )
    }

    @Test("An idempotent producer gets a fresh id at epoch 0 each time, also when it claims one")
    func idempotent() throws {
        let transactions = TransactionHarness()
        let producers = try (0..<2500).map { _ in try transactions.start(nil, timeout: 0).get() }
        #expect(Set(producers.map(\.id)).count == 2500)
        #expect(producers.allSatisfy { $0.epoch == 0 && $0.id >= 0 })
        let again = try transactions.start(nil, timeout: 0, producers[0]).get()
        #expect(again.epoch == 0 && !producers.contains(again))
    }

    @Test("A transaction ends with markers in all partitions and its groups' offsets", arguments: [true, false])
    func oneTransaction(commit: Bool) throws {
        let transactions = TransactionHarness()
        let producer = try transactions.start().get()
        #expect(producer.epoch == 0)
        #expect(transactions.state == .empty)
        #expect(transactions.add(producer, 1) == .none)
        #expect(transactions.add(producer, 0) == .none)
        #expect(transactions.add(producer, 0) == .none)
        #expect(transactions.addGroup(producer) == .none)
        #expect(transactions.state == .ongoing)
        let description = try #require(transactions.coordinator.describe("tx"))
        #expect(description.startTime == transactions.now)
        #expect(description.partitions.count == 2)
        #expect(transactions.end(producer, commit: commit) == .none)
        #expect(
            transactions.effects == [
                self.completion(producer, commit: commit, partitions: [0, 1], groups: ["group"])
            ]
        )
        #expect(transactions.state == (commit ? .completeCommit : .completeAbort))
        #expect(transactions.coordinator.describe("tx")?.startTime == -1)

        #expect(transactions.add(producer, 5) == .none)
        #expect(transactions.end(producer) == .none)
        #expect(transactions.effects.last == self.completion(producer, commit: true, partitions: [5]))
    }

    @Test("EndTxn again: the same outcome is success, the other and one that never began are 48")
    func repeatedEnd() throws {
        for commit in [true, false] {
            let transactions = TransactionHarness()
            let producer = try transactions.start().get()
            #expect(transactions.end(producer, commit: commit) == .invalidTransactionState)
            #expect(transactions.add(producer) == .none)
            #expect(transactions.end(producer, commit: commit) == .none)
            #expect(transactions.end(producer, commit: commit) == .none)
            #expect(transactions.end(producer, commit: !commit) == .invalidTransactionState)
            #expect(transactions.effects.count == 1)
        }
    }

    @Test("While an outcome is carried out, others are told to come again")
    func concurrent() throws {
        let transactions = TransactionHarness()
        let producer = try transactions.start().get()
        #expect(transactions.add(producer) == .none)
        func end(_ commit: Bool) -> ErrorCode {
            transactions.coordinator.end(
                transactionalID: "tx",
                producerID: producer.id,
                epoch: producer.epoch,
                commit: commit,
                now: 0
            ).error
        }
        #expect(end(true) == .none)
        #expect(transactions.state == .prepareCommit)
        #expect(end(true) == .concurrentTransactions)
        #expect(end(false) == .invalidTransactionState)
        #expect(transactions.add(producer) == .concurrentTransactions)
        #expect(transactions.addGroup(producer) == .concurrentTransactions)
        #expect(transactions.append(producer) == .invalidTransactionState)
        #expect(transactions.start() == .failure(.concurrentTransactions))
        transactions.coordinator.completed(transactionalID: "tx", now: 0)
        transactions.coordinator.completed(transactionalID: "tx", now: 0)
        transactions.coordinator.completed(transactionalID: "?", now: 0)
        #expect(transactions.state == .completeCommit)
    }

    @Test("A second producer with the id fences the first and aborts what it has open")
    func fencing() throws {
        let transactions = TransactionHarness()
        let first = try transactions.start().get()
        #expect(transactions.add(first) == .none)
        #expect(transactions.addGroup(first) == .none)
        let second = try transactions.start().get()
        #expect(second.id == first.id)
        #expect(transactions.effects.count == 1)
        let effect = try #require(transactions.effects.first)
        // The marker's epoch fences the first in the partitions, and the second comes after it.
        #expect(effect.producer == ProducerIdentity(id: first.id, epoch: 1))
        #expect(effect.commit == false)
        #expect(effect.partitions == [TopicPartition("topic", 0)])
        #expect(effect.groups == ["group"])
        #expect(second.epoch > effect.producer.epoch)
        #expect(transactions.state == .empty)

        #expect(transactions.add(first) == .producerFenced)
        #expect(transactions.addGroup(first) == .producerFenced)
        #expect(transactions.end(first) == .producerFenced)
        #expect(transactions.append(first) == .invalidProducerEpoch)
        #expect(transactions.start("tx", first) == .failure(.producerFenced))
        #expect(transactions.add(second) == .none)
        #expect(transactions.append(first) == .invalidProducerEpoch, "fenced comes before not in a transaction")
        #expect(transactions.end(second) == .none)
        #expect(transactions.effects.last == self.completion(second, commit: true))
    }

    @Test("A second producer without anything open just gets the next epoch")
    func nextEpoch() throws {
        let transactions = TransactionHarness()
        let first = try transactions.start().get()
        #expect(transactions.add(first) == .none)
        #expect(transactions.end(first) == .none)
        let second = try transactions.start().get()
        #expect(second == ProducerIdentity(id: first.id, epoch: 1))
        #expect(transactions.effects.count == 1)
        #expect(transactions.end(second) == .invalidTransactionState)
        #expect(try transactions.start("other").get().id != first.id)
    }

    @Test("Time-outs: one that is too long is aborted and its producer fenced")
    func timeout() throws {
        let transactions = TransactionHarness()
        let producer = try transactions.start(timeout: 5000).get()
        #expect(transactions.coordinator.nextDeadline == nil)
        transactions.advance(10_000)
        #expect(transactions.add(producer) == .none)
        #expect(transactions.coordinator.nextDeadline == transactions.now + 5000)
        transactions.advance(4000)
        #expect(transactions.add(producer, 1) == .none)
        transactions.advance(999)
        #expect(transactions.state == .ongoing)
        transactions.advance(1)
        #expect(transactions.state == .completeAbort)
        #expect(transactions.coordinator.nextDeadline == nil)
        let fenced = ProducerIdentity(id: producer.id, epoch: 1)
        #expect(transactions.effects == [self.completion(fenced, commit: false, partitions: [0, 1])])
        #expect(transactions.end(producer) == .producerFenced)
        #expect(transactions.append(producer) == .invalidProducerEpoch)
        #expect(transactions.start("tx", producer) == .failure(.producerFenced))
        #expect(try transactions.start().get().epoch == 2)
    }

    @Test("What InitProducerId refuses")
    func refusals() throws {
        let transactions = TransactionHarness()
        #expect(transactions.start("") == .failure(.invalidRequest))
        for timeout: Int32 in [0, -1, 900_001, .max] {
            #expect(transactions.start(timeout: timeout) == .failure(.invalidTransactionTimeout))
        }
        #expect(transactions.start("tx", ProducerIdentity(id: 1, epoch: -1)) == .failure(.invalidRequest))
        #expect(transactions.start(nil, ProducerIdentity(id: -1, epoch: 1)) == .failure(.invalidRequest))
        #expect(try transactions.start(timeout: 900_000).get().epoch == 0)
    }

    @Test("Who asks must be known: 42 for no id, 49 for a wrong one")
    func complaints() throws {
        let transactions = TransactionHarness()
        let producer = try transactions.start().get()
        let stranger = ProducerIdentity(id: producer.id + 1, epoch: 0)
        #expect(transactions.add(producer, id: "") == .invalidRequest)
        #expect(transactions.add(producer, id: "?") == .invalidProducerIDMapping)
        #expect(transactions.add(stranger) == .invalidProducerIDMapping)
        #expect(transactions.end(producer, id: "") == .invalidRequest)
        #expect(transactions.end(producer, id: "?") == .invalidProducerIDMapping)
        #expect(transactions.end(stranger) == .invalidProducerIDMapping)
        #expect(transactions.append(producer, id: "?") == .invalidProducerIDMapping)
        #expect(transactions.append(stranger) == .invalidProducerIDMapping)
        #expect(transactions.append(stranger, id: nil) == .invalidProducerIDMapping)
        // An epoch that was never given out is no better than an old one.
        #expect(transactions.add(producer.fencing) == .producerFenced)
    }

    @Test("A transactional batch goes only into partitions of the open transaction")
    func appends() throws {
        let transactions = TransactionHarness()
        let producer = try transactions.start().get()
        #expect(transactions.append(producer) == .invalidTransactionState)
        #expect(transactions.add(producer) == .none)
        #expect(transactions.append(producer) == nil)
        #expect(transactions.append(producer, id: nil) == nil)
        #expect(transactions.append(producer, 1) == .invalidTransactionState)
        #expect(transactions.end(producer) == .none)
        #expect(transactions.append(producer) == .invalidTransactionState)
    }

    @Test("TxnOffsetCommit needs the group in the open transaction")
    func offsetCommits() throws {
        let transactions = TransactionHarness()
        let producer = try transactions.start().get()
        func attempt(_ group: String, epoch: Int16 = 0) -> ErrorCode? {
            transactions.coordinator.offsetCommitError(
                transactionalID: "tx",
                producerID: producer.id,
                epoch: epoch,
                group: group
            )
        }
        #expect(attempt("group") == .invalidTransactionState)
        #expect(transactions.addGroup(producer) == .none)
        #expect(transactions.state == .ongoing)
        #expect(attempt("group") == nil)
        #expect(attempt("other") == .invalidTransactionState)
        #expect(attempt("group", epoch: 1) == .producerFenced)
        #expect(transactions.end(producer) == .none)
        #expect(attempt("group") == .invalidTransactionState)
    }

    @Test("A producer that claims its id and epoch goes on with the next one, and may ask twice (KIP-360)")
    func recovery() throws {
        let transactions = TransactionHarness()
        let first = try transactions.start().get()
        let second = try transactions.start("tx", first).get()
        #expect(second == ProducerIdentity(id: first.id, epoch: 1))
        #expect(try transactions.start("tx", first).get() == second, "the answer was lost")
        #expect(try transactions.start("tx", first).get() == second)
        let third = try transactions.start("tx", second).get()
        #expect(third.epoch == 2)
        #expect(transactions.start("tx", first) == .failure(.producerFenced))
        let stranger = ProducerIdentity(id: first.id + 1, epoch: 2)
        #expect(transactions.start("tx", stranger) == .failure(.producerFenced))
        // Another producer takes over: who asks again now has lost.
        let fourth = try transactions.start().get()
        #expect(transactions.start("tx", second) == .failure(.producerFenced))
        #expect(transactions.start("tx", third) == .failure(.producerFenced))
        #expect(transactions.add(fourth) == .none)
        // A claim that is out of date aborts nothing.
        #expect(transactions.start("tx", third) == .failure(.producerFenced))
        #expect(transactions.state == .ongoing)
    }

    @Test("A claim that comes twice, the second time late, doesn't disturb the transaction that has begun since")
    func lateClaim() throws {
        let transactions = TransactionHarness()
        let first = try transactions.start().get()
        let second = try transactions.start("tx", first).get()
        #expect(transactions.add(second) == .none)
        #expect(transactions.start("tx", first) == .failure(.producerFenced))
        #expect(transactions.state == .ongoing)
        #expect(transactions.end(second) == .none)
    }

    @Test("A producer that claims its identity with a transaction open has it aborted")
    func recoveryWhileOpen() throws {
        let transactions = TransactionHarness()
        let first = try transactions.start().get()
        #expect(transactions.add(first) == .none)
        let second = try transactions.start("tx", first).get()
        #expect(transactions.effects.map(\.commit) == [false])
        #expect(second.id == first.id)
        #expect(second.epoch > transactions.effects[0].producer.epoch)
        #expect(transactions.add(second) == .none)
    }

    @Test("A claim on a transactional id that nobody has used gets a new id")
    func recoveryOfUnknown() throws {
        let transactions = TransactionHarness()
        let producer = try transactions.start("tx", ProducerIdentity(id: 77, epoch: 5)).get()
        #expect(producer.epoch == 0)
        #expect(producer.id != 77)
    }

    @Test("After epoch 32766 comes another id")
    func exhaustion() throws {
        let transactions = TransactionHarness()
        let last = try transactions.start(atEpoch: 32_766)
        let next = try transactions.start("tx", last).get()
        #expect(next.id != last.id)
        #expect(next.epoch == 0)
        #expect(try transactions.start("tx", last).get() == next, "the answer was lost")
        #expect(transactions.add(last) == .invalidProducerIDMapping)
        #expect(transactions.add(next) == .none)
    }

    @Test("With a transaction open, epochs 32765 and 32766 are fenced and followed by another id")
    func exhaustionWhileOpen() throws {
        for epoch: Int16 in [32_765, 32_766] {
            let transactions = TransactionHarness()
            let last = try transactions.start(atEpoch: epoch)
            #expect(transactions.add(last) == .none)
            let next = try transactions.start().get()
            #expect(transactions.effects.map(\.producer) == [ProducerIdentity(id: last.id, epoch: epoch + 1)])
            #expect(next.id != last.id)
            #expect(next.epoch == 0)
        }
        let transactions = TransactionHarness()
        let last = try transactions.start(atEpoch: 32_766)
        #expect(transactions.add(last) == .none)
        transactions.advance(60_000)
        #expect(transactions.effects.map(\.producer.epoch) == [32_767])
        #expect(transactions.start("tx", last) == .failure(.producerFenced))
        #expect(try transactions.start().get().epoch == 0)
    }

    @Test("Transactions are described, and listed by state and producer (KIP-664)")
    func administration() throws {
        let transactions = TransactionHarness()
        let first = try transactions.start("a", timeout: 7000).get()
        let second = try transactions.start("b").get()
        #expect(transactions.add(second, id: "b") == .none)
        #expect(
            transactions.coordinator.describe("a")
                == TransactionDescription(
                    transactionalID: "a",
                    state: .empty,
                    producer: first,
                    timeout: 7000,
                    startTime: -1,
                    partitions: []
                )
        )
        #expect(transactions.coordinator.describe("?") == nil)
        func list(_ states: [String], _ producers: [Int64]) -> [String] {
            transactions.coordinator.list(states: states, producerIDs: producers).transactions.map(\.transactionalID)
        }
        #expect(list([], []) == ["a", "b"])
        #expect(list(["Ongoing", "Dead"], []) == ["b"])
        #expect(list([], [first.id]) == ["a"])
        #expect(list(["Ongoing"], [first.id]) == [])
        #expect(transactions.coordinator.list(states: ["Dead", "Odd"]).unknownStates == ["Odd"])
    }
}
