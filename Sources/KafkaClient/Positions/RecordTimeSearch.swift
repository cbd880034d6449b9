/// Finds out how old the record at a position is, by questions for "the first offset of this time or later" alone.
///
/// Several times are asked for at once, since a broker may take a while for each round: a consumer's questions wait behind
/// its fetches. Three rounds are enough for ages up to two months.
struct RecordTimeSearch {
    /// What the age may be wrong by, in milliseconds, unless a sixteenth of it is more.
    private static let precision: Int64 = 100
    /// The ages of the first round, in milliseconds: 2 s, 30 s, 10 minutes, 3 hours, 3 days, 60 days.
    private static let ladder: [Int64] = [precision, 2000, 30_000, 600_000, 10_800_000, 259_200_000, 5_184_000_000]

    private let position: Int64
    private let now: Int64
    /// The record is older than this, or as old as it is where nothing was asked yet.
    private var younger: Int64 = 0
    /// The record is at most this old.
    private var older: Int64
    private var isBegun = false
    private var hasTimestamps = true

    /// - Parameters:
    ///   - position: a position that the log holds.
    ///   - now: the time from which ages count.
    init(position: Int64, now: KafkaTimestamp) {
        self.position = position
        self.now = max(0, now.millisecondsSince1970)
        self.older = self.now
    }

    private var isDone: Bool {
        self.isBegun && (!self.hasTimestamps || self.older - self.younger <= max(Self.precision, self.younger / 16))
    }

    /// The times to ask for next, in milliseconds since 1970; none when nothing is left to ask.
    var questions: [Int64] {
        if self.isDone { return [] }
        let ages: [Int64]
        if self.isBegun {
            ages = Self.between(max(self.younger, Self.precision), self.older, depth: 3)
        } else {
            // Every record with a timestamp is one from 1970 or later.
            ages = Self.ladder.filter { $0 < self.now } + [self.now]
        }
        return ages.map { self.now - $0 }
    }

    /// Takes the answers to ``questions``, in their order.
    ///
    /// - Parameter offsets: for each the first offset of that time or later; `nil` when there is none.
    mutating func answer(_ offsets: [Int64?]) {
        for (time, offset) in zip(self.questions, offsets) {
            let age = self.now - time
            if let offset, offset <= self.position {
                self.older = min(self.older, age)
            } else if age == self.now {
                self.hasTimestamps = false
            } else {
                self.younger = max(self.younger, age)
            }
        }
        // The log may have changed between two answers.
        self.younger = min(self.younger, self.older)
        self.isBegun = true
    }

    /// The age, once there is nothing left to ask; `nil` when the log has no timestamps.
    var age: Duration? {
        self.hasTimestamps ? .milliseconds(self.older) : nil
    }

    /// Ages that part an interval into pieces with the same ratio of their ends.
    private static func between(_ least: Int64, _ most: Int64, depth: Int) -> [Int64] {
        let middle = Int64((Double(least) * Double(most)).squareRoot())
        guard depth > 0, middle > least, middle < most else { return [] }
        return Self.between(least, middle, depth: depth - 1) + [middle]
            + Self.between(middle, most, depth: depth - 1)
    }
}
