extension KafkaAdmin {
    /// What an admin client needs to know. Everything is checked when the client is made.
    public struct Configuration: Sendable {
        /// Addresses (`host:port`) of some brokers of the cluster; the others are found through them.
        public var bootstrapServers: [String]
        /// The name under which the brokers log this client. Default: `kstream`.
        public var clientID = "kstream"
        /// Whether brokers are reached by TLS, and how this client proves who it is. Default: in the clear, not at all.
        public var security = KafkaSecurity()
        /// Where a partition ends for ``KafkaAdmin/lag(of:timeout:)`` and ``KafkaAdmin/offsets(for:timeout:)``. Default: at
        /// the last stable offset, which is what readers of committed records can come to.
        public var isolationLevel = KafkaConsumer.IsolationLevel.readCommitted
        /// Called when no broker can be reached any more, and when one answers again; not before the first contact. It is
        /// called on a thread of the client and must return soon. Default: nobody is told, but the logger.
        public var onConnectionChange: (@Sendable (KafkaConnectionChange) -> Void)?
        /// Other properties of librdkafka by their names; they win over the options above.
        /// An unknown name or a bad value is an error when the client is made.
        public var additional: [String: String] {
            get { self.additionalProperties.values }
            set { self.additionalProperties.values = newValue }
        }
        private var additionalProperties = AdditionalProperties()

        /// Makes a configuration with the defaults.
        public init(bootstrapServers: [String]) {
            self.bootstrapServers = bootstrapServers
        }
    }
}

extension KafkaAdmin.Configuration {
    static let operation = "make an admin client"

    func makeProperties() throws(KafkaError) -> ConfigurationProperties {
        var properties = ConfigurationProperties()
        try properties.setCommon(
            bootstrapServers: self.bootstrapServers,
            clientID: self.clientID,
            security: self.security,
            operation: Self.operation
        )
        properties.set("isolation.level", self.isolationLevel.rawValue)
        properties.setOwned(
            "allow.auto.create.topics",
            "false",
            useInstead: "an admin client makes topics by `createTopics` alone"
        )
        try properties.add(self.additional, operation: Self.operation)
        return properties
    }
}
