/// The body of a request.
protocol RequestMessage {
    static var api: APIKey { get }

    /// Reads a body of a version that is served. The reader is flexible when the version is.
    init(from reader: inout WireReader, version: Int16) throws(WireError)
}

/// The body of a response.
protocol ResponseMessage {
    /// Writes the body in a version that is served. The writer is flexible when the version is.
    func write(to writer: inout WireWriter, version: Int16)
}
