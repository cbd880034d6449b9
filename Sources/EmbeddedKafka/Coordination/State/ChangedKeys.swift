/// The keys whose values have changed since they were last taken, each once, in the order of their first change.
struct ChangedKeys<Key: Hashable> {
    private var keys: [Key] = []
    private var known: Set<Key> = []
    private let isKept: Bool

    /// - Parameter isKept: Whether anybody will take them. If nobody does they would grow without end.
    init(isKept: Bool) {
        self.isKept = isKept
    }

    mutating func insert(_ key: Key) {
        if self.isKept, self.known.insert(key).inserted { self.keys.append(key) }
    }

    mutating func take() -> [Key] {
        defer {
            self.keys = []
            self.known = []
        }
        return self.keys
    }
}
