import Testing

@testable import KafkaClient

@Suite struct BootstrapServerTests {
    @Test(arguments: [
        "localhost:9092", "localhost", "127.0.0.1:1", "broker-1.example.com:65535", "[::1]:9092", "[::1]",
        "PLAINTEXT://localhost:9092", "SASL_SSL://[::1]:9092", "müller.example:9092",
    ])
    func isTaken(server: String) {
        #expect(BootstrapServer.problem(with: server) == nil)
    }

    @Test(arguments: [
        "", " ", "local host:9092", "localhost:9092 ", "a:1,b:2", "localhost\u{0}:9092", "localhost\n", "localhost:",
        "localhost:0", "localhost:65536", "localhost:-1", "localhost:+1", "localhost:port", "localhost:9092x", ":9092",
        "PLAINTEXT://", "PLAINTEXT://:9092", "[]:9092", "[::1", "[::1]9092", "[::1]:", "::1", "a:b:9092",
        "localhost:9092:9092",
    ])
    func isRefused(server: String) throws {
        let problem = try #require(BootstrapServer.problem(with: server))
        #expect(problem.contains("\"\(server)\""), "the message names the address")
    }
}

@Suite struct DurationTests {
    @Test func millisecondsAreRoundedUp() {
        #expect(Duration.zero.milliseconds == 0)
        #expect(Duration.milliseconds(1).milliseconds == 1)
        #expect(Duration.microseconds(1).milliseconds == 1)
        #expect(Duration.microseconds(1001).milliseconds == 2)
        #expect(Duration.nanoseconds(1_999_999).milliseconds == 2)
        #expect(Duration.seconds(300).milliseconds == 300_000)
        #expect(Duration(secondsComponent: 1, attosecondsComponent: 1).milliseconds == 1001)
    }

    @Test func millisecondsStayInLibrdkafkasRange() {
        #expect(Duration.seconds(Int64.max).milliseconds == Int(Int32.max))
        #expect(Duration.seconds(2_147_483).milliseconds <= Int(Int32.max))
        #expect(Duration.seconds(2_147_482.999).milliseconds == 2_147_482_999)
        #expect(Duration.seconds(Int64.min).milliseconds == Int(Int32.min))
        #expect(Duration.milliseconds(-2500).milliseconds < 0)
        #expect(Duration.milliseconds(-1.5).milliseconds < 0, "0 would be something else")
    }

    @Test func secondsHaveFractions() {
        #expect(Duration.milliseconds(1500).seconds == 1.5)
        #expect(Duration.zero.seconds == 0)
    }
}

@Suite struct SecretTests {
    @Test(arguments: [
        "sasl.password", "ssl.key.password", "ssl.keystore.password", "sasl.oauthbearer.client.secret", "ssl.key.pem",
        "sasl.oauthbearer.config",
    ])
    func isSecret(property: String) {
        #expect(ConfigurationProperties.isSecret(property))
    }

    @Test(arguments: ["bootstrap.servers", "sasl.username", "ssl.key.location", "sasl.mechanisms"])
    func isNotSecret(property: String) {
        #expect(!ConfigurationProperties.isSecret(property))
    }
}
