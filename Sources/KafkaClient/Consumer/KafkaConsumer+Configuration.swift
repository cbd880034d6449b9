extension KafkaConsumer {
    /// Where a group begins that has no committed offset, and where reading goes on from an offset that the log does not
    /// hold (see ``KafkaOffsetReset``).
    public enum AutoOffsetReset: String, Sendable, Hashable {
        /// At the oldest record.
        case earliest
        /// Behind the newest record.
        case latest
        /// Nowhere: the reader gets a ``KafkaError`` with the code `offsetOutOfRange`, and the partition is read on after a
        /// ``KafkaConsumer/seek(_:to:timeout:)-(KafkaTopicPartition,_,_)``. Other partitions go on meanwhile.
        case fail = "error"
    }

    /// When positions are committed to the group.
    public enum CommitPolicy: Sendable, Hashable {
        /// What has been processed is committed at this interval, before partitions are given up and at close; with a count
        /// also each time so many records were processed. Batches then have at most that many records.
        ///
        /// One commit is on its way at a time; what is processed meanwhile goes with the next one.
        case afterProcessing(interval: Duration, count: Int? = nil)
        /// Only ``KafkaConsumer/commit()`` and its siblings commit.
        case manual
    }

    /// How the members of a group share its partitions.
    public enum Assignor: String, Sendable, Hashable {
        /// Moves few partitions and never stops the others (KIP-429).
        case cooperativeSticky = "cooperative-sticky"
        /// Ranges of each topic's partitions; every rebalance revokes all.
        case range
        /// One after the other; every rebalance revokes all.
        case roundRobin = "roundrobin"
    }

    /// Which records of transactional producers are seen.
    public enum IsolationLevel: String, Sendable, Hashable {
        /// Only those of committed transactions.
        case readCommitted = "read_committed"
        /// All, also those of open and aborted transactions.
        case readUncommitted = "read_uncommitted"
    }

    /// What a consumer needs to know. Everything is checked when the consumer is made.
    public struct Configuration: Sendable {
        /// Addresses (`host:port`) of some brokers of the cluster; the others are found through them.
        public var bootstrapServers: [String]
        /// The consumer group. Without one, partitions are assigned by hand and nothing is committed.
        public var group: String?
        /// A name that survives restarts, so that a member that comes back within the session time-out keeps its
        /// partitions (static membership, KIP-345). Default: none.
        public var groupInstanceID: String?
        /// The name under which the brokers log this client. Default: `kstream`.
        public var clientID = "kstream"
        /// Whether brokers are reached by TLS, and how this client proves who it is. Default: in the clear, not at all.
        public var security = KafkaSecurity()
        /// Where to begin without a committed offset, and where to go on when the log does not hold the wanted offset.
        /// Default: ``AutoOffsetReset/earliest``, which loses nothing that is still there.
        public var autoOffsetReset = AutoOffsetReset.earliest
        /// When positions are committed. Default: after processing, every 5 s.
        public var commitPolicy = CommitPolicy.afterProcessing(interval: .seconds(5))
        /// How members share partitions, in order of preference. Default: cooperative and sticky.
        public var assignors = [Assignor.cooperativeSticky]
        /// Which transactional records are seen. Default: committed ones.
        public var isolationLevel = IsolationLevel.readCommitted
        /// How many bytes of keys and values may wait in this process beyond what is being processed, before fetching
        /// stops. A response in flight may exceed it once. Default: 64 MiB.
        public var maxPrefetchedBytes = 64 * 1024 * 1024
        /// How many records may wait in this process before fetching stops. librdkafka before 2.2 fetches in bursts,
        /// up to a second apart, once this is reached: do not set it low there. Default: 1,000,000.
        public var maxPrefetchedRecords = 1_000_000
        /// The largest number of records handed over at a time. Default: 1,000.
        public var maxBatchRecords = 1_000
        /// How long the broker may wait for ``minFetchBytes`` before it answers. Default: 500 ms.
        public var fetchMaxWait = Duration.milliseconds(500)
        /// How many bytes make the broker answer a fetch at once. Default: 1.
        public var minFetchBytes = 1
        /// How many bytes of one partition a fetch may bring. Default: 1 MiB.
        public var maxPartitionFetchBytes = 1024 * 1024
        /// How long the group waits for a member that no longer sends heartbeats. Default: 45 s.
        public var sessionTimeout = Duration.seconds(45)
        /// How often a heartbeat is sent. Default: 3 s.
        public var heartbeatInterval = Duration.seconds(3)
        /// How long the processing of what was handed over may take before the consumer leaves the group and its reader
        /// gets an error. Waiting for records does not count. Default: 5 minutes.
        public var maxPollInterval = Duration.seconds(300)
        /// How long a partition that the group takes away waits for what is being processed and then for ``onRevoked``, and
        /// how long the group waits for the other hooks. Default: 30 s.
        public var revocationTimeout = Duration.seconds(30)
        /// Called when the group gave partitions to the consumer, before anything of them is fetched, which waits until it
        /// returns: a place to restore state, and to begin elsewhere (``KafkaRebalance/seek(_:to:)``). A share may be empty.
        ///
        /// The hooks are called one after the other, each in a task of its own that is cancelled at the
        /// ``KafkaRebalance/deadline``; the rebalance then goes on without it. Default: nothing is called.
        public var onAssigned: (@Sendable (KafkaRebalance) async -> Void)?
        /// Called when partitions are taken away, or given up because the consumer is closed, once what was in hand of them
        /// is finished. They are given up when it returns: a place to finish what is done elsewhere, and to commit it.
        ///
        /// When what was in hand takes longer than ``revocationTimeout``, it is called all the same, but cancelled, not
        /// waited for, and its commits are refused. Default: nothing is called.
        public var onRevoked: (@Sendable (KafkaRebalance) async -> Void)?
        /// Called when partitions are lost: the group has thrown the consumer out, or it left because processing took longer
        /// than ``maxPollInterval``. Others may read them already, so what is done of them can't be committed any more.
        /// Default: nothing is called.
        public var onLost: (@Sendable (KafkaRebalance) async -> Void)?
        /// How long the first broker may take to answer before the reader gets an error with the code
        /// `brokerUnreachable`; `nil` waits for ever. Default: 30 s.
        public var connectTimeout: Duration? = .seconds(30)
        /// How long ``KafkaConsumer/close()`` may take. Default: 10 s.
        public var closeTimeout = Duration.seconds(10)
        /// Whether batches say which partitions were read to their end. Default: false.
        public var reportsEndOfPartition = false
        /// Whether subscribing to a topic may create it, where the broker allows it. Default: false.
        public var createsTopics = false
        /// Called when no broker can be reached any more, and when one answers again; not before the first contact. It is
        /// called on a thread of the client and must return soon. Default: nobody is told, but the logger.
        public var onConnectionChange: (@Sendable (KafkaConnectionChange) -> Void)?
        /// Which metrics are reported, and how often: see ``KafkaMetrics`` for their names. Default: none.
        public var metrics: KafkaMetrics?
        /// How the client traces, if the process has a tracer; `nil` turns it off. Default: as ``KafkaTracing`` says.
        public var tracing: KafkaTracing? = KafkaTracing()
        /// Called when the log does not hold the offset that was to be read next, after a warning in the log and before any
        /// record from behind the gap is handed out. It must return soon. Default: only the logger is told.
        public var onOffsetReset: (@Sendable (KafkaOffsetReset) -> Void)?
        /// Other properties of librdkafka by their names; they win over the options above.
        /// An unknown name or a bad value is an error when the consumer is made.
        public var additional: [String: String] {
            get { self.additionalProperties.values }
            set { self.additionalProperties.values = newValue }
        }
        private var additionalProperties = AdditionalProperties()

        /// Makes a configuration with the defaults.
        ///
        /// - Parameters:
        ///   - bootstrapServers: addresses (`host:port`) of some brokers of the cluster.
        ///   - group: the consumer group; `nil` for partitions assigned by hand without commits.
        public init(bootstrapServers: [String], group: String? = nil) {
            self.bootstrapServers = bootstrapServers
            self.group = group
        }
    }
}

extension KafkaConsumer.Configuration {
    static let operation = "make a consumer"

    /// The interval of automatic commits, or `nil` when there are none.
    var commitInterval: Duration? {
        guard self.group != nil, case .afterProcessing(let interval, _) = self.commitPolicy else { return nil }
        return interval
    }

    /// After how many records there is an automatic commit, if that was asked for.
    var commitCount: Int? {
        guard self.group != nil, case .afterProcessing(_, let count) = self.commitPolicy else { return nil }
        return count
    }

    /// How many records are handed over at a time: a reader says what it has processed when it asks for more.
    var batchLimit: Int { min(self.maxBatchRecords, self.commitCount ?? .max) }

    func makeProperties() throws(KafkaError) -> ConfigurationProperties {
        try self.check()
        var properties = ConfigurationProperties()
        try properties.setCommon(
            bootstrapServers: self.bootstrapServers,
            clientID: self.clientID,
            security: self.security,
            operation: Self.operation
        )
        // librdkafka assigns partitions only to consumers with a group; this one never joins or commits.
        properties.setOwned(
            "group.id",
            self.group ?? "\(self.clientID)-without-group",
            useInstead: "use `group`"
        )
        if let groupInstanceID {
            properties.set("group.instance.id", groupInstanceID)
        }
        // The consumer applies the policy by itself, so that no jump goes unseen.
        properties.setOwned("auto.offset.reset", "error", useInstead: "use `autoOffsetReset`")
        let owner = "use `commitPolicy`"
        properties.setOwned("enable.auto.commit", "false", useInstead: owner)
        properties.setOwned("enable.auto.offset.store", "false", useInstead: owner)
        // Commits are ours; so that nobody sets it in vain.
        let interval = max(1, (self.commitInterval ?? .seconds(5)).milliseconds)
        properties.setOwned("auto.commit.interval.ms", String(interval), useInstead: owner)
        properties.set("partition.assignment.strategy", self.assignors.map(\.rawValue).joined(separator: ","))
        properties.set("isolation.level", self.isolationLevel.rawValue)
        properties.set("queued.max.messages.kbytes", max(1, self.maxPrefetchedBytes / 1024))
        properties.set("queued.min.messages", self.maxPrefetchedRecords)
        if LibrdkafkaVersion.loaded >= LibrdkafkaVersion(2, 2) {
            // Below 2.2 a fetcher that met a full queue sleeps for up to a second.
            properties.set("fetch.queue.backoff.ms", 5)
        }
        properties.set("fetch.wait.max.ms", self.fetchMaxWait)
        properties.set("fetch.min.bytes", self.minFetchBytes)
        properties.set("max.partition.fetch.bytes", self.maxPartitionFetchBytes)
        properties.set("session.timeout.ms", self.sessionTimeout)
        properties.set("heartbeat.interval.ms", self.heartbeatInterval)
        properties.setOwned(
            "max.poll.interval.ms",
            String(self.maxPollInterval.milliseconds),
            useInstead: "use `maxPollInterval`"
        )
        properties.setOwned(
            "enable.partition.eof",
            self.reportsEndOfPartition ? "true" : "false",
            useInstead: "use `reportsEndOfPartition`"
        )
        properties.set("allow.auto.create.topics", self.createsTopics)
        try properties.setMetrics(self.metrics, operation: Self.operation)
        try properties.add(self.additional, operation: Self.operation)
        return properties
    }

    private func check() throws(KafkaError) {
        func fail(_ message: String) -> KafkaError {
            KafkaError(.configuration, operation: Self.operation, message: message)
        }
        if self.group == "" { throw fail("`group` is empty: give a name, or nil for a consumer without group") }
        if self.assignors.isEmpty { throw fail("`assignors` is empty") }
        if self.assignors.contains(.cooperativeSticky), self.assignors.count > 1 {
            throw fail("`assignors` mixes cooperative and eager ones: members could not agree on how to rebalance")
        }
        guard (1...1_000_000).contains(self.maxBatchRecords) else {
            throw fail("`maxBatchRecords` is \(self.maxBatchRecords): it must be from 1 to 1,000,000")
        }
        if let count = self.commitCount, count < 1 {
            throw fail("`commitPolicy` commits after \(count) records: the count must be at least 1")
        }
        if self.maxPollInterval < self.sessionTimeout {
            throw fail(
                "`maxPollInterval` (\(self.maxPollInterval)) is shorter than `sessionTimeout` (\(self.sessionTimeout))"
            )
        }
    }
}
