import Crypto
import Foundation
import NIOCore
import NIOSSL
import Testing

@testable import EmbeddedKafka

@Suite("Security over a socket", .timeLimit(.minutes(1)))
struct SecurityTests {
    private func withUsers(
        _ body: (EmbeddedKafkaCluster, TestClient) async throws -> Void
    ) async throws {
        var configuration = EmbeddedKafkaCluster.Configuration()
        configuration.security.users = ["alice": "open sesame", "größe,=x": "pass=,wörd"]
        try await withClient(configuration, body)
    }

    @Test("Plain: the right password opens the broker")
    func plain() async throws {
        try await self.withUsers { _, client async throws in
            #expect(try await client.handshake("PLAIN").error == 0)
            #expect(try await client.authenticate("\0alice\0open sesame").error == 0)
            #expect(try await client.metadata(["t"]).topics[0].error == 0)
            #expect(try await client.produce(batch("a"), to: "t").error == 0)
        }
    }

    @Test(
        "Plain: what is wrong is refused with a reason, and the connection ends",
        arguments: [
            "\0alice\0wrong", "\0alice\0", "\0alice\0open sesam", "\0alice\0open sesame!", "\0bob\0open sesame", "\0\0",
            "bob\0alice\0open sesame", "alice", "", "\0\0\0\0", "\0alice\0open sesame\0",
        ]
    )
    func plainRefused(message: String) async throws {
        try await self.withUsers { _, client async throws in
            #expect(try await client.handshake("PLAIN").error == 0)
            let answer = try await client.authenticate(message)
            #expect(answer.error == ErrorCode.saslAuthenticationFailed.rawValue)
            #expect(answer.message?.isEmpty == false)
            try await client.waitForClose()
        }
    }

    @Test(
        "SCRAM: the right password opens the broker, and the broker proves itself",
        arguments: [
            ("SCRAM-SHA-256", "alice", "open sesame"), ("SCRAM-SHA-512", "alice", "open sesame"),
            ("SCRAM-SHA-256", "größe,=x", "pass=,wörd"),
        ]
    )
    func scram(mechanism: String, user: String, password: String) async throws {
        try await self.withUsers { _, client async throws in
            #expect(try await client.handshake(mechanism).error == 0)
            #expect(try await client.scram(mechanism, user: user, password: password) == 0)
            #expect(try await client.metadata(["t"]).topics[0].error == 0)
        }
    }

    @Test(
        "SCRAM: a wrong password, an unknown user and another mechanism's proof are refused",
        arguments: [
            ("SCRAM-SHA-256", "alice", "wrong"), ("SCRAM-SHA-512", "alice", ""),
            ("SCRAM-SHA-256", "bob", "open sesame"),
        ]
    )
    func scramRefused(mechanism: String, user: String, password: String) async throws {
        try await self.withUsers { _, client async throws in
            #expect(try await client.handshake(mechanism).error == 0)
            let error = try await client.scram(mechanism, user: user, password: password)
            #expect(error == ErrorCode.saslAuthenticationFailed.rawValue)
            try await client.waitForClose()
        }
    }

    @Test(
        "SCRAM: what is no message of it is refused",
        arguments: [
            "", "n", "n,,", "n,,n=alice", "n,,r=x", "p=tls-unique,,n=alice,r=x", "n,,m=x,n=alice,r=x",
            "n,,n=ali=ce,r=x",
            "n,a=bob,n=alice,r=x", "\u{0},\u{0},\u{0}", "n,,n==,r=", ",,,,,,,",
        ]
    )
    func scramMalformed(message: String) async throws {
        try await self.withUsers { _, client async throws in
            _ = try await client.handshake("SCRAM-SHA-256")
            #expect(try await client.authenticate(message).error == ErrorCode.saslAuthenticationFailed.rawValue)
            try await client.waitForClose()
        }
    }

    @Test(
        "SCRAM: a final message that is none is refused",
        arguments: [
            "", "c=biws", "c=biws,r=x,p=", "p=", ",p=AA==", "c=biws,r=%,p=AA==", "c=eSws,r=%,p=AA==", "c=biws,r=%,p=~",
        ]
    )
    func scramFinalMalformed(message: String) async throws {
        try await self.withUsers { _, client async throws in
            _ = try await client.handshake("SCRAM-SHA-256")
            let first = try await client.authenticate("n,,n=alice,r=abc")
            #expect(first.error == 0)
            let nonce = first.text.split(separator: ",")[0].dropFirst(2)
            let answer = try await client.authenticate(message.replacingOccurrences(of: "%", with: nonce))
            #expect(answer.error == ErrorCode.saslAuthenticationFailed.rawValue)
            try await client.waitForClose()
        }
    }

    @Test("An unknown mechanism is refused with those that there are")
    func unknownMechanism() async throws {
        try await self.withUsers { _, client async throws in
            let answer = try await client.handshake("GSSAPI")
            #expect(answer.error == ErrorCode.unsupportedSASLMechanism.rawValue)
            #expect(answer.mechanisms.sorted() == ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
            #expect(try await client.handshake("PLAIN").error == 0)
        }
    }

    @Test(
        "Before authentication only the negotiation is answered; anything else ends the connection",
        arguments: RequestSample.all
    )
    func closed(sample: RequestSample) async throws {
        try await self.withUsers { cluster, client in
            _ = try await client.call(.apiVersions, 0)
            guard ![APIKey.apiVersions, .saslHandshake, .saslAuthenticate].contains(sample.api) else { return }
            try await client.send(
                TestClient.frame(
                    sample.api.rawValue,
                    sample.version,
                    isFlexible: sample.api.isFlexible(sample.version)
                ).replacingBody(with: sample)
            )
            try await client.waitForClose()
            #expect(try await client.pendingFrames == 0)
            #expect(try await cluster.topics.isEmpty)
        }
    }

    @Test("Authentication without a handshake is out of turn")
    func outOfTurn() async throws {
        try await self.withUsers { _, client async throws in
            #expect(try await client.authenticate("\0alice\0open sesame").error == ErrorCode.illegalSASLState.rawValue)
            let other = try await client.handshake("PLAIN")
            #expect(other.error == 0)
            #expect(try await client.handshake("PLAIN").error == ErrorCode.illegalSASLState.rawValue)
        }
    }

    @Test("Without users nobody need authenticate, and who tries is told so")
    func notNeeded() async throws {
        try await withClient { _, client async throws in
            #expect(try await client.handshake("PLAIN").error == ErrorCode.illegalSASLState.rawValue)
            try await client.metadata()
        }
    }

    // MARK: TLS

    /// Makes a certificate for this run.
    private func withCertificate(_ body: (EmbeddedKafkaSecurity.Certificate) async throws -> Void) async throws {
        try await withDataDirectory { folder in
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-keyout", "\(folder)/key.pem", "-out", "\(folder)/chain.pem", "-days", "1", "-subj", "/CN=localhost",
            ]
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            try #require(process.terminationStatus == 0)
            try await body(.init(chainFile: "\(folder)/chain.pem", keyFile: "\(folder)/key.pem"))
        }
    }

    static let hasOpenSSL = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"].contains {
        FileManager.default.isExecutableFile(atPath: "\($0)/openssl")
    }

    @Test(
        "TLS: requests are served encrypted, with SASL too, and refusals arrive before the connection ends",
        .enabled(if: SecurityTests.hasOpenSSL, "the openssl command makes the certificate, and is not installed")
    )
    func tls() async throws {
        try await self.withCertificate { certificate in
            var configuration = EmbeddedKafkaCluster.Configuration()
            configuration.security.certificate = certificate
            configuration.security.users = ["alice": "open sesame"]
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .file(certificate.chainFile)
            tls.certificateVerification = .noHostnameVerification
            let context = try NIOSSLContext(configuration: tls)
            try await withEmbeddedKafka(configuration) { cluster in
                let client = try await TestClient.connect(to: cluster, tls: context)
                _ = try await client.handshake("PLAIN")
                #expect(try await client.authenticate("\0alice\0open sesame").error == 0)
                try await client.metadata(["t"])
                let value = String(repeating: "x", count: 500_000)
                #expect(try await client.produce(batch(value), to: "t").error == 0)
                #expect(try await client.fetch("t").values == [value])

                let wrong = try await TestClient.connect(to: cluster, tls: context)
                _ = try await wrong.handshake("PLAIN")
                #expect(try await wrong.authenticate("\0alice\0x").error == 58)
                try await wrong.waitForClose()

                // Who speaks in the clear is cut off.
                let plain = try await TestClient.connect(to: cluster)
                try await plain.send(.metadata, 0) { $0.strings([]) }
                try await plain.waitForClose()

                // Nothing is taken any more from a client that is being cut off.
                let fault = try await cluster.faults.add(.init(.findCoordinator, .disconnectBefore))
                let frame = TestClient.frame(10, 2) {
                    $0.string("g")
                    $0.int8(0)
                }
                try await client.send(frame + frame + frame)
                try await fault.happened()
                try await client.waitForClose()
                #expect(try await cluster.onBroker { $0.requestCounts[.findCoordinator] } == 1)
            }
        }
    }

    @Test("TLS: a certificate that can't be used is named")
    func badCertificate() async throws {
        var configuration = EmbeddedKafkaCluster.Configuration()
        configuration.security.certificate = .init(chainFile: "/nowhere/chain.pem", keyFile: "/nowhere/key.pem")
        let cluster = try EmbeddedKafkaCluster(configuration: configuration)
        let error = await #expect(throws: EmbeddedKafkaError.self) { try await cluster.start() }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("/nowhere/chain.pem") == true)
    }
}

// MARK: - The client's side

extension TestClient {
    func handshake(_ mechanism: String) async throws -> (error: Int16, mechanisms: [String]) {
        var answer = try await self.call(.saslHandshake, 1) { $0.string(mechanism) }
        return (try answer.int16(), try answer.array(ofStructures: false) { try $0.string() ?? "" })
    }

    func authenticate(
        _ message: String
    ) async throws -> (error: Int16, message: String?, text: String, lifetime: Int64) {
        var answer = try await self.call(.saslAuthenticate, 1) { $0.blob(Array(message.utf8)) }
        let error = try answer.int16()
        let reason = try answer.string()
        let text = String(decoding: try answer.blob() ?? [], as: UTF8.self)
        return (error, reason, text, try answer.int64())
    }

    /// Goes through SCRAM (RFC 5802), and checks the broker's proof.
    func scram(_ mechanism: String, user: String, password: String) async throws -> Int16 {
        mechanism.hasSuffix("256")
            ? try await self.scram(SHA256.self, user, password) : try await self.scram(SHA512.self, user, password)
    }

    private func scram<Hash: HashFunction>(_: Hash.Type, _ user: String, _ password: String) async throws -> Int16 {
        func code(_ key: [UInt8], _ text: [UInt8]) -> [UInt8] {
            Array(HMAC<Hash>.authenticationCode(for: text, using: SymmetricKey(data: key)))
        }
        let name = user.replacingOccurrences(of: "=", with: "=3D").replacingOccurrences(of: ",", with: "=2C")
        let clientFirst = "n=\(name),r=fyko+d2lbbFgONRv9qkxdawL"
        let first = try await self.authenticate("n,,\(clientFirst)")
        guard first.error == 0 else { return first.error }
        let parts = first.text.split(separator: ",").map { String($0.dropFirst(2)) }
        let salt = try #require(Data(base64Encoded: parts[1]))
        let iterations = try #require(Int(parts[2]))
        #expect(iterations >= 4096)
        #expect(parts[0].hasPrefix("fyko+d2lbbFgONRv9qkxdawL"))
        var last = code(Array(password.utf8), Array(salt) + [0, 0, 0, 1])
        var salted = last
        for _ in 1..<iterations {
            last = code(Array(password.utf8), last)
            for index in salted.indices { salted[index] ^= last[index] }
        }
        let clientKey = code(salted, Array("Client Key".utf8))
        let final = "c=biws,r=\(parts[0])"
        let signed = Array("\(clientFirst),\(first.text),\(final)".utf8)
        let signature = code(Array(Hash.hash(data: clientKey)), signed)
        let proof = Data(zip(clientKey, signature).map { $0 ^ $1 }).base64EncodedString()
        let second = try await self.authenticate("\(final),p=\(proof)")
        guard second.error == 0 else { return second.error }
        let serverSignature = code(code(salted, Array("Server Key".utf8)), signed)
        #expect(second.text == "v=\(Data(serverSignature).base64EncodedString())")
        return 0
    }
}
