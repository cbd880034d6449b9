internal import NIOCore

/// Asks for the state and the members of consumer groups (API 15).
struct DescribeGroupsRequest: Equatable {
    var groups: [String]
    /// Version 3 and up (KIP-430).
    var includeAuthorizedOperations = false
}

extension DescribeGroupsRequest: RequestMessage {
    static let api = APIKey.describeGroups

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.groups = try reader.strings()
        if version >= 3 { self.includeAuthorizedOperations = try reader.bool() }
        try reader.tags()
    }
}

/// The state and the members of consumer groups.
struct DescribeGroupsResponse {
    struct Group {
        var errorCode = ErrorCode.none
        var groupID: String
        /// As Kafka spells it: `Stable`, `Empty`, `Dead`, `PreparingRebalance`, `CompletingRebalance`; empty besides an error.
        var groupState = ""
        var protocolType = ""
        /// The name of the protocol that the members voted for.
        var protocolData = ""
        var members: [Member] = []
        /// A bit for each operation (KIP-430); `Int32.min`: not asked for.
        var authorizedOperations = Int32.min
    }

    struct Member {
        var memberID: String
        /// Of a static member (KIP-345).
        var groupInstanceID: String?
        var clientID: String
        var clientHost: String
        var memberMetadata = ByteBuffer()
        var memberAssignment = ByteBuffer()
    }

    var groups: [Group]
}

extension DescribeGroupsResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        if version >= 1 { writer.throttleTime() }
        writer.elements(self.groups, version: version)
        writer.tags()
    }
}

extension DescribeGroupsResponse.Group: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.error(self.errorCode)
        writer.string(self.groupID)
        writer.string(self.groupState)
        writer.string(self.protocolType)
        writer.string(self.protocolData)
        writer.elements(self.members, version: version)
        if version >= 3 { writer.int32(self.authorizedOperations) }
        writer.tags()
    }
}

extension DescribeGroupsResponse.Member: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.string(self.memberID)
        if version >= 4 { writer.string(self.groupInstanceID) }
        writer.string(self.clientID)
        writer.string(self.clientHost)
        writer.bytes(self.memberMetadata)
        writer.bytes(self.memberAssignment)
        writer.tags()
    }
}
