internal import NIOCore

/// Names a request that waits for its answer. The caller gives it and never uses it twice.
typealias Waiter = UInt64

/// An answer to a request that waited, or would have. One call may answer the requests of several members.
enum GroupAnswer: Sendable {
    case joined(Waiter, Result<JoinedGroup, JoinFailure>)
    case synced(Waiter, Result<SyncedGroup, ErrorCode>)

    /// Whose answer this is.
    var waiter: Waiter {
        switch self {
        case .joined(let waiter, _), .synced(let waiter, _): waiter
        }
    }
}

/// The group as a member sees it that has joined.
struct JoinedGroup: Hashable, Sendable {
    struct Member: Hashable, Sendable {
        var id: String
        var instance: String?
        /// What the member said for the chosen protocol.
        var metadata: ByteBuffer
    }

    var generation: Int32
    var protocolType: String
    var protocolName: String
    var leader: String
    /// The id of the member that is answered.
    var member: String
    /// Everyone, for the leader; empty for the others.
    var members: [Member]
}

/// Why a member didn't get into the group.
struct JoinFailure: Error, Hashable, Sendable {
    var error: ErrorCode
    /// The id to come again with, when the error is 79 (KIP-394); else what the request said.
    var member: String
}

/// A member's share.
struct SyncedGroup: Hashable, Sendable {
    var protocolType: String
    var protocolName: String
    var assignment: ByteBuffer
}

/// A member that wants to leave. A static one may be named by its instance alone (LeaveGroup version 3).
struct GroupLeave: Hashable, Sendable {
    var member: String
    var instance: String?
}
