/// Takes back who may do what (API 31, KIP-140).
struct DeleteACLsRequest: Equatable {
    var filters: [ACLFilter]
}

extension DeleteACLsRequest: RequestMessage {
    static let api = APIKey.deleteACLs

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.filters = try reader.elements(version: version)
        try reader.tags()
    }
}

/// What came of a ``DeleteACLsRequest``, filter by filter.
struct DeleteACLsResponse {
    struct FilterResult {
        var errorCode = ErrorCode.none
        var errorMessage: String?
        var matchingACLs: [MatchingACL] = []
    }

    struct MatchingACL {
        var errorCode = ErrorCode.none
        var errorMessage: String?
        var binding: ACLBinding
    }

    var filterResults: [FilterResult]
}

extension DeleteACLsResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttleTime()
        writer.elements(self.filterResults, version: version)
        writer.tags()
    }
}

extension DeleteACLsResponse.FilterResult: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.error(self.errorCode)
        writer.string(self.errorMessage)
        writer.elements(self.matchingACLs, version: version)
        writer.tags()
    }
}

extension DeleteACLsResponse.MatchingACL: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.error(self.errorCode)
        writer.string(self.errorMessage)
        writer.int8(self.binding.resourceType)
        writer.string(self.binding.resourceName)
        if version >= 1 { writer.int8(self.binding.patternType) }
        writer.string(self.binding.principal)
        writer.string(self.binding.host)
        writer.int8(self.binding.operation)
        writer.int8(self.binding.permissionType)
        writer.tags()
    }
}
