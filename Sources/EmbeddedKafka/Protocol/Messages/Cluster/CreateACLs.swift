/// Says who may do what (API 30, KIP-140).
struct CreateACLsRequest: Equatable {
    var creations: [ACLBinding]
}

extension CreateACLsRequest: RequestMessage {
    static let api = APIKey.createACLs

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.creations = try reader.elements(version: version)
        try reader.tags()
    }
}

/// What came of a ``CreateACLsRequest``, in its order.
struct CreateACLsResponse {
    struct Result {
        var errorCode = ErrorCode.none
        var errorMessage: String?
    }

    var results: [Result]
}

extension CreateACLsResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttleTime()
        writer.elements(self.results, version: version)
        writer.tags()
    }
}

extension CreateACLsResponse.Result: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.error(self.errorCode)
        writer.string(self.errorMessage)
        writer.tags()
    }
}
