/// Takes members out of a consumer group (API 13).
struct LeaveGroupRequest: Equatable {
    struct Member: Equatable {
        /// May be empty besides an instance id.
        var memberID: String
        var groupInstanceID: String?
    }

    var groupID: String
    /// Versions below 3 name exactly one, by its member id (KIP-345).
    var members: [Member]
}

extension LeaveGroupRequest: RequestMessage {
    static let api = APIKey.leaveGroup

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.groupID = try reader.string()
        if version >= 3 {
            self.members = try reader.elements(version: version)
        } else {
            self.members = [Member(memberID: try reader.string())]
        }
        try reader.tags()
    }
}

extension LeaveGroupRequest.Member: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.memberID = try reader.string()
        self.groupInstanceID = try reader.nullableString()
        try reader.tags()
    }
}

/// What came of a ``LeaveGroupRequest``, member by member.
struct LeaveGroupResponse {
    struct Member {
        var memberID: String
        var groupInstanceID: String?
        var errorCode: ErrorCode
    }

    /// What is wrong with the request as a whole.
    var errorCode = ErrorCode.none
    var members: [Member] = []
}

extension LeaveGroupResponse: ResponseMessage {
    /// Versions below 3 have one error; it is the member's when the request as a whole has none.
    func write(to writer: inout WireWriter, version: Int16) {
        if version >= 1 { writer.throttleTime() }
        if version >= 3 {
            writer.error(self.errorCode)
            writer.elements(self.members, version: version)
        } else {
            writer.error(self.errorCode == .none ? self.members.first?.errorCode ?? .none : self.errorCode)
        }
        writer.tags()
    }
}

extension LeaveGroupResponse.Member: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.string(self.memberID)
        writer.string(self.groupInstanceID)
        writer.error(self.errorCode)
        writer.tags()
    }
}
