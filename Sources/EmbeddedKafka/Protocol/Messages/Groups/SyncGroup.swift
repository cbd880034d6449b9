internal import NIOCore

/// Asks for the member's share of the work; the leader says everybody's (API 14).
struct SyncGroupRequest: Equatable {
    struct Assignment: Equatable {
        var memberID: String
        /// The group's business, not ours.
        var assignment: ByteBuffer
    }

    var groupID: String
    var generationID: Int32
    var memberID: String
    /// Of a static member (KIP-345, version 3 and up).
    var groupInstanceID: String?
    /// Everybody's share from the leader; empty from the others.
    var assignments: [Assignment]
}

extension SyncGroupRequest: RequestMessage {
    static let api = APIKey.syncGroup

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.groupID = try reader.string()
        self.generationID = try reader.int32()
        self.memberID = try reader.string()
        if version >= 3 { self.groupInstanceID = try reader.nullableString() }
        self.assignments = try reader.elements(version: version)
        try reader.tags()
    }
}

extension SyncGroupRequest.Assignment: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.memberID = try reader.string()
        self.assignment = try reader.bytes()
        try reader.tags()
    }
}

/// The member's share of the work.
struct SyncGroupResponse {
    var errorCode: ErrorCode
    var assignment = ByteBuffer()
}

extension SyncGroupResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        if version >= 1 { writer.throttleTime() }
        writer.error(self.errorCode)
        writer.bytes(self.assignment)
        writer.tags()
    }
}
