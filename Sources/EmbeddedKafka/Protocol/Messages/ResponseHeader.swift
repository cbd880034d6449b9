/// What stands before the body of every response: header version 0, or 1 with tagged fields before a flexible body.
struct ResponseHeader: Equatable {
    /// That of the request.
    var correlationID: Int32
}

extension ResponseHeader {
    /// Writes the header. The writer is flexible when the body is.
    ///
    /// An ApiVersions response has header version 0 whatever its body is, so that a client that is newer than the broker
    /// can read it (KIP-511).
    func write(to writer: inout WireWriter, api: APIKey) {
        writer.int32(self.correlationID)
        if api != .apiVersions { writer.tags() }
    }
}
