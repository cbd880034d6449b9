/// Asks who may do what (API 29, KIP-140).
struct DescribeACLsRequest: Equatable {
    var filter: ACLFilter
}

extension DescribeACLsRequest: RequestMessage {
    static let api = APIKey.describeACLs

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        // The filter's fields are the body's own, so its tagged fields are the body's too.
        self.filter = try ACLFilter(from: &reader, version: version)
    }
}

/// Who may do what.
struct DescribeACLsResponse {
    struct Resource {
        var resourceType: Int8
        var resourceName: String
        var patternType: Int8 = 3
        var acls: [Description]
    }

    struct Description {
        var principal: String
        var host: String
        var operation: Int8
        var permissionType: Int8
    }

    var errorCode = ErrorCode.none
    var errorMessage: String?
    var resources: [Resource] = []
}

extension DescribeACLsResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttleTime()
        writer.error(self.errorCode)
        writer.string(self.errorMessage)
        writer.elements(self.resources, version: version)
        writer.tags()
    }
}

extension DescribeACLsResponse.Resource: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.int8(self.resourceType)
        writer.string(self.resourceName)
        if version >= 1 { writer.int8(self.patternType) }
        writer.elements(self.acls, version: version)
        writer.tags()
    }
}

extension DescribeACLsResponse.Description: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.string(self.principal)
        writer.string(self.host)
        writer.int8(self.operation)
        writer.int8(self.permissionType)
        writer.tags()
    }
}
