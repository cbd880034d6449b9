/// When a token is fetched: decisions only, of ``TokenRefresh``.
struct TokenSchedule {
    private enum State {
        case idle
        case fetching(Int)
        case waiting(Int)
        case stopped
    }

    /// What to do after a failure.
    struct Failure: Equatable {
        /// How long to wait before the next attempt.
        var delay: Duration
        /// Whether no token is left that brokers take, so that somebody must be told.
        var isWithoutToken: Bool
    }

    private var state = State.idle
    private var lastAttempt = 0
    private var failures = 0
    private var expiration: Int64?

    /// A token is wanted.
    ///
    /// - Returns: The number of the attempt to begin; `nil` when one is running or planned.
    mutating func begin() -> Int? {
        guard case .idle = self.state else { return nil }
        return self.start()
    }

    /// The delay after a failed attempt is over.
    ///
    /// - Returns: The number of the attempt to begin.
    mutating func retry(after attempt: Int) -> Int? {
        guard case .waiting(attempt) = self.state else { return nil }
        return self.start()
    }

    /// Whether an attempt still counts, which it does not after its time-out.
    func isRunning(_ attempt: Int) -> Bool {
        if case .fetching(attempt) = self.state { true } else { false }
    }

    /// An attempt brought a token.
    mutating func succeed(_ attempt: Int, expiration: Int64) {
        guard self.isRunning(attempt) else { return }
        self.state = .idle
        self.failures = 0
        self.expiration = expiration
    }

    /// An attempt failed, or took too long.
    mutating func fail(_ attempt: Int, now: Int64) -> Failure? {
        guard self.isRunning(attempt) else { return nil }
        self.state = .waiting(attempt)
        let delay = min(Duration.seconds(10), .milliseconds(500 << min(self.failures, 5)))
        self.failures += 1
        return Failure(delay: delay, isWithoutToken: self.expiration.map { $0 <= now } ?? true)
    }

    /// The client ends.
    mutating func stop() {
        self.state = .stopped
    }

    private mutating func start() -> Int {
        self.lastAttempt += 1
        self.state = .fetching(self.lastAttempt)
        return self.lastAttempt
    }
}
