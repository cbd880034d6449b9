/// Asks which node coordinates a consumer group or a transactional id (API 10).
struct FindCoordinatorRequest: Equatable {
    var key: String
    /// 0: the key is a group's id; 1: a transactional id (KIP-98). Other values are for the handler to refuse.
    var keyType: Int8 = 0
}

extension FindCoordinatorRequest: RequestMessage {
    static let api = APIKey.findCoordinator

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.key = try reader.string()
        if version >= 1 { self.keyType = try reader.int8() }
        try reader.tags()
    }
}

/// Which node coordinates. The defaults are what stands there besides an error.
struct FindCoordinatorResponse {
    var errorCode: ErrorCode
    var errorMessage: String?
    var nodeID: Int32 = -1
    var host = ""
    var port: Int32 = -1
}

extension FindCoordinatorResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        if version >= 1 { writer.throttleTime() }
        writer.error(self.errorCode)
        if version >= 1 { writer.string(self.errorMessage) }
        writer.int32(self.nodeID)
        writer.string(self.host)
        writer.int32(self.port)
        writer.tags()
    }
}
