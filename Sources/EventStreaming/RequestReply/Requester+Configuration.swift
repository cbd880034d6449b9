public import KafkaClient

/// How a ``Requester`` works.
public struct RequesterConfiguration: Sendable {
    /// The source of the requests' metadata: a URI reference.
    public var name: String
    /// The partition of the reply topic that this instance reads. Several instances may share one: each takes its own
    /// replies. Default: `nil`, one by chance.
    public var replyPartition: Int32?
    /// How long a reply is waited for, unless a request says otherwise. Default: 30 s.
    public var timeout = Duration.seconds(30)
    /// How many requests may wait for replies; one more fails at once. Default: 10,000.
    public var maxPending = 10_000
    /// The producer of the requests. Its `linger` is 0 unless it is changed: somebody waits.
    public var producer: KafkaProducer.Configuration
    /// The consumer of the replies, which is in no group.
    public var consumer: KafkaConsumer.Configuration

    /// Makes a configuration with the defaults.
    ///
    /// - Parameters:
    ///   - name: the source of the requests' metadata.
    ///   - bootstrapServers: `host:port` of some brokers.
    public init(name: String, bootstrapServers: [String]) {
        self.name = name
        self.producer = KafkaProducer.Configuration(bootstrapServers: bootstrapServers)
        self.producer.linger = .zero
        self.consumer = KafkaConsumer.Configuration(bootstrapServers: bootstrapServers)
    }

    /// Throws when it can't be used.
    func check() throws(RequestError) {
        if self.name.isEmpty { throw RequestError(.configuration, "`name` is empty") }
        if self.timeout <= .zero {
            throw RequestError(.configuration, "`timeout` is \(self.timeout): it must be above 0")
        }
        if self.maxPending < 1 {
            throw RequestError(.configuration, "`maxPending` is \(self.maxPending): it must be at least 1")
        }
        if self.consumer.group != nil {
            throw RequestError(.configuration, "`consumer.group` is set: replies are read without a group")
        }
        if self.producer.transactionalID != nil {
            throw RequestError(
                .configuration,
                "`producer.transactionalID` is set: requests are sent without transactions"
            )
        }
    }
}

/// What came of the requests of a ``Requester``.
public struct RequesterStatistics: Sendable, Hashable {
    /// How many wait for their replies now.
    public var pending = 0
    /// How many were made, those included that could not be sent.
    public var requests = 0
    /// How many were replied to in time, rejections included.
    public var replies = 0
    /// How many of the replies were rejections.
    public var rejections = 0
    /// How many had no reply in time.
    public var timeouts = 0
    /// How many replies came for which nobody waited: too late, for the second time, or after a cancellation.
    public var orphans = 0
    /// How many records of the partition were for other instances, or no replies at all.
    public var foreign = 0
}
