import KafkaClient

// The code of the article "Connecting securely", which `ArticleTests` compares with the article. It is compiled, not run.

private struct Authorization: Sendable {
    struct Answer {
        var accessToken: String
        var expiresIn: Int
    }

    func token(scope: String) async throws -> Answer { Answer(accessToken: scope, expiresIn: 60) }
}

private func passwords(_ configuration: inout KafkaConsumer.Configuration, _ password: String) {
    configuration.security = KafkaSecurity(
        transport: .tls(KafkaTLS(trustedRoots: .file("/etc/kafka/ca.pem"))),
        sasl: .scramSHA512(username: "billing", password: password)
    )
}

private func certificates(_ configuration: inout KafkaConsumer.Configuration, _ key: String, _ keyPassword: String) {
    let identity = KafkaTLS.Identity(certificate: .file("client.pem"), key: .text(key), keyPassword: keyPassword)
    configuration.security.transport = .tls(KafkaTLS(identity: identity))
}

private func tokens(_ configuration: inout KafkaProducer.Configuration, _ authorization: Authorization) {
    configuration.security.sasl = .oauthBearer {
        let answer = try await authorization.token(scope: "kafka")
        return KafkaOAuthToken(value: answer.accessToken, lifetime: .seconds(answer.expiresIn))
    }
}
