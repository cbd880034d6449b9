/// A broker of a cluster.
public struct KafkaNode: Sendable, Hashable {
    /// The id of the broker.
    public var id: Int32
    /// The host that clients connect to.
    public var host: String
    /// The port that clients connect to.
    public var port: Int

    /// Names a broker.
    public init(id: Int32, host: String, port: Int) {
        self.id = id
        self.host = host
        self.port = port
    }
}

/// A cluster: its brokers, and which of them is the controller.
public struct KafkaClusterDescription: Sendable, Hashable {
    /// The id of the cluster, which it keeps for life; `nil` where it has none.
    public var clusterID: String?
    /// The controller's id; `nil` when there is none at the moment.
    public var controller: Int32?
    /// The brokers that are up, in the order of their ids.
    public var brokers: [KafkaNode]

    /// Describes a cluster.
    public init(clusterID: String?, controller: Int32?, brokers: [KafkaNode]) {
        self.clusterID = clusterID
        self.controller = controller
        self.brokers = brokers
    }
}
