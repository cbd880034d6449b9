#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Serde where Value == [UInt8] {
    /// The bytes as they are.
    public static var bytes: Self {
        .bytes(contentType: "application/octet-stream", encode: { $0 }, decode: { $0 })
    }
}

extension Serde where Value == Data {
    /// The bytes as they are, as databases take them.
    public static var data: Self {
        .bytes(contentType: "application/octet-stream", encode: { Array($0) }, decode: { Data($0) })
    }
}

extension Serde where Value == String {
    /// UTF-8. Other bytes are refused rather than repaired.
    public static var string: Self {
        .bytes(contentType: "text/plain; charset=utf-8", encode: { Array($0.utf8) }) { bytes in
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw SerdeError("the bytes are not UTF-8")
            }
            return text
        }
    }
}

extension Serde where Value == UUID {
    /// The text form, `E621E1F8-C36C-495A-93FC-0C247A3E6E5F`, in small letters (RFC 9562, section 4).
    public static var uuid: Self {
        .bytes(contentType: "text/plain; charset=utf-8", encode: { Array($0.uuidString.lowercased().utf8) }) { bytes in
            guard let text = String(validating: bytes, as: UTF8.self), let uuid = UUID(uuidString: text) else {
                throw SerdeError("the bytes are not the text of a UUID")
            }
            return uuid
        }
    }
}

extension Serde where Value: FixedWidthInteger {
    /// The bytes of the number, the first one being the most significant, as Java's serializers write `int` and `long`.
    public static var bigEndian: Self {
        .bytes(contentType: "application/octet-stream") { value in
            withUnsafeBytes(of: value.bigEndian) { Array($0) }
        } decode: { bytes in
            let width = MemoryLayout<Value>.size
            guard bytes.count == width else { throw SerdeError("expected \(width) bytes, found \(bytes.count)") }
            return Value(bigEndian: bytes.withUnsafeBytes { $0.loadUnaligned(as: Value.self) })
        }
    }

    /// Decimal digits: `-42`.
    public static var decimal: Self {
        .bytes(contentType: "text/plain; charset=utf-8", encode: { Array(String($0).utf8) }) { bytes in
            guard let text = String(validating: bytes, as: UTF8.self), let value = Value(text, radix: 10) else {
                throw SerdeError("the bytes are not a decimal number")
            }
            return value
        }
    }
}
