/// Asks which consumer groups this node coordinates (API 16).
struct ListGroupsRequest: Equatable {
    /// The states of the groups that are asked for (KIP-518, version 4 and up); empty: all.
    var statesFilter: [String] = []
}

extension ListGroupsRequest: RequestMessage {
    static let api = APIKey.listGroups

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        if version >= 4 { self.statesFilter = try reader.strings() }
        try reader.tags()
    }
}

/// The consumer groups that this node coordinates.
struct ListGroupsResponse {
    struct Group {
        var groupID: String
        var protocolType: String
        var groupState: String
    }

    var errorCode = ErrorCode.none
    var groups: [Group] = []
}

extension ListGroupsResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        if version >= 1 { writer.throttleTime() }
        writer.error(self.errorCode)
        writer.elements(self.groups, version: version)
        writer.tags()
    }
}

extension ListGroupsResponse.Group: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.string(self.groupID)
        writer.string(self.protocolType)
        if version >= 4 { writer.string(self.groupState) }
        writer.tags()
    }
}
