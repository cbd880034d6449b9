import Foundation
import NIOCore
import Testing

@testable import EmbeddedKafka

/// OAUTHBEARER (RFC 7628, KIP-255), with tokens that anybody can make.
@Suite("Bearer tokens over a socket", .timeLimit(.minutes(1)))
struct BearerTests {
    static let start: Int64 = 1_700_000_000_000

    /// A cluster whose time stands still at ``start``.
    private func withTokens(
        _ check: EmbeddedKafkaSecurity.TokenCheck = .unsecured,
        users: [String: String] = [:],
        _ body: (EmbeddedKafkaClock.Manual, TestClient) async throws -> Void
    ) async throws {
        let clock = EmbeddedKafkaClock.Manual(now: Self.start)
        var configuration = EmbeddedKafkaCluster.Configuration(clock: .manual(clock))
        configuration.security = EmbeddedKafkaSecurity(users: users, tokens: check)
        try await withClient(configuration) { cluster, client in
            try await body(clock, client)
        }
    }

    /// An unsecured JSON Web Token.
    static func token(
        subject: String = "\"alice\"",
        expiration: String = "\(Self.start / 1000 + 60)",
        header: String = "{\"alg\":\"none\"}"
    ) -> String {
        func encoded(_ text: String) -> String {
            Data(text.utf8).base64EncodedString().replacingOccurrences(of: "+", with: "-")
                .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
        }
        return "\(encoded(header)).\(encoded("{\"sub\":\(subject),\"exp\":\(expiration)}"))."
    }

    private static func message(_ token: String, header: String = "n,,", extensions: String = "") -> String {
        "\(header)\u{1}auth=Bearer \(token)\u{1}\(extensions)\u{1}"
    }

    /// A refusal has two steps: the reason as JSON, and the end after the client's answer.
    private func expectRefusal(of message: String, client: TestClient) async throws {
        let first = try await client.authenticate(message)
        #expect(first.error == 0)
        #expect(first.text == "{\"status\":\"invalid_token\"}")
        let second = try await client.authenticate("\u{1}")
        #expect(second.error == ErrorCode.saslAuthenticationFailed.rawValue)
        #expect(second.message == first.text)
        try await client.waitForClose()
    }

    @Test("A good token opens the broker", arguments: ["n,,", "n,a=alice,", "y,,"])
    func good(header: String) async throws {
        try await self.withTokens { _, client async throws in
            #expect(try await client.handshake("OAUTHBEARER").error == 0)
            let answer = try await client.authenticate(Self.message(Self.token(subject: "\"alice\""), header: header))
            #expect(answer.error == 0)
            #expect(answer.text.isEmpty)
            #expect(answer.lifetime == 60_000)
            #expect(try await client.metadata(["t"]).topics[0].error == 0)
        }
    }

    @Test(
        "A token that is none, or has ended, is refused with the reason as JSON",
        arguments: [
            "x", ".", "..", "a.b.", "e30.e30.",
            BearerTests.token() + "c2lnbmVk",
            BearerTests.token(header: "{\"alg\":\"HS256\"}"), BearerTests.token(header: "{}"),
            BearerTests.token(header: "[]"), BearerTests.token(subject: "\"\""), BearerTests.token(subject: "7"),
            BearerTests.token(expiration: "\(BearerTests.start / 1000)"), BearerTests.token(expiration: "1e300"),
            BearerTests.token(expiration: "\"never\""), BearerTests.token(expiration: "-1"),
        ]
    )
    func refused(token: String) async throws {
        try await self.withTokens { _, client async throws in
            #expect(try await client.handshake("OAUTHBEARER").error == 0)
            try await self.expectRefusal(of: Self.message(token), client: client)
        }
    }

    @Test(
        "What is no message of it is refused at once",
        arguments: [
            "", "\u{1}", "n,,", "n,,\u{1}\u{1}", "n,,\u{1}auth=Bearer \u{1}\u{1}", "n,,\u{1}auth=Basic x\u{1}\u{1}",
            "n,,\u{1}auth=Bearer x\u{1}", "n,,\u{1}auth=Bearer x\u{1}auth=Bearer x\u{1}\u{1}",
            "n,,\u{1}auth=Bearer x\u{1}=y\u{1}\u{1}", "p=tls,,\u{1}auth=Bearer x\u{1}\u{1}",
            "n,b=x,\u{1}auth=Bearer x\u{1}\u{1}", "n,a=bob,\u{1}auth=Bearer \(BearerTests.token())\u{1}\u{1}",
        ]
    )
    func malformed(message: String) async throws {
        try await self.withTokens { _, client async throws in
            #expect(try await client.handshake("OAUTHBEARER").error == 0)
            let answer = try await client.authenticate(message)
            #expect(answer.error == ErrorCode.saslAuthenticationFailed.rawValue)
            try await client.waitForClose()
        }
    }

    @Test("A check of one's own gets token and extensions, and says what the client is told")
    func customCheck() async throws {
        let check = EmbeddedKafkaSecurity.TokenCheck.custom { token, extensions in
            token == "secret" && extensions == ["tenant": "blue", "logicalCluster": "a=b"]
                ? .accepted(principal: "alice", expiration: nil) : .refused(status: "no \"way\"\n")
        }
        let extensions = "tenant=blue\u{1}logicalCluster=a=b\u{1}"
        try await self.withTokens(check) { _, client async throws in
            #expect(try await client.handshake("OAUTHBEARER").error == 0)
            let answer = try await client.authenticate(Self.message("secret", extensions: extensions))
            #expect(answer.error == 0)
            #expect(answer.lifetime == 0)
            #expect(try await client.metadata(["t"]).topics[0].error == 0)
        }
        try await self.withTokens(check) { _, client async throws in
            #expect(try await client.handshake("OAUTHBEARER").error == 0)
            #expect(
                try await client.authenticate(Self.message("other", extensions: extensions)).text
                    == "{\"status\":\"no way\"}"
            )
        }
    }

    @Test("After the token's end nothing is answered, unless a new one came")
    func expiry() async throws {
        try await self.withTokens { clock, client async throws in
            _ = try await client.handshake("OAUTHBEARER")
            #expect(try await client.authenticate(Self.message(Self.token())).error == 0)
            await clock.advance(by: .milliseconds(59_999))
            #expect(try await client.metadata(["t"]).topics[0].error == 0)
            // A new one, on the same connection.
            #expect(try await client.handshake("OAUTHBEARER").error == 0)
            let next = Self.token(expiration: "\(Self.start / 1000 + 120)")
            #expect(try await client.authenticate(Self.message(next)).lifetime == 60_001)
            await clock.advance(by: .milliseconds(60_000))
            #expect(try await client.metadata(["t"]).topics[0].error == 0)
            await clock.advance(by: .milliseconds(1))
            try await client.send(.metadata, 0) { $0.strings([]) }
            try await client.waitForClose()
        }
    }

    @Test("Each mechanism is offered where there is something to hold it against")
    func mechanisms() async throws {
        try await self.withTokens { _, client async throws in
            let answer = try await client.handshake("PLAIN")
            #expect(answer.error == ErrorCode.unsupportedSASLMechanism.rawValue)
            #expect(answer.mechanisms == ["OAUTHBEARER"])
        }
        try await self.withTokens(users: ["alice": "x"]) { _, client async throws in
            let answer = try await client.handshake("GSSAPI")
            #expect(answer.mechanisms.sorted() == ["OAUTHBEARER", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
            #expect(try await client.handshake("PLAIN").error == 0)
            #expect(try await client.authenticate("\0alice\0x").error == 0)
            // A password does not end, so there is nothing to do anew.
            #expect(try await client.handshake("PLAIN").error == ErrorCode.illegalSASLState.rawValue)
        }
        // Who has tokens switched off is told so.
        var configuration = EmbeddedKafkaCluster.Configuration()
        configuration.security.users = ["alice": "x"]
        try await withClient(configuration) { _, client async throws in
            #expect(try await client.handshake("OAUTHBEARER").error == ErrorCode.unsupportedSASLMechanism.rawValue)
        }
    }
}
