public import EventStreaming
public import SwiftProtobuf

extension Serde where Value: SwiftProtobuf.Message {
    /// Protocol Buffers in their binary form, by the code that `protoc` generates for Swift.
    ///
    /// ```swift
    /// let orders = Topic<String, Shop_OrderPlaced>("orders.events", key: .string, value: .protobuf())
    /// ```
    ///
    /// Fields that the message does not know are kept and written again, unless `discardsUnknownFields` is set. An empty
    /// value is the message whose fields all have their defaults; there is none in a tombstone.
    ///
    /// - Parameter discardsUnknownFields: whether fields are dropped that the message does not know.
    public static func protobuf(discardsUnknownFields: Bool = false) -> Self {
        var options = BinaryDecodingOptions()
        options.discardUnknownFields = discardsUnknownFields
        return .bytes(contentType: "application/protobuf") { message in
            try message.serializedBytes()
        } decode: { [options] bytes in
            do {
                return try Value(serializedBytes: bytes, options: options)
            } catch {
                throw SerdeError("the bytes are no message of the type \(Value.protoMessageName): \(error)")
            }
        }
    }
}
