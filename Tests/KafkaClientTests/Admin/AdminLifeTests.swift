import EmbeddedKafka
import Testing

@testable import KafkaClient

/// Admin calls that get no answer, and the end of the client.
@Suite(.timeLimit(.minutes(1)))
struct AdminLifeTests {
    private typealias Call = (name: String, isChange: Bool, run: @Sendable (KafkaAdmin, Duration) async throws -> Void)

    /// Every call, with what may be asked of any cluster.
    private static let calls: [Call] = [
        ("create topics", true, { _ = try await $0.createTopics([KafkaNewTopic("new")], timeout: $1) }),
        ("create partitions", true, { try await $0.createPartitions(of: "t", total: 2, timeout: $1) }),
        ("delete topics", true, { _ = try await $0.deleteTopics(["t"], timeout: $1) }),
        ("list topics", false, { _ = try await $0.listTopics(timeout: $1) }),
        ("describe topics", false, { _ = try await $0.describeTopics(["t", "u"], timeout: $1) }),
        ("describe the cluster", false, { _ = try await $0.describeCluster(timeout: $1) }),
        ("describe configs", false, { _ = try await $0.describeConfigs(of: .topic("t"), timeout: $1) }),
        ("list groups", false, { _ = try await $0.listGroups(timeout: $1) }),
        ("delete groups", true, { try await $0.deleteGroup("g", timeout: $1) }),
        ("describe groups", false, { _ = try await $0.describeGroup("g", timeout: $1) }),
        ("list group offsets", false, { _ = try await $0.listGroupOffsets("g", timeout: $1) }),
        ("alter group offsets", true, { _ = try await $0.alterGroupOffsets("g", to: [place("t"): 1], timeout: $1) }),
        ("delete group offsets", true, { _ = try await $0.deleteGroupOffsets("g", of: [place("t")], timeout: $1) }),
        (
            "delete records", true,
            {
                let results = try await $0.deleteRecords(before: [place("t"): .end], timeout: $1)
                _ = try results[place("t")]?.get()
            }
        ),
        ("watermarks", false, { _ = try await $0.watermarks(of: place("t"), timeout: $1) }),
        ("offsets for times", false, { _ = try await $0.offsets(for: [place("t"): .now], timeout: $1) }),
    ]

    /// A cluster that takes connections and answers nothing.
    private func withSilentCluster(_ body: (EmbeddedKafkaCluster) async throws -> Void) async throws {
        try await withCluster { cluster in
            _ = try await cluster.faults.add(.init(nil, .dropRequest, times: nil))
            try await body(cluster)
        }
    }

    @Test func aClosedClientAnswersNothing() async throws {
        try await withTopic { cluster, _ in
            let admin = try KafkaAdmin(
                configuration: .init(bootstrapServers: cluster.bootstrapServers),
                logger: CapturedLog().makeLogger()
            )
            await admin.close()
            await admin.close()
            for call in Self.calls {
                let error = await #expect(throws: KafkaError.self, "\(call.name)") {
                    try await call.run(admin, .seconds(5))
                }
                #expect(error?.code == .closed, "\(call.name)")
                #expect(error?.operation == call.name)
            }
            let error = await #expect(throws: KafkaError.self) {
                try await admin.alterConfigs(of: .topic("t"), ["retention.ms": .set("1")])
            }
            #expect(error?.code == .closed)
        }
    }

    @Test func withoutABrokerTheErrorSaysWhy() async throws {
        try await withKafkaAdmin(
            .init(bootstrapServers: ["127.0.0.1:1"]),
            logger: CapturedLog().makeLogger()
        ) { admin in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for call in Self.calls {
                    group.addTask {
                        let error = await #expect(throws: KafkaError.self, "\(call.name)") {
                            try await call.run(admin, .milliseconds(600))
                        }
                        #expect(error?.code == .brokerUnreachable, "\(call.name): \(String(describing: error))")
                        #expect(error?.operation == call.name)
                        #expect(error?.isRetriable == true)
                        #expect(error?.message.contains("127.0.0.1:1") == true, "\(String(describing: error))")
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func cancellingEndsACallAtOnce() async throws {
        try await self.withSilentCluster { cluster in
            let admin = try KafkaAdmin(
                configuration: .init(bootstrapServers: cluster.bootstrapServers),
                logger: CapturedLog().makeLogger()
            )
            for call in Self.calls {
                let task = try await startBlockingCall { try await call.run(admin, .seconds(100)) }
                task.cancel()
                try await withDeadline(.seconds(20), call.name) {
                    let error = await #expect(throws: (any Error).self, "\(call.name)") { try await task.value }
                    if call.isChange, let error = error as? KafkaError {
                        #expect(error.code == .outcomeUnknown, "\(call.name): \(error)")
                    } else {
                        #expect(error is CancellationError, "\(call.name)")
                    }
                }
            }
            try await withDeadline(.seconds(20), "close") { await admin.close() }
        }
    }

    @Test func aCancelledChangeThatIsOnItsWayIsUnknown() async throws {
        try await withCluster { cluster in
            try await withAdmin(cluster) { admin in
                _ = try await admin.describeCluster()
                let held = try await cluster.holdBackAnswers(of: .createTopics)
                let task = Task { try await admin.createTopic("new", timeout: .seconds(100)) }
                try await held.happened()
                task.cancel()
                try await withDeadline(.seconds(20), "the call") {
                    let error = await #expect(throws: KafkaError.self) { try await task.value }
                    #expect(error?.code == .outcomeUnknown)
                }
                let topics = try await cluster.topics
                #expect(topics == ["new"], "it did take effect")
            }
        }
    }

    @Test func aChangeWithoutAnAnswerInTimeSaysThatItMayHaveTakenEffect() async throws {
        try await withCluster { cluster in
            try await withAdmin(cluster) { admin in
                _ = try await admin.describeCluster()
                _ = try await cluster.holdBackAnswers(of: .createTopics)
                let error = await #expect(throws: KafkaError.self) {
                    try await admin.createTopic("new", timeout: .milliseconds(300))
                }
                #expect(error?.code == .timedOut)
                #expect(error?.message.contains("may have taken effect") == true)
                let topics = try await cluster.topics
                #expect(topics == ["new"])
            }
        }
    }

    @Test func aCancelledTaskAsksNothing() async throws {
        try await withCluster { cluster in
            try await withAdmin(cluster) { admin in
                _ = try await admin.describeCluster()
                let task = Task {
                    await waitForCancellation()
                    try await admin.createTopic("new")
                }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                let topics = try await cluster.topics
                #expect(topics.isEmpty)
            }
        }
    }

    @Test func callsEndWhenTheClientIsClosed() async throws {
        try await self.withSilentCluster { cluster in
            let admin = try KafkaAdmin(
                configuration: .init(bootstrapServers: cluster.bootstrapServers),
                logger: CapturedLog().makeLogger()
            )
            var tasks: [(call: Call, task: Task<Void, any Error>)] = []
            for call in Self.calls {
                tasks.append((call, try await startBlockingCall { try await call.run(admin, .seconds(100)) }))
            }
            try await withDeadline(.seconds(20), "close") { await admin.close() }
            for (call, task) in tasks {
                try await withDeadline(.seconds(20), call.name) {
                    let error = await #expect(throws: KafkaError.self, "\(call.name)") { try await task.value }
                    #expect(
                        error?.code == .closed || call.isChange && error?.code == .outcomeUnknown,
                        "\(call.name): \(String(describing: error))"
                    )
                }
            }
        }
    }

    @Test func aChangeThatIsOnItsWayWhenTheClientIsClosedIsUnknown() async throws {
        try await withCluster { cluster in
            let admin = try KafkaAdmin(
                configuration: .init(bootstrapServers: cluster.bootstrapServers),
                logger: CapturedLog().makeLogger()
            )
            let held = try await cluster.holdBackAnswers(of: .createTopics)
            let task = Task { try await admin.createTopic("new", timeout: .seconds(100)) }
            try await held.happened()
            try await withDeadline(.seconds(20), "close") { await admin.close() }
            try await withDeadline(.seconds(20), "the call") {
                let error = await #expect(throws: KafkaError.self) { try await task.value }
                #expect(error?.code == .outcomeUnknown)
            }
        }
    }

    @Test func aLateAnswerHarmsNobody() async throws {
        try await withCluster { cluster in
            try await withAdmin(cluster) { admin in
                _ = try await admin.describeCluster()
                _ = try await cluster.faults.add(.init(.createTopics, .delay(.milliseconds(200))))
                let task = try await startBlockingCall { try await admin.createTopic("first") }
                task.cancel()
                _ = await task.result
                try await admin.createTopic("second")
                let topics = try await admin.listTopics()
                #expect(topics.map(\.name).contains("second"))
            }
        }
    }

    @Test func aRequestThatTheBrokerRefusesIsRefused() async throws {
        try await withCluster { cluster in
            try await withAdmin(cluster) { admin in
                // 29 TOPIC_AUTHORIZATION_FAILED
                try await cluster.failNext(.createTopics, with: [.topicAuthorizationFailed])
                let error = await #expect(throws: KafkaError.self) { try await admin.createTopic("new") }
                #expect(error?.code == .topicAuthorization)
                #expect(error?.topic == "new")
            }
        }
    }

    @Test func configurationsAreChecked() {
        let nobody = #expect(throws: KafkaError.self) { try KafkaAdmin(configuration: .init(bootstrapServers: [])) }
        #expect(nobody?.code == .configuration)
        #expect(nobody?.operation == "make an admin client")
        var configuration = KafkaAdmin.Configuration(bootstrapServers: ["localhost:1"])
        configuration.additional["no.such.property"] = "1"
        let unknown = #expect(throws: KafkaError.self) { try KafkaAdmin(configuration: configuration) }
        #expect(unknown?.message.contains("no.such.property") == true)
        configuration.additional = ["allow.auto.create.topics": "true"]
        let owned = #expect(throws: KafkaError.self) { try KafkaAdmin(configuration: configuration) }
        #expect(owned?.message.contains("createTopics") == true)
    }

    @Test func droppingTheClientClosesIt() async throws {
        try await withTopic { cluster, _ in
            let log = CapturedLog()
            let destruction = try {
                let admin = try KafkaAdmin(
                    configuration: .init(bootstrapServers: cluster.bootstrapServers),
                    logger: log.makeLogger()
                )
                return try admin.core.client(for: "test").destruction
            }()
            try await withDeadline(.seconds(20), "the end of the client") { await destruction.wait() }
            #expect(log.contains("dropped without being closed"))
        }
    }

    @Test func runClosesWhenItIsCancelled() async throws {
        try await withTopic { cluster, topic in
            let admin = try KafkaAdmin(
                configuration: .init(bootstrapServers: cluster.bootstrapServers),
                logger: CapturedLog().makeLogger()
            )
            let run = Task { await admin.run() }
            _ = try await admin.describeTopic(topic)
            run.cancel()
            try await withDeadline(.seconds(20), "run") { await run.value }
            let error = await #expect(throws: KafkaError.self) { try await admin.describeTopic(topic) }
            #expect(error?.code == .closed)
        }
    }
}
