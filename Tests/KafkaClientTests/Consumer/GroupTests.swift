import KafkaMockCluster
import Testing

@testable import KafkaClient

/// Members that come and go: what is in hand is finished before its partition is given up.
@Suite(.timeLimit(.minutes(2)))
struct GroupTests {
    private func configuration(
        _ cluster: MockCluster,
        group: String,
        assignor: KafkaConsumer.Assignor = .cooperativeSticky
    ) -> KafkaConsumer.Configuration {
        var configuration = KafkaConsumer.Configuration.test(cluster, group: group)
        configuration.assignors = [assignor]
        // The mock gives members that time, less a second, to join again.
        configuration.sessionTimeout = .seconds(6)
        configuration.maxBatchRecords = 20
        return configuration
    }

    /// Nothing comes twice, as long as the commit before a partition moves is taken. Kafka takes it; the mock refuses it
    /// while a member has not synchronised yet: with `.range` always, else now and then.
    @Test(arguments: [KafkaConsumer.Assignor.cooperativeSticky, .range])
    func everyRecordIsReadWhileMembersComeAndGo(assignor: KafkaConsumer.Assignor) async throws {
        try await withCluster { cluster in
            let (topic, group) = (uniqueName("topic"), uniqueName("group"))
            try cluster.createTopic(topic, partitions: 4)
            let seen = Collected<String>()
            let log = CapturedLog()
            let configuration = self.configuration(cluster, group: group, assignor: assignor)
            try await withProducer(.test(cluster)) { producer in
                try await withConsumer(configuration, subscribedTo: [topic], log: log) { first in
                    let firstReads = Task { for try await record in first.records { seen.append(record.text) } }
                    try await eventually(within: .seconds(40), "the first member has all") {
                        first.assignment.count == 4
                    }
                    for partition in 0..<Int32(4) {
                        try await producer.fill(
                            topic,
                            partition: partition,
                            values: (0..<200).map { "a\(partition)-\($0)" }
                        )
                    }
                    try await withConsumer(configuration, subscribedTo: [topic], log: log) { second in
                        let secondReads = Task { for try await record in second.records { seen.append(record.text) } }
                        try await eventually(within: .seconds(30), "both have two partitions") {
                            first.assignment.count == 2 && second.assignment.count == 2
                        }
                        #expect(first.assignment.isDisjoint(with: second.assignment))
                        for partition in 0..<Int32(4) {
                            try await producer.fill(
                                topic,
                                partition: partition,
                                values: (0..<200).map { "b\(partition)-\($0)" }
                            )
                        }
                        try await eventually(within: .seconds(40), "both rounds are read") {
                            Set(seen.elements).count == 1_600
                        }
                        secondReads.cancel()
                        try await secondReads.value
                    }
                    try await eventually(within: .seconds(30), "the first member has all again") {
                        first.assignment.count == 4
                    }
                    try await producer.fill(topic, partition: 3, values: ["last"])
                    try await eventually("the last record is read") { seen.elements.contains("last") }
                    firstReads.cancel()
                    try await firstReads.value
                }
            }
            if !log.contains("automatic commit: ") {
                #expect(seen.count == 1_601, "nothing is read twice")
            }
            #expect(Set(seen.elements).count == 1_601, "nothing is lost")
        }
    }

    /// librdkafka 2.0.2 aborts when a cooperative member is destroyed between joining and its first assignment.
    @Test func closingWhileJoiningDoesNoHarm() async throws {
        try await withCluster { cluster in
            let (topic, group) = (uniqueName("topic"), uniqueName("group"))
            try cluster.createTopic(topic, partitions: 1)
            let configuration = self.configuration(cluster, group: group)
            // The first join of a group takes three seconds, and the leader's answer comes at its end.
            for milliseconds in [0, 2_900, 2_950, 3_000, 3_050] {
                try await withConsumer(configuration, subscribedTo: [topic]) { consumer in
                    try await always(for: .milliseconds(milliseconds), "the consumer is open") { true }
                }
            }
        }
    }

    @Test func aPartitionWaitsForTheRecordInHand() async throws {
        try await withCluster { cluster in
            let (topic, group) = (uniqueName("topic"), uniqueName("group"))
            try cluster.createTopic(topic, partitions: 2)
            let configuration = self.configuration(cluster, group: group)
            try await withProducer(.test(cluster)) { producer in
                for partition in 0..<Int32(2) {
                    try await producer.fill(topic, partition: partition, values: (0..<10).map { "\(partition)-\($0)" })
                }
            }
            try await withConsumer(configuration, subscribedTo: [topic]) { first in
                let seen = Collected<String>()
                let gate = Gate()
                let firstReads = Task {
                    for try await record in first.records {
                        seen.append(record.text)
                        // The first record takes until the gate opens.
                        await gate.wait()
                    }
                }
                try await eventually("a record is in hand") { seen.count == 1 }
                try await withConsumer(configuration, subscribedTo: [topic]) { second in
                    let secondReads = Task { for try await record in second.records { seen.append(record.text) } }
                    try await always(for: .seconds(5), "nothing moves while the record is in hand") {
                        first.assignment.count == 2 && second.assignment.isEmpty
                    }
                    gate.open()
                    try await eventually(within: .seconds(30), "one partition moves") { second.assignment.count == 1 }
                    try await eventually("all is read") { Set(seen.elements).count == 20 }
                    secondReads.cancel()
                    try await secondReads.value
                }
                firstReads.cancel()
                try await firstReads.value
            }
        }
    }

    @Test func aReaderThatHoldsOnLosesThePartitionAtTheDeadline() async throws {
        try await withCluster { cluster in
            let (topic, group) = (uniqueName("topic"), uniqueName("group"))
            try cluster.createTopic(topic, partitions: 1)
            var configuration = self.configuration(cluster, group: group, assignor: .range)
            configuration.revocationTimeout = .milliseconds(300)
            try await withProducer(.test(cluster)) { try await $0.fill(topic, values: ["1", "2", "3"]) }
            let log = CapturedLog()
            try await withConsumer(configuration, subscribedTo: [topic], log: log) { first in
                var iterator = first.records.makeAsyncIterator()
                let inHand = try await iterator.next()
                let held = try #require(inHand)
                try await withConsumer(configuration, subscribedTo: [topic]) { second in
                    try await eventually(within: .seconds(30), "the partition is given up") { first.assignment.isEmpty }
                    let refused = await #expect(throws: KafkaError.self) { try await first.commit(held) }
                    #expect(refused?.code == .groupMembership)
                    #expect(refused?.description.contains("\(topic)[0]") == true)
                    #expect(log.contains("revocationTimeout"))
                    // Eager members meet again; one of them has the partition, and nothing of it was committed.
                    try await eventually(within: .seconds(30), "somebody has it") {
                        first.assignment.count + second.assignment.count == 1
                    }
                    if !second.assignment.isEmpty {
                        #expect(try await second.read(1).map(\.valueString) == ["1"])
                    }
                }
            }
        }
    }

    @Test func aLostCoordinatorIsFoundAgain() async throws {
        try await withCluster(brokers: 3) { cluster in
            let (topic, group) = (uniqueName("topic"), uniqueName("group"))
            try cluster.createTopic(topic, partitions: 1, replicationFactor: 3)
            try cluster.setCoordinator(ofGroup: group, broker: 1)
            try await withProducer(.test(cluster)) { try await $0.fill(topic, values: ["1", "2", "3"]) }
            try await withConsumer(self.configuration(cluster, group: group), subscribedTo: [topic]) { consumer in
                var iterator = consumer.records.makeAsyncIterator()
                let first = try await iterator.next()
                try await consumer.commit(try #require(first))
                try cluster.setCoordinator(ofGroup: group, broker: 2)
                let next = try await iterator.next()
                let second = try #require(next)
                try await eventually(within: .seconds(30), "a commit reaches the new coordinator") {
                    do throws(KafkaError) {
                        try await consumer.commit(second)
                        return true
                    } catch {
                        // Until the client has noticed, the old coordinator refuses.
                        #expect(error.isRetriable || error.code == .groupMembership, "\(error)")
                        return false
                    }
                }
                #expect(consumer.acknowledgedCommits.values.max() == second.offset + 1)
            }
        }
    }

    @Test func automaticCommitsComeInTheMiddleOfABatch() async throws {
        try await withTopic { cluster, topic in
            try await withProducer(.test(cluster)) { try await $0.fill(topic, values: (0..<100).map { "\($0)" }) }
            var configuration = self.configuration(cluster, group: uniqueName("group"))
            configuration.maxBatchRecords = 100
            configuration.commitPolicy = .afterProcessing(interval: .milliseconds(100))
            try await withConsumer(configuration, subscribedTo: [topic]) { consumer in
                var iterator = consumer.records.makeAsyncIterator()
                for _ in 0..<11 { _ = try await iterator.next() }
                try await eventually("ten processed records are committed") {
                    consumer.acknowledgedCommits.values.max() == 10
                }
            }
        }
    }
}

extension KafkaConsumerRecord {
    fileprivate var text: String { self.valueString ?? "" }
}
