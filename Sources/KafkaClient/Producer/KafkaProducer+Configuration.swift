extension KafkaProducer {
    /// How many replicas must have a record before it counts as sent.
    public enum Acknowledgements: Sendable, Hashable {
        /// All replicas in sync. Needed for idempotence.
        case all
        /// The leader alone: a record is lost if the leader fails before a follower has it.
        case leader
        /// None: the send returns when the record left this process, without an offset.
        case none
    }

    /// The compression of record batches.
    public enum Compression: String, Sendable, Hashable {
        /// No compression.
        case none
        /// gzip.
        case gzip
        /// Snappy.
        case snappy
        /// LZ4.
        case lz4
        /// Zstandard.
        case zstd
    }

    /// The function that chooses the partition of a record that names none.
    public enum Partitioner: String, Sendable, Hashable {
        /// Murmur2 of the key, as the Java client does; without a key, a random partition.
        case murmur2Random = "murmur2_random"
        /// Murmur2 of the key; records without a key go to one partition.
        case murmur2
        /// CRC-32 of the key, librdkafka's own default; without a key, a random partition.
        case consistentRandom = "consistent_random"
        /// Always a random partition.
        case random
    }

    /// What a producer needs to know. Everything is checked when the producer is made.
    public struct Configuration: Sendable {
        /// Addresses (`host:port`) of some brokers of the cluster; the others are found through them.
        public var bootstrapServers: [String]
        /// The name under which the brokers log this client. Default: `kstream`.
        public var clientID = "kstream"
        /// Whether brokers are reached by TLS, and how this client proves who it is. Default: in the clear, not at all.
        public var security = KafkaSecurity()
        /// When a record counts as sent. Default: ``Acknowledgements/all``.
        public var acknowledgements = Acknowledgements.all
        /// Whether the broker drops what a retry repeats and keeps the order. Default: true.
        public var isIdempotent = true
        /// How long a record may wait for others to fill a request with. Default: 0, best for few concurrent senders;
        /// 0.2 to 1 ms raises the throughput of many.
        public var linger = Duration.zero
        /// The largest request of records, in bytes. Default: 1,000,000.
        public var maxBatchBytes = 1_000_000
        /// The largest number of records in a request. Default: 10,000.
        public var maxBatchRecords = 10_000
        /// The largest record, in bytes. Default: 1,000,000.
        public var maxMessageBytes = 1_000_000
        /// How many records may wait in this process. A sender is suspended beyond it. Default: 100,000.
        public var maxQueuedRecords = 100_000
        /// How many bytes may wait in this process. A sender is suspended beyond it. Default: 64 MiB.
        public var maxQueuedBytes = 64 * 1024 * 1024
        /// Compression of record batches. Default: none.
        public var compression = Compression.none
        /// Who chooses the partition. Default: ``Partitioner/murmur2Random``, which agrees with Java clients.
        public var partitioner = Partitioner.murmur2Random
        /// The name by which the brokers know this producer across restarts, for ``KafkaProducer/withTransaction(attempts:_:)``
        /// (KIP-98). Of two producers with the same name, the one that came first is fenced: each instance of a service
        /// needs a name of its own. Default: none, a producer without transactions.
        public var transactionalID: String?
        /// How long a transaction may take, from its begin to its commit, before it is aborted. Above the brokers'
        /// `transaction.max.timeout.ms` (15 minutes by default) the producer can't be initialised. Default: 60 s.
        public var transactionTimeout = Duration.seconds(60)
        /// How long a record may take from `send` to its acknowledgement, retries included, before the send fails. With
        /// transactions, at most ``transactionTimeout`` counts. Default: 2 minutes, as in the Java client.
        public var deliveryTimeout = Duration.seconds(120)
        /// How long the broker may take to answer one request. Default: 30 s.
        public var requestTimeout = Duration.seconds(30)
        /// How long ``KafkaProducer/close()`` waits for what was handed over. Default: 30 s.
        public var closeTimeout = Duration.seconds(30)
        /// Called when no broker can be reached any more, and when one answers again; not before the first contact. It is
        /// called on a thread of the client and must return soon. Default: nobody is told, but the logger.
        public var onConnectionChange: (@Sendable (KafkaConnectionChange) -> Void)?
        /// Which metrics are reported, and how often: see ``KafkaMetrics`` for their names. Default: none.
        public var metrics: KafkaMetrics?
        /// How the client traces, if the process has a tracer; `nil` turns it off. Default: as ``KafkaTracing`` says.
        public var tracing: KafkaTracing? = KafkaTracing()
        /// Other properties of librdkafka by their names; they win over the options above.
        /// An unknown name or a bad value is an error when the producer is made.
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

extension KafkaProducer.Configuration {
    static let operation = "make a producer"

    private var maxQueuedKilobytes: Int { max(1, self.maxQueuedBytes / 1024) }

    /// Whether a record fits into the local queue once it is empty: librdkafka counts the bytes of values.
    func fitsQueue(_ record: KafkaProducerRecord) -> Bool {
        (record.value?.count ?? 0) <= self.maxQueuedKilobytes * 1024
    }

    func makeProperties() throws(KafkaError) -> ConfigurationProperties {
        var properties = ConfigurationProperties()
        try properties.setCommon(
            bootstrapServers: self.bootstrapServers,
            clientID: self.clientID,
            security: self.security,
            operation: Self.operation
        )
        if self.isIdempotent, self.acknowledgements != .all {
            throw KafkaError(
                .configuration,
                operation: Self.operation,
                message: "an idempotent producer needs acknowledgements of .all, not .\(self.acknowledgements)"
            )
        }
        guard self.deliveryTimeout > .zero else {
            throw KafkaError(
                .configuration,
                operation: Self.operation,
                message: "`deliveryTimeout` is \(self.deliveryTimeout): it must be above 0"
            )
        }
        try self.setTransactions(&properties)
        properties.set("enable.idempotence", self.isIdempotent)
        properties.set("acks", self.acknowledgements.property)
        // Fractions of a millisecond are worth having here.
        properties.set("queue.buffering.max.ms", "\(self.linger.seconds * 1000)")
        properties.set("batch.size", self.maxBatchBytes)
        properties.set("batch.num.messages", self.maxBatchRecords)
        properties.set("message.max.bytes", self.maxMessageBytes)
        properties.setOwned(
            "queue.buffering.max.messages",
            String(self.maxQueuedRecords),
            useInstead: "use `maxQueuedRecords`"
        )
        properties.setOwned(
            "queue.buffering.max.kbytes",
            String(self.maxQueuedKilobytes),
            useInstead: "use `maxQueuedBytes`"
        )
        properties.set("compression.codec", self.compression.rawValue)
        properties.set("partitioner", self.partitioner.rawValue)
        let isTransactional = self.transactionalID != nil
        properties.set(
            "message.timeout.ms",
            isTransactional ? min(self.deliveryTimeout, self.transactionTimeout) : self.deliveryTimeout
        )
        properties.set("request.timeout.ms", self.requestTimeout)
        properties.setOwned(
            "delivery.report.only.error",
            "false",
            useInstead: "every send waits for its report"
        )
        try properties.setMetrics(self.metrics, operation: Self.operation)
        try properties.add(self.additional, operation: Self.operation)
        return properties
    }
}

extension KafkaProducer.Configuration {
    private func setTransactions(_ properties: inout ConfigurationProperties) throws(KafkaError) {
        properties.own("transactional.id", useInstead: "use `transactionalID`")
        properties.own("transaction.timeout.ms", useInstead: "use `transactionTimeout`")
        guard let transactionalID else { return }
        func fail(_ message: String) -> KafkaError {
            KafkaError(.configuration, operation: Self.operation, message: message)
        }
        if transactionalID.isEmpty || transactionalID.utf8.contains(0) {
            throw fail("`transactionalID` is empty or has a zero byte: give a name, or nil for no transactions")
        }
        guard self.isIdempotent else { throw fail("a producer with a `transactionalID` must be idempotent") }
        guard self.transactionTimeout >= .seconds(1) else {
            throw fail("`transactionTimeout` is \(self.transactionTimeout): it must be at least 1 s")
        }
        properties.set("transactional.id", transactionalID)
        properties.set("transaction.timeout.ms", self.transactionTimeout)
    }
}

extension KafkaProducer.Acknowledgements {
    fileprivate var property: String {
        switch self {
        case .all: "all"
        case .leader: "1"
        case .none: "0"
        }
    }
}
