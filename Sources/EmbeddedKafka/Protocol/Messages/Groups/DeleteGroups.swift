/// Removes consumer groups that have no members (API 42, KIP-229).
struct DeleteGroupsRequest: Equatable {
    var groupsNames: [String]
}

extension DeleteGroupsRequest: RequestMessage {
    static let api = APIKey.deleteGroups

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.groupsNames = try reader.strings()
        try reader.tags()
    }
}

/// What came of a ``DeleteGroupsRequest``.
struct DeleteGroupsResponse {
    struct Result {
        var groupID: String
        var errorCode = ErrorCode.none
    }

    var results: [Result]
}

extension DeleteGroupsResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttleTime()
        writer.elements(self.results, version: version)
        writer.tags()
    }
}

extension DeleteGroupsResponse.Result: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.string(self.groupID)
        writer.error(self.errorCode)
        writer.tags()
    }
}
