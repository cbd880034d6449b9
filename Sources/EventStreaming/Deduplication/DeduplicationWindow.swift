/// The events of the last while, up to a number.
struct DeduplicationWindow {
    private struct Entry {
        var event: EventIdentity
        var time: ContinuousClock.Instant
    }

    private let maxCount: Int
    private let maxAge: Duration
    private var positions: [EventIdentity: RecordPosition] = [:]
    /// In the order in which they came; those before `start` are gone.
    private var entries: [Entry] = []
    private var start = 0

    init(maxCount: Int, maxAge: Duration) {
        self.maxCount = maxCount
        self.maxAge = maxAge
    }

    var count: Int { self.positions.count }

    /// The record that carried an event; `nil` for one that is not known.
    mutating func position(of event: EventIdentity, now: ContinuousClock.Instant) -> RecordPosition? {
        self.forget(until: now - self.maxAge, limit: self.maxCount)
        return self.positions[event]
    }

    /// An event was handled. One that is known already keeps its age.
    mutating func add(_ event: EventIdentity, at position: RecordPosition, now: ContinuousClock.Instant) {
        guard self.positions.updateValue(position, forKey: event) == nil else { return }
        self.entries.append(Entry(event: event, time: now))
        self.forget(until: now - self.maxAge, limit: self.maxCount)
    }

    private mutating func forget(until time: ContinuousClock.Instant, limit: Int) {
        while self.start < self.entries.count, self.count > limit || self.entries[self.start].time <= time {
            self.positions[self.entries[self.start].event] = nil
            self.start += 1
        }
        // Moving the rest costs as much as was forgotten since the last time.
        if self.start > 1_000, self.start * 2 > self.entries.count {
            self.entries.removeFirst(self.start)
            self.start = 0
        }
    }
}
