internal import CLibrdkafka

/// The librdkafka properties of a client, collected from typed options and checked when the client is made.
struct ConfigurationProperties {
    private(set) var values: [(name: String, value: String)] = []
    /// Properties that the engine depends on, with what to use instead of setting them.
    private(set) var owned: [String: String] = [:]
    /// Where the client gets its tokens from, if it uses some.
    var tokenSource: KafkaSecurity.SASL.TokenSource?

    /// The addresses that the client begins with, as librdkafka gets them.
    var bootstrapServers: String { self.values.last { $0.name == "bootstrap.servers" }?.value ?? "" }

    mutating func set(_ name: String, _ value: String) {
        self.values.append((name, value))
    }

    mutating func set(_ name: String, _ value: Int) {
        self.set(name, String(value))
    }

    mutating func set(_ name: String, _ value: Bool) {
        self.set(name, value ? "true" : "false")
    }

    /// Sets a property in milliseconds.
    mutating func set(_ name: String, _ value: Duration) {
        self.set(name, value.milliseconds)
    }

    /// Sets a property that ``KafkaProducer/Configuration/additional`` must not change.
    mutating func setOwned(_ name: String, _ value: String, useInstead: String) {
        self.set(name, value)
        self.own(name, useInstead: useInstead)
    }

    /// Keeps a property from being set by ``KafkaProducer/Configuration/additional``.
    mutating func own(_ name: String, useInstead: String) {
        self.owned[name] = useInstead
    }

    /// Adds the caller's own properties, which win over the typed options.
    mutating func add(_ additional: [String: String], operation: String) throws(KafkaError) {
        for (name, value) in additional.sorted(by: { $0.key < $1.key }) {
            if let instead = self.owned[name] {
                throw KafkaError(
                    .configuration,
                    operation: operation,
                    message: "property \"\(name)\" can't be set in `additional`: \(instead)"
                )
            }
            self.set(name, value)
        }
    }

    /// Makes librdkafka's configuration object. The caller owns it.
    func makeConfiguration(operation: String) throws(KafkaError) -> OpaquePointer {
        guard let configuration = rd_kafka_conf_new() else {
            throw KafkaError(.configuration, operation: operation, message: "librdkafka has no memory")
        }
        for (name, value) in self.values {
            if let problem = Self.set(name, value, in: configuration) {
                rd_kafka_conf_destroy(configuration)
                throw KafkaError(.configuration, operation: operation, message: problem)
            }
        }
        return configuration
    }

    /// Sets one property; the answer is what is wrong with it.
    private static func set(_ name: String, _ value: String, in configuration: OpaquePointer) -> String? {
        var buffer = [CChar](repeating: 0, count: 512)
        let result = rd_kafka_conf_set(configuration, name, value, &buffer, buffer.count)
        guard result != RD_KAFKA_CONF_OK else { return nil }
        if result == RD_KAFKA_CONF_UNKNOWN {
            return "property \"\(name)\" is unknown to librdkafka \(LibrdkafkaVersion.loaded)"
        }
        if Self.isSecret(name) {
            // librdkafka's text repeats the value.
            return "property \"\(name)\" has an invalid value (not shown)"
        }
        return "property \"\(name)\" has an invalid value \"\(value)\": \(String(nullTerminated: buffer))"
    }

    /// Whether the value of a property must not appear in logs or errors.
    static func isSecret(_ name: String) -> Bool {
        ["password", "secret", "key.pem", "sasl.oauthbearer.config", "sasl.jaas.config"].contains { name.contains($0) }
    }
}

extension ConfigurationProperties {
    /// The properties that all clients have in common.
    mutating func setCommon(
        bootstrapServers: [String],
        clientID: String,
        security: KafkaSecurity,
        operation: String
    ) throws(KafkaError) {
        for server in bootstrapServers {
            if let problem = BootstrapServer.problem(with: server) {
                throw KafkaError(.configuration, operation: operation, message: problem)
            }
        }
        guard !bootstrapServers.isEmpty else {
            throw KafkaError(
                .configuration,
                operation: operation,
                message: "no bootstrap servers: give at least one, such as \"localhost:9092\""
            )
        }
        self.set("bootstrap.servers", bootstrapServers.joined(separator: ","))
        self.set("client.id", clientID)
        self.setOwned("log.queue", "true", useInstead: "log lines always go to the logger given to the client")
        // Small requests must not wait for the acknowledgement of earlier ones.
        self.set("socket.nagle.disable", true)
        try security.set(in: &self, operation: operation)
    }
}

extension Duration {
    /// Whole milliseconds, rounded away from zero, kept inside librdkafka's range.
    var milliseconds: Int {
        let (seconds, attoseconds) = self.components
        guard seconds < Int64(Int32.max) / 1000 else { return Int(Int32.max) }
        guard seconds > Int64(Int32.min) / 1000 else { return Int(Int32.min) }
        // Away from zero, so that no time but none becomes 0, which means "for ever" to librdkafka.
        let rounding: Int64 = attoseconds < 0 ? -999_999_999_999_999 : 999_999_999_999_999
        return Int(seconds * 1000 + (attoseconds + rounding) / 1_000_000_000_000_000)
    }

    /// Seconds with fractions, for properties and messages.
    var seconds: Double {
        let (seconds, attoseconds) = self.components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}

extension String {
    /// The text before the first NUL of a C buffer.
    init(nullTerminated buffer: [CChar]) {
        let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        self.init(decoding: bytes, as: UTF8.self)
    }
}
