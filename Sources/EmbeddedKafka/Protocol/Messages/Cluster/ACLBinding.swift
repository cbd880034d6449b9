/// Who may do what to what, as the protocol carries it (KIP-11).
///
/// Numbers stay numbers, so that one from a newer client goes through to the handler.
struct ACLBinding: Hashable {
    /// 2: topics; 3: groups; 4: the cluster; 5: transactional ids; 6: delegation tokens.
    var resourceType: Int8
    var resourceName: String
    /// 3: the name as it is; 4: what begins with it (KIP-290). Version 0 has none and means 3.
    var patternType: Int8 = 3
    /// Such as `User:alice`; `User:*` is everybody.
    var principal: String
    /// `*`: any.
    var host: String
    /// 2: all; 3: read; 4: write; 5: create; 6: delete; 7: alter; 8: describe; 9: act for the cluster; 10: describe settings;
    /// 11: alter settings; 12: write idempotently.
    var operation: Int8
    /// 2: deny; 3: allow.
    var permissionType: Int8
}

extension ACLBinding: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.resourceType = try reader.int8()
        self.resourceName = try reader.string()
        if version >= 1 { self.patternType = try reader.int8() }
        self.principal = try reader.string()
        self.host = try reader.string()
        self.operation = try reader.int8()
        self.permissionType = try reader.int8()
        try reader.tags()
    }
}

/// Which bindings are meant. In numbers 1 is any; `nil` is any in strings.
struct ACLFilter: Hashable {
    var resourceTypeFilter: Int8
    var resourceNameFilter: String?
    /// 2: what the name matches in any way (KIP-290). Version 0 has none and means 3.
    var patternTypeFilter: Int8 = 3
    var principalFilter: String?
    var hostFilter: String?
    var operation: Int8
    var permissionType: Int8
}

extension ACLFilter: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.resourceTypeFilter = try reader.int8()
        self.resourceNameFilter = try reader.nullableString()
        if version >= 1 { self.patternTypeFilter = try reader.int8() }
        self.principalFilter = try reader.nullableString()
        self.hostFilter = try reader.nullableString()
        self.operation = try reader.int8()
        self.permissionType = try reader.int8()
        try reader.tags()
    }
}
