/// Something that a request holds: its body, or a structure in it.
protocol WireReadable {
    /// Reads all of it, with its tagged fields, in a version that is served. The reader is flexible when the version is.
    init(from reader: inout WireReader, version: Int16) throws(WireError)
}

/// Something that a response holds: its body, or a structure in it.
protocol WireWritable {
    /// Writes all of it, with its tagged fields, in a version that is served. The writer is flexible when the version is.
    func write(to writer: inout WireWriter, version: Int16)
}

/// The body of a request.
///
/// Names are those of Apache Kafka's message definitions; fields that a version lacks get the value that it implies.
protocol RequestMessage: WireReadable {
    static var api: APIKey { get }
}

/// The body of a response.
///
/// The time for which a client was throttled is no field: this broker throttles nobody and writes 0 wherever it belongs.
protocol ResponseMessage: WireWritable {}

extension WireReader {
    /// An array of structures.
    mutating func elements<Element: WireReadable>(version: Int16) throws(WireError) -> [Element] {
        try self.array { (reader: inout WireReader) throws(WireError) in
            try Element(from: &reader, version: version)
        }
    }

    /// An array of structures, or null.
    mutating func nullableElements<Element: WireReadable>(version: Int16) throws(WireError) -> [Element]? {
        try self.nullableArray { (reader: inout WireReader) throws(WireError) in
            try Element(from: &reader, version: version)
        }
    }

    /// An array of strings, or null.
    mutating func nullableStrings() throws(WireError) -> [String]? {
        try self.nullableArray { (reader: inout WireReader) throws(WireError) in try reader.string() }
    }

    /// Which records the client wants to see. No client sends a level that Kafka does not know.
    mutating func isolationLevel() throws(WireError) -> IsolationLevel {
        let value = try self.int8()
        guard let level = IsolationLevel(rawValue: value) else { throw WireError("no isolation level, \(value)") }
        return level
    }
}

extension WireWriter {
    /// An array of structures, or null.
    mutating func elements(_ elements: [some WireWritable]?, version: Int16) {
        self.array(elements) { $1.write(to: &$0, version: version) }
    }

    /// How long the client was throttled, in milliseconds: never.
    mutating func throttleTime() { self.int32(0) }
}
