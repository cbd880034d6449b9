internal import NIOCore

/// What DescribeGroups tells about a group.
struct GroupDescription: Sendable {
    struct Member: Hashable, Sendable {
        var id: String
        var instance: String?
        var clientID: String
        var clientHost: String
        /// What the member said for the chosen protocol; empty unless the group is stable, as in Apache Kafka.
        var metadata: ByteBuffer
        var assignment: ByteBuffer
    }

    var group: String
    var state: GroupState
    var protocolType: String
    /// Empty unless the group is stable.
    var protocolName: String
    var generation: Int32
    /// In the order in which they came.
    var members: [Member]
}

/// What ListGroups tells about a group.
struct GroupListing: Hashable, Sendable {
    var group: String
    var protocolType: String
    var state: GroupState
}
