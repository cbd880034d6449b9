import EmbeddedKafka
import TestSupport
import Testing

@testable import KafkaClient

/// Transactions whose brokers, answers or time go away.
@Suite(.timeLimit(.minutes(1)))
struct TransactionFaultTests {
    private func record(_ value: String) -> KafkaProducerRecord {
        KafkaProducerRecord(topic: "t", value: value)
    }

    // MARK: Fatal

    @Test func aZombieIsFencedAndSaysSo() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            try await withProducer(.transactional(cluster, "id")) { zombie in
                let error = await #expect(throws: KafkaError.self) {
                    try await zombie.withTransaction(attempts: 5) { transaction in
                        #expect(transaction.attempt == 1, "there is no other attempt")
                        try await transaction.send(self.record("zombie"))
                        try await withProducer(.transactional(cluster, "id")) { other in
                            try await other.withTransaction { _ = try await $0.send(self.record("other")) }
                        }
                        _ = try await transaction.send(self.record("late"))
                    }
                }
                #expect(error?.code == .fenced)
                #expect(error?.isFatal == true)
                for call in [
                    { try await zombie.withTransaction { _ in } }, { try await zombie.initializeTransactions() },
                ] as [() async throws -> Void] {
                    let later = await #expect(throws: KafkaError.self) { try await call() }
                    #expect(later?.code == .fenced)
                    #expect(later?.isFatal == true)
                }
                let values = try await cluster.values(of: "t")
                #expect(values == ["other"])
            }
        }
    }

    @Test func receiptsThatAreOutstandingSayTheFatalError() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            try await withProducer(.transactional(cluster, "id")) { zombie in
                let receipts = Collected<KafkaSendReceipt>()
                let error = await #expect(throws: KafkaError.self) {
                    try await zombie.withTransaction { transaction in
                        try await withProducer(.transactional(cluster, "id")) { try await $0.initializeTransactions() }
                        // Adding the partition to the transaction is refused, and the records are given up.
                        for number in 0..<10 {
                            receipts.append(try await transaction.enqueue(self.record("\(number)")))
                        }
                    }
                }
                #expect(error?.code == .fenced)
                for receipt in receipts.elements {
                    let error = await #expect(throws: KafkaError.self) { try await receipt.metadata }
                    #expect(error?.code == .fenced)
                    #expect(error?.isFatal == true)
                    #expect(error?.topic == "t")
                    #expect(error?.operation == "enqueue")
                }
            }
        }
    }

    @Test func aTransactionTooLongForTheBrokerEndsTheProducer() async throws {
        let clock = EmbeddedKafkaClock.Manual()
        try await withCluster(topics: ["t": 1], { $0.clock = .manual(clock) }) { cluster in
            try await withProducer(.transactional(cluster, "id")) { producer in
                let error = await #expect(throws: KafkaError.self) {
                    try await producer.withTransaction { transaction in
                        try await transaction.send(self.record("1"))
                        await clock.advance(by: .seconds(61))
                    }
                }
                // The broker has given the transaction up and fenced its producer, as Kafka does.
                #expect(error?.code == .fenced)
                #expect(error?.isFatal == true)
                #expect(error?.message.contains("transactionTimeout") == true)
                let values = try await cluster.values(of: "t")
                #expect(values == [])
            }
        }
    }

    // MARK: Abort and another attempt

    @Test func anErrorThatNeedsAnAbortIsWorthAnotherAttempt() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            try await withProducer(.transactional(cluster, "id")) { producer in
                // Unknown producer id, after which the producer needs a new epoch (KIP-360).
                try await cluster.failNext(.produce, with: [.error(59)])
                let error = await #expect(throws: KafkaError.self) {
                    try await producer.withTransaction { try await $0.send(self.record("no")) }
                }
                #expect(error?.requiresAbort == true)
                #expect(error?.isFatal == false)
                #expect(error?.operation == "send")

                try await cluster.failNext(.produce, with: [.error(59)])
                let attempts = Collected<Int>()
                try await producer.withTransaction(attempts: 2) { transaction in
                    attempts.append(transaction.attempt)
                    _ = try await transaction.send(self.record("\(transaction.attempt)"))
                }
                #expect(attempts.elements == [1, 2])
                #expect(try await cluster.values(of: "t") == ["2"])
            }
        }
    }

    @Test func aRecordThatTheBrokerRefusesAbortsAlsoWhenNobodyLooks() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            try await withProducer(.transactional(cluster, "id")) { producer in
                try await cluster.failNext(.produce, with: [.error(87)])
                let receipts = Collected<KafkaSendReceipt>()
                let error = await #expect(throws: KafkaError.self) {
                    try await producer.withTransaction { transaction in
                        receipts.append(try await transaction.enqueue(self.record("no")))
                    }
                }
                #expect(error?.requiresAbort == true)
                #expect(error?.librdkafkaName == "INVALID_RECORD")
                let failed = await #expect(throws: KafkaError.self) { try await receipts.elements.first?.metadata }
                #expect(failed?.librdkafkaName == "INVALID_RECORD")
                // librdkafka goes on with a sequence that the broker has not seen, which takes an attempt.
                try await producer.withTransaction(attempts: 3) { _ = try await $0.send(self.record("yes")) }
                #expect(try await cluster.values(of: "t") == ["yes"])
            }
        }
    }

    /// The broker's clock stands still: it is the producer that ends the transaction.
    @Test func aTransactionThatTakesTooLongIsAbortedBeforeTheBrokerDoes() async throws {
        try await withCluster(topics: ["t": 1], { $0.clock = .manual(EmbeddedKafkaClock.Manual()) }) { cluster in
            var configuration = KafkaProducer.Configuration.transactional(cluster, "id")
            configuration.transactionTimeout = .seconds(1)
            try await withProducer(configuration) { producer in
                let attempts = Collected<Int>()
                let refusal = Collected<KafkaError>()
                try await producer.withTransaction(attempts: 2) { transaction in
                    attempts.append(transaction.attempt)
                    try await transaction.send(self.record("\(transaction.attempt)"))
                    guard transaction.attempt == 1 else { return }
                    try await eventually("the end of the transaction") {
                        do throws(any Error) {
                            try await transaction.send(self.record("more"))
                            return false
                        } catch let error as KafkaError {
                            refusal.append(error)
                            return true
                        }
                    }
                }
                #expect(attempts.elements == [1, 2])
                #expect(refusal.elements.first?.code == .timedOut)
                #expect(refusal.elements.first?.message.contains("transactionTimeout") == true)
                #expect(try await cluster.values(of: "t") == ["2"])
            }
        }
    }

    /// What waits for its partition's place in the transaction is given up with it, and says why.
    @Test(arguments: [false, true])
    func aSendThatWaitsWhenTheTimeIsUpSaysSo(isBatch: Bool) async throws {
        try await withCluster(topics: ["t": 1], { $0.clock = .manual(EmbeddedKafkaClock.Manual()) }) { cluster in
            _ = try await cluster.faults.add(.init(.addPartitionsToTransaction, .delay(.seconds(2))))
            var configuration = KafkaProducer.Configuration.transactional(cluster, "id")
            configuration.transactionTimeout = .seconds(1)
            try await withProducer(configuration) { producer in
                let errors = Collected<KafkaError>()
                await #expect(throws: KafkaError.self) {
                    try await producer.withTransaction { transaction in
                        if isBatch {
                            let results = try await transaction.send(contentsOf: [self.record("1"), self.record("2")])
                            for case .failure(let error) in results { errors.append(error) }
                        } else {
                            do {
                                try await transaction.send(self.record("1"))
                            } catch let error as KafkaError {
                                errors.append(error)
                            }
                        }
                    }
                }
                #expect(errors.count == (isBatch ? 2 : 1))
                for error in errors.elements {
                    #expect(error.code == .timedOut)
                    #expect(error.topic == "t")
                }
            }
        }
    }

    // MARK: Lost answers

    @Test(arguments: [EmbeddedKafkaFault.Effect.disconnectAfter, .dropResponse])
    func aCommitWhoseAnswerIsLostIsCommittedOnce(effect: EmbeddedKafkaFault.Effect) async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            var configuration = KafkaProducer.Configuration.transactional(cluster, "id")
            configuration.additional["socket.timeout.ms"] = "1000"
            try await withProducer(configuration) { producer in
                let lost = try await cluster.faults.add(.init(.endTransaction, effect))
                try await producer.withTransaction { _ = try await $0.send(self.record("1")) }
                #expect(try await lost.count == 1)
                #expect(try await cluster.values(of: "t") == ["1"])
                try await producer.withTransaction { _ = try await $0.send(self.record("2")) }
                #expect(try await cluster.values(of: "t") == ["1", "2"])
            }
        }
    }

    @Test func aCommitWithoutAnyAnswerHasAnUnknownOutcomeUntilTheNextTransaction() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            var configuration = KafkaProducer.Configuration.transactional(cluster, "id")
            // Long enough that the broker does not end the second transaction, as it would one whose producer is gone.
            configuration.transactionTimeout = .seconds(6)
            configuration.additional["socket.timeout.ms"] = "500"
            try await withProducer(configuration) { producer in
                let lost = try await cluster.faults.add(.init(.endTransaction, .disconnectAfter, times: nil))
                let error = await #expect(throws: KafkaError.self) {
                    try await producer.withTransaction(attempts: 3) { transaction in
                        #expect(transaction.attempt == 1, "what may be committed is not sent again")
                        _ = try await transaction.send(self.record("1"))
                    }
                }
                #expect(error?.code == .outcomeUnknown)
                #expect(error?.isFatal == false)
                #expect(error?.requiresAbort == false)
                try await lost.remove()
                try await producer.withTransaction { _ = try await $0.send(self.record("2")) }
                #expect(try await cluster.values(of: "t") == ["1", "2"])
            }
        }
    }

    @Test func anAbortWithoutAnAnswerIsGoneOnWithByTheNextTransaction() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            try await withProducer(.transactional(cluster, "id")) { producer in
                let lost = try await cluster.faults.add(.init(.endTransaction, .disconnectBefore, times: 3))
                await #expect(throws: Refusal.self) {
                    try await producer.withTransaction { transaction in
                        try await transaction.send(self.record("no"))
                        throw Refusal()
                    }
                }
                try await producer.withTransaction { _ = try await $0.send(self.record("yes")) }
                #expect(try await lost.count == 3)
                #expect(try await cluster.values(of: "t") == ["yes"])
            }
        }
    }

    // MARK: What passes

    @Test func errorsOfTheCoordinatorThatPassAreNotSeen() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            try await withProducer(.transactional(cluster, "id")) { producer in
                let loading = EmbeddedKafkaFault.Effect.coordinatorLoadInProgress
                let notCoordinator = EmbeddedKafkaFault.Effect.error(16)
                let concurrent = EmbeddedKafkaFault.Effect.error(51)
                try await cluster.failNext(.initProducerID, with: [loading])
                try await cluster.failNext(.addPartitionsToTransaction, with: [notCoordinator, concurrent])
                try await cluster.failNext(.endTransaction, with: [loading, notCoordinator, concurrent])
                try await producer.withTransaction { _ = try await $0.send(self.record("1")) }
                #expect(try await cluster.values(of: "t") == ["1"])
            }
        }
    }

    @Test func aCoordinatorThatMovesIsFound() async throws {
        try await withCluster(nodes: 3, topics: ["t": 1]) { cluster in
            try await withProducer(.transactional(cluster, "id")) { producer in
                for node in Int32(1)...3 {
                    try await producer.withTransaction { transaction in
                        try await transaction.send(self.record("\(node)"))
                        try await cluster.moveCoordinator(ofTransactionalID: "id", to: node)
                    }
                }
                #expect(try await cluster.values(of: "t") == ["1", "2", "3"])
            }
        }
    }

    // MARK: Nobody there

    @Test func nothingBlocksAndCancellingReturnsAtOnce() async throws {
        // Nobody listens there.
        var configuration = KafkaProducer.Configuration(bootstrapServers: ["127.0.0.1:1"])
        configuration.transactionalID = "id"
        configuration.closeTimeout = .seconds(1)
        try await withProducer(configuration) { producer in
            let finished = Collected<Int>()
            let calls = (0..<16).map { number in
                Task {
                    defer { finished.append(number) }
                    if number % 2 == 0 {
                        try await producer.withTransaction { _ in }
                    } else {
                        try await producer.initializeTransactions(timeout: .seconds(50))
                    }
                }
            }
            // More tasks than threads, each with several turns: with blocked threads they would wait for the calls.
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<100 {
                    group.addTask { for _ in 0..<10 { await Task.yield() } }
                }
            }
            #expect(finished.count == 0, "the other tasks got on while the calls were waiting")
            for call in calls { call.cancel() }
            try await withDeadline(.seconds(20), "the cancelled calls") {
                for call in calls {
                    await #expect(throws: CancellationError.self) { try await call.value }
                }
            }
        }
    }

    @Test func noCoordinatorInTimeIsAnErrorThatPasses() async throws {
        var configuration = KafkaProducer.Configuration(bootstrapServers: ["127.0.0.1:1"])
        configuration.transactionalID = "id"
        configuration.closeTimeout = .seconds(1)
        try await withProducer(configuration) { producer in
            let error = await #expect(throws: KafkaError.self) {
                try await producer.initializeTransactions(timeout: .milliseconds(300))
            }
            #expect(error?.isRetriable == true)
            #expect(error?.operation == "initialize transactions")
            #expect(error?.message.contains("127.0.0.1:1") == true)
        }
    }
}
