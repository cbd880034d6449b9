import EmbeddedKafka
import Logging
import Synchronization
import TestSupport
import Testing

@testable import KafkaClient

/// OAUTHBEARER: tokens come from a provider, in the background.
@Suite(.timeLimit(.minutes(1)))
struct TokenTests {
    private static let check = EmbeddedKafkaSecurity.TokenCheck.custom { token, extensions in
        let parts = token.split(separator: ":")
        guard parts.count == 2, parts[0] == "hunter2", let expiration = Int64(parts[1]) else {
            return .refused(status: "invalid_token")
        }
        return .accepted(principal: extensions["tenant"] ?? "nobody", expiration: expiration)
    }

    private static func token(lifetime: Duration = .seconds(600), secret: String = "hunter2") -> KafkaOAuthToken {
        var token = KafkaOAuthToken(value: "", lifetime: lifetime, principal: "alice", extensions: ["tenant": "blue"])
        token.value = "\(secret):\(token.expiration.millisecondsSince1970)"
        return token
    }

    private func withTokens(_ body: (EmbeddedKafkaCluster) async throws -> Void) async throws {
        try await withCluster {
            $0.security.tokens = Self.check
        } _: {
            try await body($0)
        }
    }

    @Test func aGoodToken() async throws {
        let log = CapturedLog()
        try await self.withTokens { cluster in
            try await expectRoundTrip(cluster, .init(sasl: .oauthBearer { Self.token() }), log: log)
        }
        #expect(log.contains("got a token of alice with tenant"))
        expectHidden("hunter2", log)
    }

    @Test func unsecuredTokensOfLibrdkafka() async throws {
        try await withCluster {
            $0.security.tokens = .unsecured
        } _: { cluster in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.additional["security.protocol"] = "sasl_plaintext"
            configuration.additional["sasl.mechanisms"] = "OAUTHBEARER"
            configuration.additional["enable.sasl.oauthbearer.unsecure.jwt"] = "true"
            configuration.additional["sasl.oauthbearer.config"] = "principal=alice"
            try await withProducer(configuration) { try await $0.fill("t", values: ["1"]) }
        }
    }

    @Test func aTokenThatTheBrokerRefuses() async throws {
        let log = CapturedLog()
        try await self.withTokens { cluster in
            let security = KafkaSecurity(sasl: .oauthBearer { Self.token(secret: "hunter3") })
            let errors = try await refusals(cluster, security, log: log)
            for error in errors {
                #expect(error.code == .authentication, "\(error)")
                #expect(error.message.contains("invalid_token"), "\(error)")
            }
            expectHidden("hunter3", in: errors, log)
        }
    }

    @Test(arguments: ["", "hünter3", "hunter3\u{0}"])
    func aTokenThatIsNone(value: String) async throws {
        let log = CapturedLog()
        try await self.withTokens { cluster in
            let security = KafkaSecurity(
                sasl: .oauthBearer { KafkaOAuthToken(value: value, lifetime: .seconds(60)) }
            )
            let errors = try await refusals(cluster, security, log: log)
            for error in errors {
                #expect(error.code == .authentication, "\(error)")
                #expect(error.message.contains("the token "), "\(error)")
            }
            if !value.isEmpty { expectHidden(value, in: errors, log) }
            expectHidden("nter3", in: errors, log)
        }
    }

    /// The provider's errors are reported, and it is asked again.
    @Test func aProviderThatFailsAtFirst() async throws {
        struct NoAnswer: Error {}
        let log = CapturedLog()
        let isUp = Atomic<Bool>(false)
        try await self.withTokens { cluster in
            let security = KafkaSecurity(
                sasl: .oauthBearer {
                    guard isUp.load(ordering: .relaxed) else { throw NoAnswer() }
                    return Self.token()
                }
            )
            try await withProducer(.secure(cluster, security), log: log) { producer in
                let record = KafkaProducerRecord(topic: "t", value: "1")
                let error = try await withDeadline(.seconds(30), "the error") {
                    try await #require(throws: KafkaError.self) { try await producer.send(record) }
                }
                #expect(error.code == .authentication)
                #expect(error.message.contains("NoAnswer"), "\(error)")
                #expect(error.message.contains("token provider"), "\(error)")
                #expect(log.lines.contains { $0.level == .warning && $0.message == "no OAUTHBEARER token: NoAnswer()" })
                isUp.store(true, ordering: .relaxed)
                try await eventually("a send goes through") {
                    do {
                        _ = try await producer.send(record)
                        return true
                    } catch let error as KafkaError where error.code == .authentication || error.code == .notSent {
                        // Not sent: what waited was given up just before the client was let in.
                        return false
                    }
                }
            }
        }
    }

    @Test func aProviderThatDoesNotAnswer() async throws {
        let log = CapturedLog()
        let cancelled = Gate()
        try await self.withTokens { cluster in
            let security = KafkaSecurity(
                sasl: .oauthBearer(timeout: .milliseconds(200)) {
                    await waitForCancellation()
                    cancelled.open()
                    throw CancellationError()
                }
            )
            for error in try await refusals(cluster, security, log: log) {
                #expect(error.code == .authentication)
                #expect(error.message.contains("longer than 0.2 seconds"), "\(error)")
            }
            try await withDeadline(.seconds(20), "the end of the provider's task") { await cancelled.wait() }
        }
        #expect(log.contains("longer than 0.2 seconds"))
    }

    /// A client that does nothing gets new tokens in time, with which it is let in when the old ones have ended.
    @Test(arguments: [false, true])
    func anIdleClient(consumes: Bool) async throws {
        // librdkafka looks once a second whether four fifths are over.
        let lifetime = Duration.seconds(20)
        let tokens = Collected<KafkaOAuthToken>()
        try await self.withTokens { cluster in
            try await cluster.createTopic("t", partitions: 1)
            let security = KafkaSecurity(
                sasl: .oauthBearer {
                    let token = Self.token(lifetime: lifetime)
                    tokens.append(token)
                    return token
                }
            )
            func waitForTheSecond() async throws {
                try await eventually(within: .seconds(40), "a second token") { tokens.count >= 2 }
                let expirations = tokens.elements.map(\.expiration.millisecondsSince1970)
                let first = expirations[0]
                // It came before the first one had ended.
                #expect(expirations[1] - Int64(lifetime.milliseconds) < first)
                try await eventually("the end of the first token") { WallClock.now > first }
            }
            if consumes {
                try await withConsumer(.secure(cluster, security)) { consumer in
                    try await waitForTheSecond()
                    _ = try await consumer.partitions(of: "t", timeout: .seconds(20))
                }
            } else {
                try await withProducer(.secure(cluster, security)) { producer in
                    try await waitForTheSecond()
                    try await producer.fill("t", values: ["1"])
                }
            }
        }
    }

    /// While an old token is still good, nobody but the log learns that there is no new one.
    @Test func aProviderThatFailsLater() async throws {
        struct NoAnswer: Error {}
        let log = CapturedLog()
        let calls = Atomic<Int>(0)
        try await self.withTokens { cluster in
            try await cluster.createTopic("t", partitions: 1)
            let security = KafkaSecurity(
                sasl: .oauthBearer {
                    let number = calls.add(1, ordering: .relaxed).newValue
                    if number == 2 { throw NoAnswer() }
                    return Self.token(lifetime: number == 1 ? .seconds(20) : .seconds(600))
                }
            )
            let place = KafkaTopicPartition(topic: "t", partition: 0)
            try await withConsumer(.secure(cluster, security), assigned: [place: .beginning], log: log) { consumer in
                let reader = Task { try await consumer.read(1) }
                try await eventually("the third call") { calls.load(ordering: .relaxed) >= 3 }
                #expect(log.lines.contains { $0.metadata["token"] == "still good" })
                try await withProducer(.secure(cluster, security)) { try await $0.fill("t", values: ["1"]) }
                #expect(try await reader.value.count == 1)
            }
        }
    }

    /// Closing waits for no provider, and cancels its task.
    @Test(arguments: [false, true])
    func closing(consumes: Bool) async throws {
        let begun = Gate()
        let cancelled = Gate()
        let security = KafkaSecurity(
            sasl: .oauthBearer {
                begun.open()
                await waitForCancellation()
                cancelled.open()
                throw CancellationError()
            }
        )
        try await withDeadline(.seconds(20), "the end") {
            if consumes {
                var configuration = KafkaConsumer.Configuration(bootstrapServers: ["127.0.0.1:1"])
                configuration.security = security
                try await withConsumer(configuration) { _ in await begun.wait() }
            } else {
                var configuration = KafkaProducer.Configuration(bootstrapServers: ["127.0.0.1:1"])
                configuration.security = security
                try await withProducer(configuration) { _ in await begun.wait() }
            }
            await cancelled.wait()
        }
    }
}
