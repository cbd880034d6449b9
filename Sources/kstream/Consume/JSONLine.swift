internal import KafkaClient

/// A record as one JSON object on one line (RFC 8259).
///
/// Written by hand: the keys keep their order, and a line costs no more than its bytes.
struct JSONLine {
    private(set) var bytes: [UInt8] = []

    /// Appends the object of a record.
    mutating func append(_ record: KafkaRecord) {
        self.raw("{\"topic\":")
        self.string(record.topic)
        self.raw(",\"partition\":\(record.partition),\"offset\":\(record.offset),\"timestamp\":")
        self.raw(record.timestamp.map { "\($0.millisecondsSince1970)" } ?? "null")
        self.raw(",")
        self.field("key", record.key)
        self.raw(",")
        self.field("value", record.value)
        self.raw(",\"headers\":[")
        for (index, header) in record.headers.enumerated() {
            self.raw(index == 0 ? "{\"key\":" : ",{\"key\":")
            self.string(header.key)
            self.raw(",")
            self.field("value", header.value)
            self.raw("}")
        }
        self.raw("]}")
    }

    /// A field with bytes: null, text where they are UTF-8, else base64 under the name with `Base64` behind it.
    private mutating func field(_ name: String, _ value: [UInt8]?) {
        guard let value else { return self.raw("\"\(name)\":null") }
        if let text = String(validating: value, as: UTF8.self) {
            self.raw("\"\(name)\":")
            self.string(text)
        } else {
            self.raw("\"\(name)Base64\":\"")
            self.base64(value)
            self.raw("\"")
        }
    }

    private mutating func raw(_ text: String) {
        self.bytes.append(contentsOf: text.utf8)
    }

    private mutating func string(_ text: String) {
        let digits = Array("0123456789abcdef".utf8)
        self.bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): self.raw("\\\"")
            case UInt8(ascii: "\\"): self.raw("\\\\")
            case UInt8(ascii: "\n"): self.raw("\\n")
            case UInt8(ascii: "\r"): self.raw("\\r")
            case UInt8(ascii: "\t"): self.raw("\\t")
            case 0..<0x20, 0x7F:
                self.raw("\\u00")
                self.bytes.append(digits[Int(byte >> 4)])
                self.bytes.append(digits[Int(byte & 15)])
            default: self.bytes.append(byte)
            }
        }
        self.bytes.append(UInt8(ascii: "\""))
    }

    /// RFC 4648, section 4, with padding.
    private mutating func base64(_ value: [UInt8]) {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var position = 0
        while position < value.count {
            let group = value[position..<min(position + 3, value.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for index in 0..<4 {
                let isPadding = index > group.count
                self.bytes.append(isPadding ? UInt8(ascii: "=") : alphabet[bits >> (18 - 6 * index) & 63])
            }
            position += 3
        }
    }
}
