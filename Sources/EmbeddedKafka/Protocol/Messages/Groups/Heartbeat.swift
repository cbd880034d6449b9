/// Says that a member is still there (API 12).
struct HeartbeatRequest: Equatable {
    var groupID: String
    var generationID: Int32
    var memberID: String
    /// Of a static member (KIP-345, version 3 and up).
    var groupInstanceID: String?
}

extension HeartbeatRequest: RequestMessage {
    static let api = APIKey.heartbeat

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.groupID = try reader.string()
        self.generationID = try reader.int32()
        self.memberID = try reader.string()
        if version >= 3 { self.groupInstanceID = try reader.nullableString() }
        try reader.tags()
    }
}

/// Whether the member may go on.
struct HeartbeatResponse {
    var errorCode: ErrorCode
}

extension HeartbeatResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        if version >= 1 { writer.throttleTime() }
        writer.error(self.errorCode)
        writer.tags()
    }
}
