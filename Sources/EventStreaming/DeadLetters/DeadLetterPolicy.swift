/// Where messages go that can't be processed.
public struct DeadLetterPolicy: Sendable {
    /// The topic for dead letters of a topic. Its cleanup policy must be `delete`.
    public var topic: @Sendable (String) -> String {
        didSet { self.suffix = nil }
    }

    /// Whether the order of a key is kept: later messages of a key that has a dead letter follow it there, until it was replayed
    /// and processed. Default: false, they are processed.
    ///
    /// The topic for dead letters needs as many partitions as the topic itself. A letter of partition 3 is in partition 3 there.
    /// Messages without a key have no order.
    public var isOrdered = false

    /// In ordered mode, how many letters of a partition may wait; with one more the processor stops. Each takes some 200 bytes of
    /// memory and its key. Default: 100,000.
    public var maxWaiting = 100_000

    /// What names of topics for dead letters end with, where that is known.
    private(set) var suffix: String?

    /// Dead letters of each topic go to one of their own: its name and a suffix.
    public init(suffix: String = ".dead-letters") {
        self.topic = { $0 + suffix }
        self.suffix = suffix
    }

    /// All dead letters go to one topic.
    public init(topic: String) {
        self.topic = { _ in topic }
    }

    /// Dead letters of each topic go to one of their own, and later messages of their keys follow them.
    public static var ordered: DeadLetterPolicy {
        var policy = DeadLetterPolicy()
        policy.isOrdered = true
        return policy
    }

    /// What is wrong with it for a processor of these topics, if anything is.
    func problem(inputs: [String]) -> String? {
        if let loop = inputs.first(where: { inputs.contains(self.topic($0)) }) {
            return "dead letters of \(loop) would go to \(self.topic(loop)), which the processor reads itself"
        }
        if let suffix, !suffix.isEmpty, let letters = inputs.first(where: { $0.hasSuffix(suffix) }) {
            return "\(letters) has dead letters, and dead letters of dead letters would go round in circles: set "
                + "`deadLetters` to nil, or to a topic of another name"
        }
        if self.maxWaiting < 1 { return "`deadLetters.maxWaiting` is \(self.maxWaiting): it must be at least 1" }
        return nil
    }
}
