/// Why bytes from a socket are not the message that they claim to be.
///
/// A connection that sends such bytes is closed, as Apache Kafka does: nothing after them can be trusted.
struct WireError: Error, Hashable, CustomStringConvertible {
    /// What was wrong, in words.
    let reason: String

    init(_ reason: String) {
        self.reason = reason
    }

    var description: String { self.reason }
}
