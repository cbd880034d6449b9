/// Where messages go that can't be processed.
public struct DeadLetterPolicy: Sendable {
    /// The topic for dead letters of a topic.
    public var topic: @Sendable (String) -> String

    /// Dead letters of each topic go to one of their own: its name and a suffix.
    public init(suffix: String = ".dead-letters") {
        self.topic = { $0 + suffix }
    }

    /// All dead letters go to one topic.
    public init(topic: String) {
        self.topic = { _ in topic }
    }
}
