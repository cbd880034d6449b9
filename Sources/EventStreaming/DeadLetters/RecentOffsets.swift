/// The last offsets that were put in, so many of them.
struct RecentOffsets: Sendable {
    private let limit: Int
    private var known: Set<Int64> = []
    /// A ring, in the order in which they came.
    private var ring: [Int64] = []
    private var next = 0

    init(limit: Int) {
        self.limit = limit
    }

    func contains(_ offset: Int64) -> Bool { self.known.contains(offset) }

    mutating func insert(_ offset: Int64) {
        guard self.known.insert(offset).inserted else { return }
        if self.ring.count < self.limit {
            self.ring.append(offset)
        } else {
            self.known.remove(self.ring[self.next])
            self.ring[self.next] = offset
            self.next = (self.next + 1) % self.limit
        }
    }
}
