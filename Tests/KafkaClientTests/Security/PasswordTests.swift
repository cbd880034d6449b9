import EmbeddedKafka
import Testing

@testable import KafkaClient

/// PLAIN and SCRAM.
@Suite(.timeLimit(.minutes(1)))
struct PasswordTests {
    private func withUsers(_ body: (EmbeddedKafkaCluster) async throws -> Void) async throws {
        try await withCluster {
            $0.security.users = ["alice": "hunter2"]
        } _: {
            try await body($0)
        }
    }

    private static func sasl(_ mechanism: String, password: String) -> KafkaSecurity.SASL {
        switch mechanism {
        case "PLAIN": .plain(username: "alice", password: password)
        case "SCRAM-SHA-256": .scramSHA256(username: "alice", password: password)
        default: .scramSHA512(username: "alice", password: password)
        }
    }

    @Test(arguments: ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
    func aGoodPassword(mechanism: String) async throws {
        let log = CapturedLog()
        try await self.withUsers { cluster in
            try await expectRoundTrip(cluster, .init(sasl: Self.sasl(mechanism, password: "hunter2")), log: log)
        }
        #expect(log.lines.contains { $0.message.contains(mechanism) })
        expectHidden("hunter2", log)
    }

    @Test(arguments: ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
    func aWrongPassword(mechanism: String) async throws {
        let log = CapturedLog()
        try await self.withUsers { cluster in
            let security = KafkaSecurity(sasl: Self.sasl(mechanism, password: "wrong-hunter3"))
            let errors = try await refusals(cluster, security, log: log)
            #expect(errors.count == 7)
            for error in errors {
                #expect(error.code == .authentication, "\(error)")
                #expect(!error.isRetriable)
            }
            for error in errors.dropLast() {
                #expect(error.message.contains("check the user, the password"), "\(error)")
            }
            expectHidden("hunter3", in: errors, log)
        }
    }

    @Test func aMechanismThatTheBrokerDoesNotHave() async throws {
        try await self.withUsers { cluster in
            let security = KafkaSecurity(
                sasl: .oauthBearer { KafkaOAuthToken(value: "x", lifetime: .seconds(600)) }
            )
            for error in try await refusals(cluster, security) {
                #expect(error.code == .authentication, "\(error)")
            }
        }
    }

    @Test func aPasswordWhereNoneIsAskedFor() async throws {
        try await withCluster { cluster in
            let security = KafkaSecurity(sasl: .plain(username: "alice", password: "hunter2"))
            for error in try await refusals(cluster, security) {
                #expect(error.code == .authentication, "\(error)")
            }
        }
    }

    /// One broker of the list that does not let the client in harms nobody while others do.
    @Test func oneBrokerOfSeveralRefuses() async throws {
        try await self.withUsers { good in
            try await withCluster {
                $0.security.users = ["alice": "another"]
            } _: { bad in
                var configuration = KafkaProducer.Configuration.secure(
                    good,
                    .init(sasl: .plain(username: "alice", password: "hunter2"))
                )
                configuration.bootstrapServers = bad.bootstrapServers + good.bootstrapServers
                try await withProducer(configuration) { producer in
                    try await withDeadline(.seconds(30), "the acknowledgement") {
                        _ = try await producer.send(KafkaProducerRecord(topic: "t", value: "1"))
                    }
                }
            }
        }
    }
}
