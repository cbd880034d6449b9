/// The commands that were handled lately, up to a number.
struct CommandWindow: Sendable {
    private(set) var memories: [String: CommandMemory] = [:]
    /// In the order in which they came; those before `start` are forgotten.
    private var order: [String] = []
    private var start = 0

    subscript(id: String) -> CommandMemory? { self.memories[id] }

    /// The commands in their order.
    var ids: ArraySlice<String> { self.order[self.start...] }

    /// Adds a command. The oldest one is forgotten when there are more than the limit.
    mutating func add(_ id: String, _ memory: CommandMemory, limit: Int) {
        guard limit > 0 else { return }
        if self.memories.updateValue(memory, forKey: id) == nil { self.order.append(id) }
        while self.memories.count > limit {
            self.memories[self.order[self.start]] = nil
            self.start += 1
        }
        // Moving the rest costs as much as was forgotten since the last time.
        if self.start > 1_000, self.start * 2 > self.order.count {
            self.order.removeFirst(self.start)
            self.start = 0
        }
    }

    /// Adds one more event of a command.
    mutating func add(_ id: String, version: Int64, offset: Int64, limit: Int) {
        let count = (self.memories[id]?.count ?? 0) + 1
        self.add(id, CommandMemory(version: version, count: count, offset: offset), limit: limit)
    }
}
