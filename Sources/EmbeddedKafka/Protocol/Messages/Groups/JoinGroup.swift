internal import NIOCore

/// Joins a consumer group, or goes on to its next generation (API 11).
struct JoinGroupRequest: Equatable {
    /// A way of sharing the work that the member knows, such as `range`.
    struct GroupProtocol: Equatable {
        var name: String
        /// What the member tells the one who assigns: the group's business, not ours.
        var metadata: ByteBuffer
    }

    var groupID: String
    var sessionTimeoutMs: Int32
    /// How long the others wait for the member to join again (KIP-62). Version 0 has one time-out for both.
    var rebalanceTimeoutMs: Int32
    /// Empty: new (KIP-394).
    var memberID: String
    /// Of a static member (KIP-345, version 5 and up).
    var groupInstanceID: String?
    var protocolType: String
    /// In order of preference.
    var protocols: [GroupProtocol]
}

extension JoinGroupRequest: RequestMessage {
    static let api = APIKey.joinGroup

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.groupID = try reader.string()
        self.sessionTimeoutMs = try reader.int32()
        self.rebalanceTimeoutMs = version >= 1 ? try reader.int32() : self.sessionTimeoutMs
        self.memberID = try reader.string()
        if version >= 5 { self.groupInstanceID = try reader.nullableString() }
        self.protocolType = try reader.string()
        self.protocols = try reader.elements(version: version)
        try reader.tags()
    }
}

extension JoinGroupRequest.GroupProtocol: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.name = try reader.string()
        self.metadata = try reader.bytes()
        try reader.tags()
    }
}

/// The generation that the member is in. The defaults are what stands there besides an error.
struct JoinGroupResponse {
    struct Member {
        var memberID: String
        var groupInstanceID: String?
        var metadata: ByteBuffer
    }

    var errorCode: ErrorCode
    var generationID: Int32 = -1
    var protocolName = ""
    var leader = ""
    var memberID = ""
    /// All members for the leader, who assigns; empty for the others.
    var members: [Member] = []
}

extension JoinGroupResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        if version >= 2 { writer.throttleTime() }
        writer.error(self.errorCode)
        writer.int32(self.generationID)
        writer.string(self.protocolName)
        writer.string(self.leader)
        writer.string(self.memberID)
        writer.elements(self.members, version: version)
        writer.tags()
    }
}

extension JoinGroupResponse.Member: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.string(self.memberID)
        if version >= 5 { writer.string(self.groupInstanceID) }
        writer.bytes(self.metadata)
        writer.tags()
    }
}
