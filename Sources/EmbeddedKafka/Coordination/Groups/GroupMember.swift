internal import NIOCore

/// A member of a group, with the request of it that waits.
struct GroupMember {
    var id: String
    let instance: String?
    /// Members are kept in a dictionary; this gives back the order in which they came.
    let order: UInt64
    var clientID: String
    var clientHost: String
    var protocols: [GroupProtocol]
    var sessionTimeout: Int32
    var rebalanceTimeout: Int32
    var assignment = ByteBuffer()

    /// The join that waits for the others.
    var joinWaiter: Waiter?
    /// The sync that waits for the leader's.
    var syncWaiter: Waiter?
    /// Whether this generation's sync hasn't come yet.
    var owesSync = false
    /// Whether the member's first join waits: nobody knows its id, so no heartbeat will come.
    var isNew = true
    /// When the session ends unless something is heard of the member.
    var sessionDeadline: Int64 = 0

    init(id: String, order: UInt64, request: GroupJoin) {
        self.id = id
        self.instance = request.instance
        self.order = order
        self.clientID = request.clientID
        self.clientHost = request.clientHost
        self.protocols = request.protocols
        self.sessionTimeout = request.sessionTimeout
        self.rebalanceTimeout = max(1, request.rebalanceTimeout)
    }

    /// Takes over what a later join says.
    mutating func update(_ request: GroupJoin) {
        self.clientID = request.clientID
        self.clientHost = request.clientHost
        self.protocols = request.protocols
        self.sessionTimeout = request.sessionTimeout
        self.rebalanceTimeout = max(1, request.rebalanceTimeout)
    }

    /// Something was heard of the member.
    mutating func renewSession(now: Int64) {
        self.sessionDeadline = Deadline.after(self.sessionTimeout, from: now)
    }

    /// When the member is to be given up. A member that waits in join or sync can't send heartbeats and is let be.
    var expiry: Int64? {
        if self.isNew { return self.sessionDeadline }
        return self.joinWaiter == nil && self.syncWaiter == nil ? self.sessionDeadline : nil
    }

    func supports(_ protocolName: String) -> Bool {
        self.protocols.contains { $0.name == protocolName }
    }

    func metadata(for protocolName: String?) -> ByteBuffer {
        self.protocols.first { $0.name == protocolName }?.metadata ?? ByteBuffer()
    }
}
