import Testing

@testable import KafkaClient

/// No way of printing shows a secret, and what is wrong with the options is said when the client is made.
@Suite struct SecretsTests {
    private func texts(_ value: some Any) -> [String] {
        var dumped = ""
        dump(value, to: &dumped)
        return [
            dumped, String(describing: value), String(reflecting: value), "\([value])", "\(Optional(value) as Any)",
        ]
    }

    private let identity = KafkaTLS.Identity(
        certificate: .file("client.pem"),
        key: .text("hunter2"),
        keyPassword: "hunter2"
    )

    @Test func secretsAreNotShown() {
        let token = KafkaOAuthToken(
            value: "hunter2",
            lifetime: .seconds(1),
            principal: "alice",
            extensions: ["tenant": "hunter2"]
        )
        let values: [Any] = [
            KafkaSecurity.SASL.plain(username: "alice", password: "hunter2"),
            KafkaSecurity.SASL.scramSHA256(username: "alice", password: "hunter2"),
            KafkaSecurity.SASL.scramSHA512(username: "alice", password: "hunter2"),
            KafkaSecurity(
                transport: .tls(KafkaTLS(trustedRoots: .text("hunter2"), identity: self.identity)),
                sasl: .scramSHA512(username: "alice", password: "hunter2")
            ),
            self.identity,
            token,
        ]
        for value in values {
            for text in self.texts(value) {
                #expect(!text.contains("hunter2"), "\(text)")
                #expect(text.contains("alice") || text.contains("client.pem"), "\(text)")
            }
        }
    }

    @Test func configurationsDoNotShowThem() {
        let security = KafkaSecurity(
            transport: .tls(KafkaTLS(identity: self.identity)),
            sasl: .plain(username: "alice", password: "hunter2")
        )
        let additional = ["sasl.password": "hunter2", "ssl.key.pem": "hunter2", "retries": "7"]
        var producer = KafkaProducer.Configuration(bootstrapServers: ["127.0.0.1:1"])
        producer.security = security
        producer.additional = additional
        var consumer = KafkaConsumer.Configuration(bootstrapServers: ["127.0.0.1:1"])
        consumer.security = security
        consumer.additional = additional
        var admin = KafkaAdmin.Configuration(bootstrapServers: ["127.0.0.1:1"])
        admin.security = security
        admin.additional = additional
        for text in self.texts(producer) + self.texts(consumer) + self.texts(admin) {
            #expect(!text.contains("hunter2"), "\(text)")
            #expect(text.contains("retries=7"), "\(text)")
            #expect(text.contains("sasl.password=(not shown)"), "\(text)")
            #expect(text.contains("PLAIN as alice"), "\(text)")
        }
        #expect(producer.additional == additional)
    }

    private func configurationError(_ security: KafkaSecurity, _ additional: [String: String] = [:]) -> KafkaError? {
        var configuration = KafkaProducer.Configuration(bootstrapServers: ["127.0.0.1:1"])
        configuration.security = security
        configuration.additional = additional
        let wrong = configuration
        let error = #expect(throws: KafkaError.self) {
            try KafkaProducer(configuration: wrong, logger: CapturedLog().makeLogger())
        }
        #expect(error?.code == .configuration)
        return error
    }

    @Test func optionsAreChecked() {
        let noPassword = self.configurationError(.init(sasl: .plain(username: "alice", password: "")))
        #expect(noPassword?.message.contains("password") == true)
        let noUser = self.configurationError(.init(sasl: .scramSHA256(username: "", password: "hunter2")))
        #expect(noUser?.message.contains("user") == true)
        let cut = self.configurationError(.init(sasl: .plain(username: "alice", password: "hunter2\u{0}x")))
        #expect(cut?.message.contains("NUL") == true)
        #expect(cut.map { !"\($0)".contains("hunter2") } == true)
        let hasty = self.configurationError(
            .init(sasl: .oauthBearer(timeout: .zero) { KafkaOAuthToken(value: "x", lifetime: .zero) })
        )
        #expect(hasty?.message.contains("time-out") == true)
    }

    @Test func additionalPropertiesDoNotContradict() {
        let security = KafkaSecurity(sasl: .plain(username: "alice", password: "hunter2"))
        for name in ["security.protocol", "sasl.mechanisms", "sasl.password"] {
            #expect(self.configurationError(security, [name: "x"])?.message.contains("use `security") == true)
        }
    }
}
