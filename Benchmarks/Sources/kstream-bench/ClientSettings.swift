import KafkaClient

/// The configuration of both sides, beside each other: what is measured is the client's code, not its settings.
///
/// The reference sets by name what KafkaClient sets by its defaults.
struct ClientSettings: Sendable {
    /// `host:port`, several separated by commas.
    var bootstrapServers: String

    /// How long a record may wait for others where many are sent.
    static let linger = Duration.milliseconds(1)

    private var serverList: [String] {
        self.bootstrapServers.split(separator: ",").map(String.init)
    }

    // MARK: producer

    func producer(linger: Duration, transactionalID: String? = nil) -> KafkaProducer.Configuration {
        var configuration = KafkaProducer.Configuration(bootstrapServers: self.serverList)
        configuration.linger = linger
        configuration.transactionalID = transactionalID
        return configuration
    }

    func referenceProducer(linger: Duration, transactionalID: String? = nil) -> String {
        (transactionalID.map { "transactional.id=\($0)\n" } ?? "") + """
            bootstrap.servers=\(self.bootstrapServers)
            socket.nagle.disable=true
            enable.idempotence=true
            acks=all
            queue.buffering.max.ms=\(linger / .milliseconds(1))
            batch.size=1000000
            batch.num.messages=10000
            queue.buffering.max.messages=100000
            queue.buffering.max.kbytes=65536
            partitioner=murmur2_random
            """
    }

    // MARK: consumer

    /// Room for all records of a benchmark, so that a round can be fetched before it is read.
    private static let prefetchedBytes = 512 * 1024 * 1024
    private static let prefetchedRecords = 2_000_000
    /// librdkafka's mock broker holds every fetch that finds nothing for the whole of this time.
    private static let fetchWaitMilliseconds = 100

    func consumer(isIdle: Bool) -> KafkaConsumer.Configuration {
        var configuration = KafkaConsumer.Configuration(bootstrapServers: self.serverList)
        configuration.maxBatchRecords = Round.batchSize
        if !isIdle {
            configuration.maxPrefetchedBytes = Self.prefetchedBytes
            configuration.maxPrefetchedRecords = Self.prefetchedRecords
            configuration.fetchMaxWait = .milliseconds(Self.fetchWaitMilliseconds)
        }
        return configuration
    }

    func referenceConsumer(isIdle: Bool) -> String {
        let common = """
            bootstrap.servers=\(self.bootstrapServers)
            socket.nagle.disable=true
            group.id=kstream-bench
            enable.auto.commit=false
            enable.auto.offset.store=false
            auto.offset.reset=earliest

            """
        guard !isIdle else { return common }
        return common + """
            queued.max.messages.kbytes=\(Self.prefetchedBytes / 1024)
            queued.min.messages=\(Self.prefetchedRecords)
            fetch.wait.max.ms=\(Self.fetchWaitMilliseconds)
            """
    }
}
