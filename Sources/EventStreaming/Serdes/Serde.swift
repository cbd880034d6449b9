/// How values of one type become the bytes of keys or values of records, and come back.
///
/// ```swift
/// Serde<Order>.json()          // any Codable type
/// Serde<String>.string         // UTF-8
/// Serde<Order?>.optional(.json())  // nil is a tombstone
/// ```
///
/// Make another one of two closures. Both may run on several threads at once.
public struct Serde<Value: Sendable>: Sendable {
    /// The media type of the bytes, which goes into the header `content-type` of a value; `nil` when there is none to tell.
    public let contentType: String?

    private let encodeValue: @Sendable (Value) throws -> [UInt8]?
    @usableFromInline let decodeBytes: @Sendable ([UInt8]?) throws -> Value

    /// Makes a serde of two closures.
    ///
    /// - Parameters:
    ///   - contentType: the media type of the bytes (RFC 2046), such as `application/json`.
    ///   - encode: makes the bytes; `nil` is no key, or a tombstone.
    ///   - decode: reads bytes, `nil` where there are none. What it throws is told as a ``SerdeError``.
    public init(
        contentType: String? = nil,
        encode: @escaping @Sendable (Value) throws -> [UInt8]?,
        decode: @escaping @Sendable ([UInt8]?) throws -> Value
    ) {
        self.contentType = contentType
        self.encodeValue = encode
        self.decodeBytes = decode
    }

    /// The bytes of a value.
    ///
    /// - Throws: ``SerdeError`` for a value that has no such form.
    public func encode(_ value: Value) throws(SerdeError) -> [UInt8]? {
        do {
            return try self.encodeValue(value)
        } catch {
            throw SerdeError(error, problem: "can't write \(Value.self)")
        }
    }

    /// The value of bytes.
    ///
    /// - Throws: ``SerdeError`` for bytes that are no such value.
    @inlinable
    public func decode(_ bytes: [UInt8]?) throws(SerdeError) -> Value {
        do {
            return try self.decodeBytes(bytes)
        } catch {
            throw SerdeError(error, problem: "can't read \(Value.self)")
        }
    }
}

extension Serde {
    /// Makes a serde for values that always have bytes: reading where there are none fails.
    ///
    /// - Parameters:
    ///   - contentType: the media type of the bytes (RFC 2046).
    ///   - encode: makes the bytes.
    ///   - decode: reads bytes. What it throws is told as a ``SerdeError``.
    public static func bytes(
        contentType: String? = nil,
        encode: @escaping @Sendable (Value) throws -> [UInt8],
        decode: @escaping @Sendable ([UInt8]) throws -> Value
    ) -> Self {
        Self(contentType: contentType, encode: encode) { bytes in
            guard let bytes else { throw SerdeError("there are no bytes") }
            return try decode(bytes)
        }
    }

    /// A serde whose `nil` is no key, or the value of a tombstone.
    public static func optional<Wrapped>(_ serde: Serde<Wrapped>) -> Self where Value == Wrapped? {
        Self(contentType: serde.contentType) { value in
            try value.flatMap { value throws(SerdeError) in try serde.encode(value) }
        } decode: { bytes in
            guard let bytes else { return nil }
            return try serde.decode(bytes)
        }
    }
}
