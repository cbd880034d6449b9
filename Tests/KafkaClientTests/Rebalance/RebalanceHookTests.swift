import EmbeddedKafka
import Synchronization
import TestSupport
import Testing

@testable import KafkaClient

/// What an application is told of rebalances, and what it may do meanwhile (promise 7).
@Suite(.timeLimit(.minutes(1)))
struct RebalanceHookTests {
    static let assignors = [KafkaConsumer.Assignor.cooperativeSticky, .range]

    private func configuration(
        _ cluster: EmbeddedKafkaCluster,
        _ assignor: KafkaConsumer.Assignor,
        hooks: HookLog? = nil
    ) -> KafkaConsumer.Configuration {
        var configuration = KafkaConsumer.Configuration.test(cluster, group: uniqueName("group"))
        configuration.assignors = [assignor]
        configuration.commitPolicy = .manual
        hooks?.listen(&configuration)
        return configuration
    }

    private func fill(_ topic: String, partitions: Int32, count: Int, _ cluster: EmbeddedKafkaCluster) async throws {
        try await withProducer(.test(cluster)) { producer in
            for partition in 0..<partitions {
                try await producer.fill(topic, partition: partition, values: (0..<count).map { "\(partition)-\($0)" })
            }
        }
    }

    @Test(arguments: Self.assignors)
    func theHooksOfAMemberThatSharesAndLeaves(assignor: KafkaConsumer.Assignor) async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            let hooks = HookLog()
            let configuration = self.configuration(cluster, assignor, hooks: hooks)
            var plain = configuration
            plain.onAssigned = nil
            plain.onRevoked = nil
            plain.onLost = nil
            try await withConsumer(configuration, subscribedTo: [topic]) { first in
                try await eventually("the first member has all") { hooks.events.last == .init("assigned", [0, 1]) }
                #expect(first.assignment.count == 2)
                try await withConsumer(plain, subscribedTo: [topic]) { second in
                    try await eventually("both have one") {
                        second.assignment.count == 1 && first.assignment.count == 1
                    }
                    let kept = first.assignment.map(\.partition)
                    let moved = second.assignment.map(\.partition)
                    // The share is there before its hook is.
                    try await eventually("the hook of the new share") { hooks.events.last?.what == "assigned" }
                    switch assignor {
                    case .cooperativeSticky:
                        let shares = hooks.events.filter { !$0.partitions.isEmpty }
                        #expect(shares == [.init("assigned", [0, 1]), .init("revoked", moved)])
                    default:
                        #expect(
                            hooks.events == [
                                .init("assigned", [0, 1]), .init("revoked", [0, 1]), .init("assigned", kept),
                            ]
                        )
                    }
                }
                try await eventually("the first member has all again") { first.assignment.count == 2 }
            }
            #expect(hooks.events.last == .init("revoked", [0, 1]), "closing gives up all")
            #expect(!hooks.events.contains { $0.what == "lost" })
        }
    }

    @Test(arguments: Self.assignors)
    func nothingIsReadBeforeTheHookHasReturned(assignor: KafkaConsumer.Assignor) async throws {
        try await withTopic { cluster, topic in
            try await self.fill(topic, partitions: 1, count: 10, cluster)
            let gate = Gate()
            let called = Gate()
            var configuration = self.configuration(cluster, assignor)
            configuration.onAssigned = { rebalance in
                called.open()
                await gate.wait()
                let partition = KafkaTopicPartition(topic: topic, partition: 0)
                #expect(throws: Never.self) { try rebalance.seek(partition, to: .absolute(4)) }
                let error = #expect(throws: KafkaError.self) {
                    try rebalance.seek(KafkaTopicPartition(topic: topic, partition: 1), to: .beginning)
                }
                #expect(error?.code == .invalidState)
            }
            try await withConsumer(configuration, subscribedTo: [topic]) { consumer in
                let reading = Task { try await consumer.read(6) }
                await called.wait()
                try await always(for: .milliseconds(500), "nothing is fetched") { consumer.core.queuedCount == 0 }
                gate.open()
                let records = try await reading.value
                #expect(records.map(\.offset) == Array(4..<10), "from where the hook said")
            }
        }
    }

    @Test(arguments: Self.assignors)
    func whatIsInHandIsFinishedThenTheHookCommitsThenThePartitionGoes(assignor: KafkaConsumer.Assignor) async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            try await self.fill(topic, partitions: 2, count: 10, cluster)
            let inHand = Gate()
            let finish = Gate()
            let order = Collected<String>()
            var configuration = self.configuration(cluster, assignor)
            let plain = configuration
            configuration.onRevoked = { rebalance in
                order.append("hook")
                do {
                    try await rebalance.commit()
                    order.append("committed")
                } catch {
                    Issue.record("a commit in the hook: \(error)")
                }
            }
            try await withConsumer(configuration, subscribedTo: [topic]) { first in
                try await eventually("all is fetched") { first.core.queuedCount >= 20 }
                let reader = Task {
                    for try await batch in first.batches {
                        order.append("took \(batch.count)")
                        inHand.open()
                        await finish.wait()
                        order.append("finished")
                    }
                }
                await inHand.wait()
                let syncs = try await cluster.observe(.syncGroup, group: configuration.group)
                try await withConsumer(plain, subscribedTo: [topic]) { second in
                    if assignor == .cooperativeSticky { try await syncs.happened(times: 2) }
                    try await always(for: .milliseconds(700), "nothing goes while a batch is in hand") {
                        order.count == 1 && first.assignment.count == 2 && second.assignment.isEmpty
                    }
                    finish.open()
                    try await eventually("one partition moves") { second.assignment.count == 1 }
                    #expect(order.elements == ["took 20", "finished", "hook", "committed"])
                    let moved = try #require(second.assignment.first)
                    let committed = try await second.committedOffsets(for: [moved])
                    #expect(committed == [moved: 10])
                }
                reader.cancel()
                try await reader.value
            }
        }
    }

    @Test(arguments: Self.assignors)
    func afterTheDeadlineCommitsAreRefusedAlsoTheHooks(assignor: KafkaConsumer.Assignor) async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            try await self.fill(topic, partitions: 2, count: 10, cluster)
            let refused = Collected<KafkaError.Code?>()
            let revoked = Collected<KafkaRebalance>()
            var configuration = self.configuration(cluster, assignor)
            let plain = configuration
            configuration.revocationTimeout = .milliseconds(300)
            configuration.onRevoked = { rebalance in
                guard revoked.count == 0 else { return }
                #expect(Task.isCancelled)
                let offsets = Dictionary(uniqueKeysWithValues: rebalance.partitions.map { ($0, Int64(1)) })
                refused.append(await code { try await rebalance.commit(offsets) })
                refused.append(await code { try await rebalance.commit() })
                revoked.append(rebalance)
            }
            let requests = try await cluster.observe(.offsetCommit, group: configuration.group)
            let log = CapturedLog()
            try await withConsumer(configuration, subscribedTo: [topic], log: log) { first in
                try await eventually("all is fetched") { first.core.queuedCount >= 20 }
                var iterator = first.batches.makeAsyncIterator()
                let inHand = try await iterator.next(isolation: nil)
                let batch = try #require(inHand)
                try await withConsumer(plain, subscribedTo: [topic]) { second in
                    try await eventually("the hook was called") { revoked.count == 1 }
                    let gone = try #require(revoked.elements.first?.partitions)
                    let record = try #require(batch.first { gone.contains($0.topicPartition) })
                    #expect(await code { try await first.commit(record) } == .groupMembership)
                    #expect(await code { try await first.commit(batch) } == .groupMembership)
                    try await eventually("one partition moves") { second.assignment.count == 1 }
                    #expect(await code { try await first.commit(record) } == .groupMembership, "nor when it is back")
                }
            }
            #expect(log.contains("processing took longer than revocationTimeout"))
            #expect(refused.elements == [.groupMembership, .groupMembership])
            #expect(try await requests.count == 0, "nothing was sent")
        }
    }

    @Test(arguments: Self.assignors)
    func aHookThatHangsIsCancelledAtTheDeadline(assignor: KafkaConsumer.Assignor) async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            let result = Collected<KafkaError.Code?>()
            var configuration = self.configuration(cluster, assignor)
            let plain = configuration
            configuration.revocationTimeout = .seconds(2)
            let begin = ContinuousClock.now
            configuration.onRevoked = { rebalance in
                guard result.count == 0 else { return }
                let start = ContinuousClock.now
                await waitForCancellation()
                // The time-out, counted from some moment between those two.
                #expect((begin + .seconds(2)...start + .seconds(2)).contains(rebalance.deadline))
                #expect(.now >= rebalance.deadline)
                let offsets = Dictionary(uniqueKeysWithValues: rebalance.partitions.map { ($0, Int64(0)) })
                result.append(await code { try await rebalance.commit(offsets) })
            }
            let log = CapturedLog()
            try await withConsumer(configuration, subscribedTo: [topic], log: log) { first in
                try await eventually("the first member has all") { first.assignment.count == 2 }
                try await withConsumer(plain, subscribedTo: [topic]) { second in
                    try await eventually("one partition moves all the same") { second.assignment.count == 1 }
                    try await eventually("the hook ended") { result.count == 1 }
                }
            }
            #expect(result.elements == [.groupMembership])
            #expect(log.contains("a rebalance hook took longer"))
        }
    }

    @Test(arguments: Self.assignors)
    func anAssignmentGoesOnWithoutAHookThatHangs(assignor: KafkaConsumer.Assignor) async throws {
        try await withTopic { cluster, topic in
            try await self.fill(topic, partitions: 1, count: 2, cluster)
            let late = Collected<KafkaError.Code?>()
            var configuration = self.configuration(cluster, assignor)
            configuration.revocationTimeout = .seconds(4)
            let partition = KafkaTopicPartition(topic: topic, partition: 0)
            configuration.onAssigned = { rebalance in
                try? rebalance.seek(partition, to: .absolute(1))
                await waitForCancellation()
                late.append(await code { try rebalance.seek(partition, to: .beginning) })
            }
            try await withConsumer(configuration, subscribedTo: [topic]) { consumer in
                #expect(try await consumer.read(1).map(\.offset) == [1], "what it chose in time counts")
                try await eventually("the hook ended") { late.elements == [.invalidState] }
            }
        }
    }

    @Test(arguments: Self.assignors)
    func aLostPartitionNeverCommits(assignor: KafkaConsumer.Assignor) async throws {
        try await withTopic { cluster, topic in
            try await self.fill(topic, partitions: 1, count: 3, cluster)
            let hooks = HookLog()
            var configuration = self.configuration(cluster, assignor, hooks: hooks)
            let refused = Collected<KafkaError.Code?>()
            configuration.onLost = { rebalance in
                hooks.append("lost", rebalance)
                refused.append(await code { try await rebalance.commit() })
                refused.append(
                    await code { try await rebalance.commit([KafkaTopicPartition(topic: topic, partition: 0): 1]) }
                )
            }
            configuration.commitPolicy = .afterProcessing(interval: .seconds(100))
            let requests = try await cluster.observe(.offsetCommit, group: configuration.group)
            try await withConsumer(configuration, subscribedTo: [topic]) { consumer in
                var iterator = consumer.records.makeAsyncIterator()
                _ = try await iterator.next(isolation: nil)
                let next = try await iterator.next(isolation: nil)
                let record = try #require(next)
                // The coordinator no longer knows the member.
                _ = try await cluster.faults.add(.init(.heartbeat, .error(25), group: configuration.group))
                try await eventually("the hook ended") { refused.count == 2 }
                #expect(refused.elements == [.groupMembership, .groupMembership])
                #expect(await code { try await consumer.commit(record) } == .groupMembership)
                try await eventually("the member is back") { hooks.events.last == .init("assigned", [0]) }
                #expect(await code { try await consumer.commit(record) } == .groupMembership, "nor when it is back")
                let again = try await iterator.next(isolation: nil)
                #expect(again?.offset == 0, "nothing was committed")
                #expect(try await requests.count == 0, "nothing was sent")
            }
            #expect(
                hooks.events == [
                    .init("assigned", [0]), .init("lost", [0]), .init("assigned", [0]), .init("revoked", [0]),
                ]
            )
        }
    }

    @Test(arguments: Self.assignors)
    func closingRunsTheHookWhoseCommitsCount(assignor: KafkaConsumer.Assignor) async throws {
        try await withTopic { cluster, topic in
            try await self.fill(topic, partitions: 1, count: 5, cluster)
            let partition = KafkaTopicPartition(topic: topic, partition: 0)
            var configuration = self.configuration(cluster, assignor)
            configuration.onRevoked = { rebalance in
                #expect(await code { try await rebalance.commit([partition: 3]) } == nil)
            }
            let consumer = try await withConsumer(configuration, subscribedTo: [topic]) { consumer in
                _ = try await consumer.read(5)
                return consumer
            }
            #expect(consumer.acknowledgedCommits == [partition: 3])
            #expect(await code { try await consumer.commit([partition: 4]) } == .closed)
        }
    }

    @Test func closingDoesNotWaitForAHookThatHangs() async throws {
        try await withTopic { cluster, topic in
            var configuration = self.configuration(cluster, .cooperativeSticky)
            configuration.closeTimeout = .milliseconds(500)
            // Longer than the test waits.
            configuration.sessionTimeout = .seconds(60)
            let cancelled = Gate()
            configuration.onRevoked = { _ in
                await waitForCancellation()
                cancelled.open()
            }
            let consumer = try KafkaConsumer(configuration: configuration, logger: CapturedLog().makeLogger())
            try await consumer.subscribe(to: [topic])
            try await eventually("the partition is there") { consumer.assignment.count == 1 }
            try await withDeadline(.seconds(20), "close") { await consumer.close() }
            try await withDeadline(.seconds(20), "the hook is cancelled") { await cancelled.wait() }
            // The member left its group all the same.
            try await withConsumer(configuration, subscribedTo: [topic]) { next in
                try await eventually("it has the partition") { next.assignment.count == 1 }
            }
        }
    }
}

/// The hooks that were called.
final class HookLog: Sendable {
    struct Event: Equatable, Sendable {
        var what: String
        var partitions: [Int32]

        init(_ what: String, _ partitions: [Int32]) {
            self.what = what
            self.partitions = partitions
        }
    }

    private let collected = Collected<Event>()

    var events: [Event] { self.collected.elements }

    func append(_ what: String, _ rebalance: KafkaRebalance) {
        self.collected.append(Event(what, rebalance.partitions.map(\.partition).sorted()))
    }

    func listen(_ configuration: inout KafkaConsumer.Configuration) {
        configuration.onAssigned = { self.append("assigned", $0) }
        configuration.onRevoked = { self.append("revoked", $0) }
        configuration.onLost = { self.append("lost", $0) }
    }
}

/// The code of the error that an operation throws; `nil` when it throws none.
func code(_ operation: () async throws -> Void) async -> KafkaError.Code? {
    do {
        try await operation()
        return nil
    } catch {
        return (error as? KafkaError)?.code
    }
}
