/// A header of a record. Keys may repeat; their order is kept.
public struct KafkaHeader: Sendable, Hashable {
    /// The name of the header.
    public var key: String
    /// The value; `nil` is a null value, which is not the same as an empty one.
    public var value: [UInt8]?

    /// Makes a header with bytes, or with a null value.
    public init(key: String, value: [UInt8]?) {
        self.key = key
        self.value = value
    }

    /// Makes a header whose value is the UTF-8 form of a string.
    public init(key: String, value: String) {
        self.key = key
        self.value = Array(value.utf8)
    }
}
