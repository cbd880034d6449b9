internal import KafkaClient

/// A record in a topic of dead letters that says what became of a letter in the same partition. Its key is the letter's, its
/// value null.
struct DeadLetterMark: Sendable, Hashable {
    enum Kind: String, Sendable {
        /// A copy was sent to the topic that it comes from, in the transaction of this mark.
        case replayed
        /// That copy was processed.
        case resolved
    }

    private static let kindHeader = "kstream-dead-letter-mark"
    private static let letterHeader = "kstream-dead-letter-marked"

    var kind: Kind
    var letter: DeadLetterPosition

    init(_ kind: Kind, _ letter: DeadLetterPosition) {
        self.kind = kind
        self.letter = letter
    }

    /// - Returns: `nil` for a record that is no mark.
    init?(headers: [KafkaHeader]) {
        func text(_ name: String) -> String? {
            headers.first { $0.key == name }?.value.flatMap { String(validating: $0, as: UTF8.self) }
        }
        guard let kind = text(Self.kindHeader).flatMap({ Kind(rawValue: $0) }),
            let letter = text(Self.letterHeader).flatMap({ DeadLetterPosition($0) })
        else { return nil }
        self.init(kind, letter)
    }

    func record(key: [UInt8]?) -> KafkaProducerRecord {
        KafkaProducerRecord(
            topic: self.letter.topic,
            partition: self.letter.partition,
            key: key,
            value: nil,
            headers: [
                KafkaHeader(key: Self.kindHeader, value: self.kind.rawValue),
                KafkaHeader(key: Self.letterHeader, value: self.letter.description),
            ]
        )
    }
}
