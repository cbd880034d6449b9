public import Logging

extension EmbeddedKafkaCluster {
    /// What a cluster is like. The defaults are for tests: loopback, ports that the system picks, all in memory, topics
    /// made at the first use, no delay before a new group's first rebalance.
    public struct Configuration: Sendable {
        /// Where records, offsets and transactions are kept.
        public enum Storage: Sendable, Hashable {
            /// In memory, gone with the cluster.
            case memory
            /// In files under this directory, which is made when it is not there. What was acknowledged survives the end
            /// of the process, also by `SIGKILL`; a power cut may take what the system had not written yet.
            case directory(String)
        }

        /// How many nodes the cluster has, with ids from 1. Default: 1.
        public var nodes: Int
        /// The port of each node; 0, or none given, lets the system pick. Default: none given.
        public var ports: [Int]
        /// The address that the nodes listen on. Default: `127.0.0.1`.
        public var host: String
        /// The host that clients are told to connect to. Default: `host`.
        public var advertisedHost: String?
        /// Default: in memory.
        public var storage: Storage
        /// How many partitions a topic gets when nothing else is said. Default: 1.
        public var defaultPartitions: Int
        /// Whether asking for a topic that is not there makes it. Default: `true`.
        public var createsTopicsAutomatically: Bool
        /// How long records are kept; `nil` is for ever. Default: for ever, and not Apache Kafka's seven days, since the times
        /// in a test's records are often old. A topic can say otherwise (`retention.ms`).
        public var retention: Duration?
        /// How many bytes of a partition are kept; `nil` is without limit. Default: without. A topic can say otherwise
        /// (`retention.bytes`).
        public var retentionBytes: Int64?
        /// How long a new group waits for more members before its first rebalance. Default: not at all.
        public var initialRebalanceDelay: Duration
        /// The largest transaction time-out that a producer may ask for. Default: 15 minutes.
        public var maxTransactionTimeout: Duration
        /// What a request may hold at most, in bytes: 1 KiB to 256 MiB. Default: 100 MiB.
        public var maxRequestBytes: Int
        /// Default: the time of the machine.
        public var clock: EmbeddedKafkaClock
        /// Who may connect, and how. Default: everybody, in the clear.
        public var security: EmbeddedKafkaSecurity
        /// Default: silent.
        public var logger: Logger

        /// Makes a configuration.
        /// - Parameters:
        ///   - nodes: How many nodes.
        ///   - storage: Where records, offsets and transactions are kept.
        ///   - clock: Where time comes from.
        public init(nodes: Int = 1, storage: Storage = .memory, clock: EmbeddedKafkaClock = .system) {
            self.nodes = nodes
            self.ports = []
            self.host = "127.0.0.1"
            self.storage = storage
            self.defaultPartitions = 1
            self.createsTopicsAutomatically = true
            self.initialRebalanceDelay = .zero
            self.maxTransactionTimeout = .seconds(15 * 60)
            self.maxRequestBytes = 100 << 20
            self.clock = clock
            self.security = EmbeddedKafkaSecurity()
            self.logger = Logger(label: "kstream.embedded-kafka") { _ in SwiftLogNoOpLogHandler() }
        }

        /// Checks the options against each other.
        func validate() throws(EmbeddedKafkaError) {
            func refuse(_ message: String) -> EmbeddedKafkaError {
                EmbeddedKafkaError(.invalidConfiguration, message)
            }
            guard (1...100).contains(self.nodes) else {
                throw refuse("nodes is \(self.nodes); a cluster has 1 to 100 of them")
            }
            guard self.ports.count <= self.nodes else {
                throw refuse("\(self.ports.count) ports for \(self.nodes) nodes")
            }
            if let port = self.ports.first(where: { !(0...65_535).contains($0) }) {
                throw refuse("port \(port) is not from 0 to 65535")
            }
            let fixed = self.ports.filter { $0 != 0 }
            guard Set(fixed).count == fixed.count else { throw refuse("two nodes can't share a port") }
            guard (1...Broker.maxPartitions).contains(self.defaultPartitions) else {
                throw refuse(
                    "defaultPartitions is \(self.defaultPartitions); 1 to \(Broker.maxPartitions) are possible"
                )
            }
            if let retention, retention <= .zero { throw refuse("retention must be longer than nothing") }
            if let retentionBytes, retentionBytes < 0 { throw refuse("retentionBytes can't be negative") }
            guard (1 << 10...1 << 28).contains(self.maxRequestBytes) else {
                throw refuse("maxRequestBytes is \(self.maxRequestBytes); 1 KiB to 256 MiB are possible")
            }
            guard !self.host.isEmpty else { throw refuse("host is empty") }
        }
    }
}
