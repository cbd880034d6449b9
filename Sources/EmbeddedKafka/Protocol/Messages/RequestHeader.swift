/// What stands before the body of every request: header version 1, or 2 with tagged fields before a flexible body.
struct RequestHeader: Equatable {
    /// The raw number; it may be none of ``APIKey``.
    var apiKey: Int16
    var apiVersion: Int16
    /// What the response must repeat.
    var correlationID: Int32
    var clientID: String?
}

extension RequestHeader {
    /// Reads a header. Afterwards the reader stands at the body, in the form that the body has.
    ///
    /// Whether there are tagged fields follows from the API and the version, also where we do not serve the version:
    /// a client newer than us starts with an ApiVersions of its own (KIP-511). The client id keeps its short length in
    /// header version 2, so that old brokers can read it (KIP-482).
    init(from reader: inout WireReader) throws(WireError) {
        var plain = reader.with(isFlexible: false)
        self.apiKey = try plain.int16()
        self.apiVersion = try plain.int16()
        self.correlationID = try plain.int32()
        self.clientID = try plain.nullableString()
        let isFlexible = APIKey(rawValue: self.apiKey)?.isFlexible(self.apiVersion) ?? false
        reader = plain.with(isFlexible: isFlexible)
        try reader.tags()
    }
}
