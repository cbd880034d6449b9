import EmbeddedKafka
import Testing

@testable import KafkaClient

/// TLS, with certificates of a test's own authority.
@Suite(
    .timeLimit(.minutes(1)),
    .enabled(if: Certificates.canBeMade, "the openssl command makes the certificates, and is not installed")
)
struct TLSTests {
    private func withTLS(
        asksForCertificates: Bool = false,
        users: [String: String] = [:],
        _ body: (EmbeddedKafkaCluster, Certificates) async throws -> Void
    ) async throws {
        try await withCertificates { certificates in
            try await withCluster { configuration in
                configuration.advertisedHost = "localhost"
                configuration.security.users = users
                configuration.security.certificate = certificates.broker(asksForCertificates: asksForCertificates)
            } _: { cluster in
                try await body(cluster, certificates)
            }
        }
    }

    private func expect(
        _ errors: [KafkaError],
        _ code: KafkaError.Code,
        _ advice: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(errors.count == 7, sourceLocation: sourceLocation)
        for error in errors {
            #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
        }
        #expect(errors[0].message.contains(advice), "\(errors[0])", sourceLocation: sourceLocation)
    }

    @Test(arguments: [false, true])
    func trustedRoots(asText: Bool) async throws {
        try await self.withTLS { cluster, certificates in
            let roots = try certificates.pem("authority.pem", asText: asText)
            try await expectRoundTrip(cluster, .init(transport: .tls(KafkaTLS(trustedRoots: roots))))
        }
    }

    @Test func passwordsOverTLS() async throws {
        try await self.withTLS(users: ["alice": "hunter2"]) { cluster, certificates in
            let transport = KafkaSecurity.Transport.tls(KafkaTLS(trustedRoots: .file(certificates.authority)))
            try await expectRoundTrip(
                cluster,
                .init(transport: transport, sasl: .plain(username: "alice", password: "hunter2"))
            )
        }
    }

    @Test(arguments: [false, true])
    func clientCertificates(asText: Bool) async throws {
        let log = CapturedLog()
        try await self.withTLS(asksForCertificates: true) { cluster, certificates in
            let tls = KafkaTLS(
                trustedRoots: .file(certificates.authority),
                identity: try certificates.identity(asText: asText)
            )
            try await expectRoundTrip(cluster, .init(transport: .tls(tls)), log: log)
        }
        expectHidden(Certificates.keyPassword, log)
        expectHidden("PRIVATE KEY", log)
    }

    @Test func noClientCertificate() async throws {
        try await self.withTLS(asksForCertificates: true) { cluster, certificates in
            let tls = KafkaTLS(trustedRoots: .file(certificates.authority))
            let errors = try await refusals(cluster, .init(transport: .tls(tls)))
            self.expect(errors, .authentication, "set `identity`")
        }
    }

    @Test func aClientCertificateOfAnotherAuthority() async throws {
        try await self.withTLS(asksForCertificates: true) { cluster, certificates in
            try await withCertificates { others in
                let tls = KafkaTLS(
                    trustedRoots: .file(certificates.authority),
                    identity: try others.identity(asText: false)
                )
                let errors = try await refusals(cluster, .init(transport: .tls(tls)))
                self.expect(errors, .authentication, "check `identity`")
            }
        }
    }

    @Test func anAuthorityThatIsNotTrusted() async throws {
        try await self.withTLS { cluster, _ in
            try await withCertificates { others in
                for tls in [KafkaTLS(trustedRoots: .file(others.authority)), KafkaTLS()] {
                    let errors = try await refusals(cluster, .init(transport: .tls(tls)))
                    self.expect(errors, .authentication, "check `trustedRoots`")
                }
            }
        }
    }

    @Test func theNameOfTheHost() async throws {
        try await self.withTLS { cluster, certificates in
            let servers = cluster.bootstrapServers.map { $0.replacing("localhost", with: "127.0.0.1") }
            var tls = KafkaTLS(trustedRoots: .file(certificates.authority))
            let errors = try await refusals(cluster, servers: servers, .init(transport: .tls(tls)))
            self.expect(errors, .authentication, "for another host")
            tls.verifiesHostName = false
            var configuration = KafkaProducer.Configuration.secure(cluster, .init(transport: .tls(tls)))
            configuration.bootstrapServers = servers
            try await withProducer(configuration) { try await $0.fill("t", values: ["1"]) }
        }
    }

    @Test func plainBytesToAPortOfTLS() async throws {
        try await self.withTLS { cluster, _ in
            let errors = try await refusals(cluster, KafkaSecurity())
            self.expect(errors, .brokerUnreachable, "may want TLS or SASL")
        }
    }

    @Test func tlsToAPortOfPlainBytes() async throws {
        try await withCluster { cluster in
            let errors = try await refusals(cluster, .init(transport: .tls(KafkaTLS())))
            self.expect(errors, .brokerUnreachable, "speak TLS")
        }
    }

    /// What can't be used is said when the client is made.
    @Test func filesThatAreNotThere() async throws {
        try await withCertificates { certificates in
            let wrong: [KafkaTLS] = [
                KafkaTLS(trustedRoots: .file("/nowhere/authority.pem")),
                KafkaTLS(trustedRoots: .text("hunter2")),
                KafkaTLS(
                    identity: .init(
                        certificate: try certificates.pem("client.pem", asText: false),
                        key: .file("/nowhere/client.key")
                    )
                ),
                KafkaTLS(
                    identity: .init(
                        certificate: try certificates.pem("client.pem", asText: false),
                        key: try certificates.pem("client.key", asText: true),
                        keyPassword: "hunter2"
                    )
                ),
            ]
            for tls in wrong {
                var configuration = KafkaProducer.Configuration(bootstrapServers: ["127.0.0.1:1"])
                configuration.security.transport = .tls(tls)
                let broken = configuration
                let error = #expect(throws: KafkaError.self) {
                    try KafkaProducer(configuration: broken, logger: CapturedLog().makeLogger())
                }
                #expect(error?.code == .configuration)
                #expect(error.map { !"\($0)".contains("hunter2") } == true)
                #expect(error?.message.contains("ssl.") == true, "\(String(describing: error))")
            }
        }
    }
}
