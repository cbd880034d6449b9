internal import NIOCore

/// One way to assign partitions that a member supports, with what it tells the leader, for example its subscription.
struct GroupProtocol: Hashable, Sendable {
    var name: String
    var metadata: ByteBuffer
}

/// A request to join a group (JoinGroup).
struct GroupJoin: Sendable {
    var group: String
    /// The member's id; empty for a member that has none yet.
    var member = ""
    /// The name of a static member, which survives its restarts (KIP-345).
    var instance: String?
    var clientID = ""
    var clientHost = ""
    /// What kind of group this is: `consumer` or `connect`, for example.
    var protocolType = "consumer"
    /// The member's preference comes first.
    var protocols: [GroupProtocol]
    /// Milliseconds.
    var sessionTimeout: Int32 = 10_000
    /// Milliseconds. JoinGroup version 0 has none: the session time-out stands in.
    var rebalanceTimeout: Int32 = 60_000
    /// Whether a new dynamic member must come again with the id it is given (KIP-394: JoinGroup from version 4).
    var requiresKnownMemberID = false
}

/// A request for a member's assignment (SyncGroup); the leader's brings the assignment of everyone.
struct GroupSync: Sendable {
    var group: String
    var member: String
    var instance: String?
    var generation: Int32
    /// What the member believes the group to be; nil before SyncGroup version 5.
    var protocolType: String?
    var protocolName: String?
    /// Empty unless the member leads.
    var assignments: [(member: String, assignment: ByteBuffer)] = []
}
