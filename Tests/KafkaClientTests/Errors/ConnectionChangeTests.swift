import EmbeddedKafka
import TestSupport
import Testing

@testable import KafkaClient

/// Who wants to know is told when all brokers are gone, and when one is back.
@Suite(.timeLimit(.minutes(2)))
struct ConnectionChangeTests {
    /// Time-outs by which a client soon notices a broker that does not answer.
    private let shortTimeouts = [
        "socket.timeout.ms": "1500", "api.version.request.timeout.ms": "500", "reconnect.backoff.max.ms": "100",
        "topic.metadata.refresh.interval.ms": "300",
    ]

    /// How the only broker goes away.
    enum Loss: CaseIterable {
        /// It takes connections and requests, and answers nothing.
        case silence
        /// It ends its connections and takes no more.
        case stop
    }

    /// Takes the broker away until that is told, brings it back until that is told, and does so twice.
    private func expectChanges(
        _ changes: Collected<KafkaConnectionChange>,
        by loss: Loss,
        of cluster: EmbeddedKafkaCluster
    ) async throws {
        for round in 0..<2 {
            switch loss {
            case .silence: _ = try await cluster.faults.add(.init(nil, .dropRequest, times: nil))
            case .stop: try await cluster.stopNode(1)
            }
            try await eventually("the loss is told") { changes.count == 2 * round + 1 }
            try await always(for: .seconds(1), "it is told once") { changes.count == 2 * round + 1 }
            switch loss {
            case .silence: try await cluster.faults.removeAll()
            case .stop: try await cluster.startNode(1)
            }
            try await eventually("the end of it is told") { changes.count == 2 * round + 2 }
        }
        for (index, change) in changes.elements.enumerated() {
            switch change {
            case .lost(let reason):
                #expect(index % 2 == 0)
                #expect(reason.contains("127.0.0.1:"), "\(reason)")
            case .restored:
                #expect(index % 2 == 1)
            }
        }
    }

    @Test(arguments: Loss.allCases)
    func ofAConsumer(loss: Loss) async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            let changes = Collected<KafkaConnectionChange>()
            var configuration = KafkaConsumer.Configuration.test(cluster)
            configuration.additional = self.shortTimeouts
            configuration.onConnectionChange = { changes.append($0) }
            let place = KafkaTopicPartition(topic: "t", partition: 0)
            try await withConsumer(configuration, assigned: [place: .beginning]) { consumer in
                _ = try await consumer.watermarks(of: place)
                try await self.expectChanges(changes, by: loss, of: cluster)
            }
        }
    }

    /// librdkafka 2.0.2 counts a coordinator that it has lost among those that are down and not among those that are there:
    /// then it never says that all are down.
    @Test func ofAMemberThatLookedForItsCoordinator() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            let changes = Collected<KafkaConnectionChange>()
            var configuration = KafkaConsumer.Configuration.test(cluster, group: "g")
            configuration.additional = self.shortTimeouts
            configuration.heartbeatInterval = .milliseconds(200)
            configuration.onConnectionChange = { changes.append($0) }
            try await withConsumer(configuration, subscribedTo: ["t"]) { consumer in
                try await eventually("it is a member") { consumer.assignment.count == 1 }
                _ = try await consumer.watermarks(of: KafkaTopicPartition(topic: "t", partition: 0))
                let search = try await cluster.faults.add(.init(.findCoordinator, .error(15), times: nil))
                _ = try await cluster.faults.add(.init(.heartbeat, .disconnectBefore))
                try await search.happened(times: 2)
                try await cluster.stopNode(1)
                try await eventually("the loss is told") { changes.count == 1 }
                try await cluster.startNode(1)
                try await eventually("the end of it is told") { changes.count == 2 }
            }
        }
    }

    /// What is heard while a broker is being asked may be newer than its answer: it is asked once more.
    @Test func aLossWhileABrokerIsAskedIsNotMissed() {
        var state = ConnectionWatch.State()
        let first = (begins: state.wentDown(), looks: state.willLook())
        #expect(first.begins && first.looks)
        let isSecondLook = state.wentDown()
        #expect(!isSecondLook, "one look is under way")
        let change = (state.looked(isReached: true), state.isLooking)
        #expect(change == (nil, true))
        let again = (state.willLook(), state.looked(isReached: true), state.isLooking)
        #expect(again == (true, nil, false))
    }

    @Test func aBrokerThatIsSlowToAnswerIsNotLost() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            let changes = Collected<KafkaConnectionChange>()
            var configuration = KafkaConsumer.Configuration.test(cluster, group: "g")
            configuration.heartbeatInterval = .milliseconds(200)
            configuration.onConnectionChange = { changes.append($0) }
            try await withConsumer(configuration, subscribedTo: ["t"]) { consumer in
                try await eventually("it is a member") { consumer.assignment.count == 1 }
                _ = try await consumer.watermarks(of: KafkaTopicPartition(topic: "t", partition: 0))
                let slowness = try await cluster.faults.add(.init(.metadata, .delay(.milliseconds(700))))
                _ = try await cluster.faults.add(.init(.heartbeat, .disconnectBefore))
                try await slowness.happened()
                try await always(for: .seconds(2), "nothing is told") { changes.count == 0 }
            }
        }
    }

    @Test(arguments: Loss.allCases)
    func ofAProducer(loss: Loss) async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            let changes = Collected<KafkaConnectionChange>()
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.additional = self.shortTimeouts
            configuration.onConnectionChange = { changes.append($0) }
            try await withProducer(configuration) { producer in
                try await producer.fill("t", values: ["1"])
                try await self.expectChanges(changes, by: loss, of: cluster)
                try await producer.fill("t", values: ["2"])
            }
        }
    }

    @Test func aFirstContactThatFailsIsNotALoss() async throws {
        let changes = Collected<KafkaConnectionChange>()
        let log = CapturedLog()
        var configuration = KafkaProducer.Configuration(bootstrapServers: ["127.0.0.1:1"])
        configuration.onConnectionChange = { changes.append($0) }
        try await withProducer(configuration, log: log) { _ in
            try await eventually("all brokers are down") { log.contains("brokers are down") }
            try await always(for: .seconds(1), "nothing is told") { changes.count == 0 }
        }
    }

    /// Closing ends the look for a broker, and what it tells.
    @Test func nothingIsToldAfterTheEnd() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            let changes = Collected<KafkaConnectionChange>()
            var configuration = KafkaConsumer.Configuration.test(cluster)
            configuration.onConnectionChange = { changes.append($0) }
            let place = KafkaTopicPartition(topic: "t", partition: 0)
            let consumer = try KafkaConsumer(configuration: configuration, logger: CapturedLog().makeLogger())
            try await consumer.assign([place: .beginning])
            _ = try await consumer.watermarks(of: place)
            try await cluster.stopNode(1)
            try await eventually("the loss is told") { changes.count == 1 }
            try await withDeadline(.seconds(20), "close") { await consumer.close() }
            try await always(for: .seconds(1), "nothing more is told") { changes.count == 1 }
        }
    }
}
