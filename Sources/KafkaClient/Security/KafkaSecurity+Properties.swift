extension KafkaSecurity {
    /// Sets what librdkafka needs to know.
    func set(in properties: inout ConfigurationProperties, operation: String) throws(KafkaError) {
        let isEncrypted =
            switch self.transport {
            case .plaintext: false
            case .tls: true
            }
        // Without anything of ours, `additional` may say it all.
        guard isEncrypted || self.sasl != nil else { return }
        properties.setOwned(
            "security.protocol",
            "\(self.sasl == nil ? "" : "sasl_")\(isEncrypted ? "ssl" : "plaintext")",
            useInstead: "use `security`"
        )
        if case .tls(let tls) = self.transport {
            tls.set(in: &properties)
        }
        try self.sasl?.set(in: &properties, operation: operation)
    }
}

extension KafkaTLS {
    fileprivate func set(in properties: inout ConfigurationProperties) {
        if let trustedRoots {
            trustedRoots.set(in: &properties, text: "ssl.ca.pem", file: "ssl.ca.location")
        }
        if let identity {
            identity.certificate.set(in: &properties, text: "ssl.certificate.pem", file: "ssl.certificate.location")
            identity.key.set(in: &properties, text: "ssl.key.pem", file: "ssl.key.location")
            if let keyPassword = identity.keyPassword {
                properties.set("ssl.key.password", keyPassword)
            }
        }
        properties.set("ssl.endpoint.identification.algorithm", self.verifiesHostName ? "https" : "none")
    }
}

extension KafkaTLS.PEM {
    fileprivate func set(in properties: inout ConfigurationProperties, text textName: String, file fileName: String) {
        switch self {
        case .text(let text): properties.set(textName, text)
        case .file(let path): properties.set(fileName, path)
        }
    }
}

extension KafkaSecurity.SASL {
    fileprivate func set(in properties: inout ConfigurationProperties, operation: String) throws(KafkaError) {
        let owner = "use `security.sasl`"
        switch self.mechanism {
        case .password(let name, let username, let password):
            // librdkafka would begin, and fail at every broker.
            guard !username.isEmpty, !password.isEmpty else {
                throw KafkaError(
                    .configuration,
                    operation: operation,
                    message: "`security.sasl` needs a user and a password: one of them is empty"
                )
            }
            guard !username.utf8.contains(0), !password.utf8.contains(0) else {
                throw KafkaError(
                    .configuration,
                    operation: operation,
                    message: "`security.sasl`: user and password can't have NUL characters"
                )
            }
            properties.setOwned("sasl.mechanisms", name, useInstead: owner)
            properties.setOwned("sasl.username", username, useInstead: owner)
            properties.setOwned("sasl.password", password, useInstead: owner)
        case .oauthBearer(let source):
            guard source.timeout > .zero else {
                throw KafkaError(
                    .configuration,
                    operation: operation,
                    message: "`security.sasl`: the time-out of the token provider is \(source.timeout), not above 0"
                )
            }
            properties.setOwned("sasl.mechanisms", "OAUTHBEARER", useInstead: owner)
            properties.tokenSource = source
        }
    }
}
