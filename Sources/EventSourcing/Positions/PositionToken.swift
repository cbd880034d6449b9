public import KafkaClient

/// How far somebody has written: what a reader waits for in order to read their own write.
///
/// A producer's acknowledgement, an ``EventStore``'s append and a ``CommandBus``'s outcome each give one; tokens merge. As text it
/// fits into an HTTP header, so that the next request of the same user can carry it:
///
/// ```swift
/// response.headers["Kstream-Position"] = outcome.token.description
/// // ... and on the reading side:
/// let token = try PositionToken(request.headers["Kstream-Position"] ?? "")
/// let orders = try await readModel.read(after: token, timeout: .seconds(2)) { db in ... }
/// ```
public struct PositionToken: Sendable, Hashable, CustomStringConvertible {
    /// For each partition the offset of the next record: all before it are to be seen.
    ///
    /// The events of a store count as a partition 0, whose topic is the store's name behind a `~`, which no topic of Kafka has.
    public private(set) var positions: [KafkaTopicPartition: Int64]

    /// Makes a token of the offsets of the next records. Negative ones are left out.
    public init(_ positions: [KafkaTopicPartition: Int64] = [:]) {
        self.positions = positions.filter { $0.value >= 0 }
    }

    /// Makes a token of an acknowledgement; it is empty when the broker gave no offset.
    public init(_ metadata: KafkaRecordMetadata) {
        self.init(metadata.offset.map { [metadata.topicPartition: $0 + 1] } ?? [:])
    }

    /// Makes a token of several acknowledgements.
    public init(_ metadata: some Sequence<KafkaRecordMetadata>) {
        self.init()
        for metadata in metadata { self.merge(PositionToken(metadata)) }
    }

    /// Makes a token of a place in a store's order of events.
    ///
    /// - Parameters:
    ///   - store: the store's name.
    ///   - position: the position of the last event that is to be seen.
    public init(store: String, position: Int64) {
        self.init([Self.partition(ofStore: store): position + 1])
    }

    /// What stands for a store among the partitions.
    public static func partition(ofStore store: String) -> KafkaTopicPartition {
        KafkaTopicPartition(topic: "~\(store)", partition: 0)
    }

    /// Whether there is nothing to wait for.
    public var isEmpty: Bool { self.positions.isEmpty }

    /// Takes over what another token asks for, too.
    public mutating func merge(_ other: PositionToken) {
        self.positions.merge(other.positions) { max($0, $1) }
    }

    /// A token that asks for what both ask for.
    public func merging(_ other: PositionToken) -> PositionToken {
        var token = self
        token.merge(other)
        return token
    }

    /// What of it is not reached at these positions.
    public func missing(at positions: [KafkaTopicPartition: Int64]) -> PositionToken {
        PositionToken(self.positions.filter { positions[$0.key] ?? 0 < $0.value })
    }

    // MARK: Text

    /// The longest text that is read, in bytes.
    private static let maxLength = 65_536

    /// `orders.events:0@17,3@42;payments.events:1@7`: topics, each with its partitions and their offsets, in order.
    public var description: String {
        let topics = Dictionary(grouping: self.positions, by: \.key.topic).sorted { $0.key < $1.key }
        return topics.map { topic, positions in
            let places = positions.sorted { $0.key < $1.key }.map { "\($0.key.partition)@\($0.value)" }
            return "\(topic):\(places.joined(separator: ","))"
        }.joined(separator: ";")
    }

    /// Reads the text of a token; an empty one is an empty token.
    ///
    /// - Throws: ``PositionTokenError`` for anything else.
    public init(_ text: String) throws(PositionTokenError) {
        self.init()
        guard text.utf8.count <= Self.maxLength else { throw PositionTokenError(text: text) }
        if text.isEmpty { return }
        for part in text.split(separator: ";", omittingEmptySubsequences: false) {
            let halves = part.split(separator: ":", omittingEmptySubsequences: false)
            guard halves.count == 2, Self.isName(halves[0]) else { throw PositionTokenError(text: text) }
            for place in halves[1].split(separator: ",", omittingEmptySubsequences: false) {
                let numbers = place.split(separator: "@", omittingEmptySubsequences: false)
                guard numbers.count == 2, let partition = Int32(numbers[0]), partition >= 0,
                    let offset = Int64(numbers[1]), offset >= 0
                else { throw PositionTokenError(text: text) }
                let key = KafkaTopicPartition(topic: String(halves[0]), partition: partition)
                self.positions[key] = max(offset, self.positions[key] ?? 0)
            }
        }
    }

    /// Whether text is the name of a topic, or that of a store behind a `~`.
    private static func isName(_ text: Substring) -> Bool {
        let name = text.hasPrefix("~") ? text.dropFirst() : text
        return !name.isEmpty && name.utf8.count <= 249
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// Whether a name can be that of a store in a token: what a topic of Kafka can be called.
    package static func canName(store: String) -> Bool { !store.hasPrefix("~") && self.isName(store[...]) }
}

/// A text is no ``PositionToken``.
public struct PositionTokenError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The text, shortened.
    public let text: String

    init(text: String) {
        self.text = text.count > 80 ? "\(text.prefix(80))..." : text
    }

    /// What is wrong.
    public var description: String {
        "\"\(self.text)\" is no position: expected a text such as orders.events:0@17,3@42"
    }
}
