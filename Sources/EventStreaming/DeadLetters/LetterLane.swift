/// Whose letters wait for each other: those of a key that a processor gave up in ordered mode.
struct LetterLane: Sendable, Hashable {
    var processor: String
    var topic: String
    var key: [UInt8]

    /// - Returns: `nil` for a letter that has no order.
    init?(_ letter: DeadLetter, key: [UInt8]?) {
        guard letter.isOrdered, let key else { return nil }
        self.init(processor: letter.processor, topic: letter.topic, key: key)
    }

    init(processor: String, topic: String, key: [UInt8]) {
        self.processor = processor
        self.topic = topic
        self.key = key
    }
}
