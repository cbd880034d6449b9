internal import KafkaClient

/// Headers as bytes: for each its name and its value, both behind their length of four bytes, big end first; a length of all ones
/// is a value that is null.
enum HeaderCoding {
    static func encode(_ headers: [KafkaHeader]) -> [UInt8] {
        var bytes: [UInt8] = []
        func append(_ part: some Collection<UInt8>) {
            withUnsafeBytes(of: UInt32(part.count).bigEndian) { bytes += $0 }
            bytes += part
        }
        for header in headers {
            append(header.key.utf8)
            if let value = header.value {
                append(value)
            } else {
                bytes += [0xFF, 0xFF, 0xFF, 0xFF]
            }
        }
        return bytes
    }

    /// Stops at what is no header.
    static func decode(_ bytes: [UInt8]) -> [KafkaHeader] {
        var rest = bytes[...]
        func takePart() -> (isNull: Bool, bytes: ArraySlice<UInt8>)? {
            guard rest.count >= 4 else { return nil }
            let length = rest.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            rest = rest.dropFirst(4)
            if length == .max { return (true, []) }
            guard rest.count >= Int(length) else { return nil }
            defer { rest = rest.dropFirst(Int(length)) }
            return (false, rest.prefix(Int(length)))
        }
        var headers: [KafkaHeader] = []
        while let key = takePart(), let value = takePart() {
            headers.append(
                KafkaHeader(
                    key: String(decoding: key.bytes, as: UTF8.self),
                    value: value.isNull ? nil : Array(value.bytes)
                )
            )
        }
        return headers
    }
}
