import EmbeddedKafka
import TestSupport
import Testing

@testable import KafkaClient

/// Members that come and go: what is in hand is finished before its partition is given up.
@Suite(.timeLimit(.minutes(1)))
struct GroupTests {
    private func configuration(
        _ cluster: EmbeddedKafkaCluster,
        group: String,
        assignor: KafkaConsumer.Assignor = .cooperativeSticky
    ) -> KafkaConsumer.Configuration {
        var configuration = KafkaConsumer.Configuration.test(cluster, group: group)
        configuration.assignors = [assignor]
        configuration.maxBatchRecords = 20
        return configuration
    }

    @Test(arguments: [KafkaConsumer.Assignor.cooperativeSticky, .range])
    func everyRecordIsReadWhileMembersComeAndGo(assignor: KafkaConsumer.Assignor) async throws {
        try await withTopic(partitions: 4) { cluster, topic in
            let seen = Collected<String>()
            let log = CapturedLog()
            let configuration = self.configuration(cluster, group: uniqueName("group"), assignor: assignor)
            try await withProducer(.test(cluster)) { producer in
                try await withConsumer(configuration, subscribedTo: [topic], log: log) { first in
                    let firstReads = Task { for try await record in first.records { seen.append(record.text) } }
                    try await eventually("the first member has all") { first.assignment.count == 4 }
                    for partition in 0..<Int32(4) {
                        try await producer.fill(
                            topic,
                            partition: partition,
                            values: (0..<200).map { "a\(partition)-\($0)" }
                        )
                    }
                    try await withConsumer(configuration, subscribedTo: [topic], log: log) { second in
                        let secondReads = Task { for try await record in second.records { seen.append(record.text) } }
                        try await eventually("both have two partitions") {
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
                        try await eventually("both rounds are read") { Set(seen.elements).count == 1_600 }
                        secondReads.cancel()
                        try await secondReads.value
                    }
                    try await eventually("the first member has all again") { first.assignment.count == 4 }
                    try await producer.fill(topic, partition: 3, values: ["last"])
                    try await eventually("the last record is read") { seen.elements.contains("last") }
                    firstReads.cancel()
                    try await firstReads.value
                }
            }
            #expect(Set(seen.elements).count == 1_601, "nothing is lost")
            #expect(seen.count == 1_601, "nothing is read twice")
            #expect(!log.contains("automatic commit: "), "every commit was taken")
        }
    }

    /// librdkafka 2.0.2 aborts when a cooperative member is destroyed between joining and its first assignment.
    @Test(arguments: [EmbeddedKafkaFault.API.findCoordinator, .joinGroup, .syncGroup])
    func closingWhileJoiningDoesNoHarm(api: EmbeddedKafkaFault.API) async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            // Closed while the answer is on its way, and about when it comes. A first join only brings the member's id.
            for milliseconds in [0, 90, 95, 100, 105, 110] {
                let fault = try await cluster.faults.add(.init(api, .delay(.milliseconds(100)), times: nil))
                // A group of its own: who leaves before it knows its id stays a member until its session ends.
                let configuration = self.configuration(cluster, group: "g\(milliseconds)")
                try await withDeadline(.seconds(30), "a member that leaves after \(milliseconds) ms") {
                    try await withConsumer(configuration, subscribedTo: ["t"]) { _ in
                        try await fault.happened(times: api == .joinGroup ? 2 : 1)
                        try await always(for: .milliseconds(milliseconds), "the consumer is open") { true }
                    }
                }
                try await fault.remove()
            }
        }
    }

    @Test func aPartitionWaitsForTheRecordInHand() async throws {
        try await withCluster(topics: ["t": 2]) { cluster in
            let topic = "t"
            // An eager group takes all partitions, so also the one that is in hand.
            let configuration = self.configuration(cluster, group: "g", assignor: .range)
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
                let joins = try await cluster.observe(.joinGroup)
                try await withConsumer(configuration, subscribedTo: [topic]) { second in
                    let secondReads = Task { for try await record in second.records { seen.append(record.text) } }
                    // The first join only brings the member's id.
                    try await joins.happened(times: 2)
                    try await always(for: .seconds(1), "nothing moves while the record is in hand") {
                        first.assignment.count == 2 && second.assignment.isEmpty
                    }
                    gate.open()
                    try await eventually("one partition moves") { second.assignment.count == 1 }
                    try await eventually("all is read") { Set(seen.elements).count == 20 }
                    secondReads.cancel()
                    try await secondReads.value
                }
                firstReads.cancel()
                try await firstReads.value
                #expect(seen.count == 20, "nothing is read twice")
            }
        }
    }

    @Test func aReaderThatHoldsOnLosesThePartitionAtTheDeadline() async throws {
        try await withTopic { cluster, topic in
            var configuration = self.configuration(cluster, group: uniqueName("group"), assignor: .range)
            configuration.revocationTimeout = .milliseconds(300)
            try await withProducer(.test(cluster)) { try await $0.fill(topic, values: ["1", "2", "3"]) }
            let log = CapturedLog()
            try await withConsumer(configuration, subscribedTo: [topic], log: log) { first in
                var iterator = first.records.makeAsyncIterator()
                let inHand = try await iterator.next()
                let held = try #require(inHand)
                try await withConsumer(configuration, subscribedTo: [topic]) { second in
                    try await eventually("the partition is given up") { log.contains("revocationTimeout") }
                    let refused = await #expect(throws: KafkaError.self) { try await first.commit(held) }
                    #expect(refused?.code == .groupMembership)
                    #expect(refused?.description.contains("\(topic)[0]") == true)
                    // Eager members meet again; one of them has the partition, and nothing of it was committed.
                    try await eventually("somebody has it") {
                        first.assignment.count + second.assignment.count == 1
                    }
                    if !second.assignment.isEmpty {
                        #expect(try await second.read(1).map(\.valueString) == ["1"])
                    }
                }
                // Who holds a record when it leaves has not processed it.
                let again = try await iterator.next()
                #expect(again?.valueString == "1")
            }
        }
    }

    @Test func aLostCoordinatorIsFoundAgain() async throws {
        try await withCluster(nodes: 3, topics: ["t": 1]) { cluster in
            try await cluster.moveCoordinator(ofGroup: "g", to: 1)
            try await withProducer(.test(cluster)) { try await $0.fill("t", values: ["1", "2", "3"]) }
            var configuration = self.configuration(cluster, group: "g")
            // librdkafka asks for the coordinator on a connection where a fetch may wait, and fails the commits that come
            // before the answer, each of which makes it ask again: who commits without a pause waits less than it retries.
            configuration.fetchMaxWait = .milliseconds(10)
            try await withConsumer(configuration, subscribedTo: ["t"]) { consumer in
                var iterator = consumer.records.makeAsyncIterator()
                let first = try await iterator.next()
                try await consumer.commit(try #require(first))
                try await cluster.moveCoordinator(ofGroup: "g", to: 2)
                let next = try await iterator.next()
                let second = try #require(next)
                try await eventually("a commit reaches the new coordinator") {
                    do throws(KafkaError) {
                        try await consumer.commit(second)
                        return true
                    } catch {
                        // Until the client has noticed, the old coordinator refuses.
                        #expect(error.isRetriable, "\(error)")
                        return false
                    }
                }
                #expect(consumer.acknowledgedCommits == [second.topicPartition: second.offset + 1])
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
