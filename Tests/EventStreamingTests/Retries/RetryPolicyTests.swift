import Testing

@testable import EventStreaming

@Suite struct RetryPolicyTests {
    @Test func pausesGrowUpToALimit() {
        var policy = RetryPolicy()
        policy.jitter = 0
        let pauses = (1...9).map { policy.delay(after: $0, chance: 1) / .milliseconds(1) }
        #expect(pauses == [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000])
    }

    @Test func chanceShortensPauses() {
        let policy = RetryPolicy()
        #expect(policy.delay(after: 1, chance: 0) == .milliseconds(100))
        #expect(policy.delay(after: 1, chance: 1) == .milliseconds(50))
    }

    @Test func theLongestWaitIsTheSumOfPauses() {
        var policy = RetryPolicy()
        #expect(policy.longestWait == .milliseconds(100 + 200 + 400 + 800))
        #expect(RetryPolicy.never.longestWait == .zero)
        policy.attempts = 1_000_000
        #expect(policy.longestWait == .milliseconds(12_700) + .seconds(10) * 999_992)
    }

    @Test func valuesThatMakeNoSenseAreNamed() {
        func problem(_ change: (inout RetryPolicy) -> Void) -> String? {
            var policy = RetryPolicy()
            change(&policy)
            return policy.problem
        }
        #expect(problem { _ in } == nil)
        #expect(problem { $0.attempts = 0 }?.hasPrefix("`attempts`") == true)
        #expect(problem { $0.firstDelay = .seconds(-1) }?.hasPrefix("`firstDelay`") == true)
        #expect(problem { $0.maxDelay = .milliseconds(1) }?.hasPrefix("`maxDelay`") == true)
        #expect(problem { $0.factor = .nan }?.hasPrefix("`factor`") == true)
        #expect(problem { $0.jitter = 1.1 }?.hasPrefix("`jitter`") == true)
    }
}
