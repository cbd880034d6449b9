/// How often, and after which pauses, a handler gets a message again whose error may pass.
///
/// Meanwhile the messages that are to keep their order with it wait, and nothing of the message is sent or committed.
public struct RetryPolicy: Sendable, Hashable {
    /// How often the handler gets a message at most, the first time included. Default: 5.
    public var attempts = 5
    /// The pause after the first attempt. Default: 100 ms.
    public var firstDelay = Duration.milliseconds(100)
    /// By how much a pause is longer than the one before. Default: 2.
    public var factor = 2.0
    /// The longest pause. Default: 10 s.
    public var maxDelay = Duration.seconds(10)
    /// How much of a pause is left to chance, so that those who failed together do not try again together: from 0, nothing, to
    /// 1, all of it. Default: 0.5.
    public var jitter = 0.5

    /// The defaults.
    public init() {}

    /// One attempt.
    public static var never: RetryPolicy {
        var policy = RetryPolicy()
        policy.attempts = 1
        return policy
    }

    /// The pause after an attempt.
    ///
    /// - Parameters:
    ///   - attempt: which one it was, from 1 on.
    ///   - chance: from 0 to 1.
    func delay(after attempt: Int, chance: Double) -> Duration {
        let longest = self.longestDelay(after: attempt)
        return longest * (1 - self.jitter * chance)
    }

    /// How long a message is with its handler at most, beside the time of the handler itself.
    var longestWait: Duration {
        guard self.attempts > 1 else { return .zero }
        var sum = Duration.zero
        for attempt in 1..<self.attempts {
            let delay = self.longestDelay(after: attempt)
            // From here on all are the same.
            if delay >= self.maxDelay { return sum + delay * (self.attempts - attempt) }
            sum += delay
        }
        return sum
    }

    private func longestDelay(after attempt: Int) -> Duration {
        var delay = self.firstDelay
        for _ in 1..<max(1, attempt) where delay < self.maxDelay {
            delay = min(delay * self.factor, self.maxDelay)
        }
        return min(delay, self.maxDelay)
    }

    /// What is wrong with the values, if anything is.
    var problem: String? {
        if !(1...1_000_000).contains(self.attempts) {
            return "`attempts` is \(self.attempts): it must be from 1 to 1,000,000"
        }
        if self.firstDelay < .zero { return "`firstDelay` is \(self.firstDelay): it must not be negative" }
        if self.maxDelay < self.firstDelay || self.maxDelay > .seconds(86_400) {
            return "`maxDelay` is \(self.maxDelay): it must be from `firstDelay` (\(self.firstDelay)) to a day"
        }
        if !(1...1_000).contains(self.factor) { return "`factor` is \(self.factor): it must be from 1 to 1,000" }
        if !(0...1).contains(self.jitter) { return "`jitter` is \(self.jitter): it must be from 0 to 1" }
        return nil
    }
}
