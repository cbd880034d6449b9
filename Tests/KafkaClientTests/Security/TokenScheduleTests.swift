import Testing

@testable import KafkaClient

/// When tokens are fetched, and what is wrong with them.
@Suite struct TokenScheduleTests {
    @Test func oneAttemptAtATime() {
        var schedule = TokenSchedule()
        #expect(schedule.begin() == 1)
        #expect(schedule.begin() == nil)
        #expect(schedule.isRunning(1))
        schedule.succeed(1, expiration: 100)
        #expect(!schedule.isRunning(1))
        #expect(schedule.begin() == 2)
    }

    @Test func anAttemptThatWasGivenUpCountsNoMore() {
        var schedule = TokenSchedule()
        _ = schedule.begin()
        #expect(schedule.fail(1, now: 0) != nil)
        schedule.succeed(1, expiration: 100)
        #expect(schedule.fail(1, now: 0) == nil)
        // It waits for its next attempt, and so begins no other.
        #expect(schedule.begin() == nil)
        #expect(schedule.retry(after: 1) == 2)
        #expect(schedule.retry(after: 1) == nil)
        schedule.succeed(2, expiration: 100)
    }

    @Test func theDelaysGrowAndBeginAnewAfterASuccess() {
        var schedule = TokenSchedule()
        var attempt = schedule.begin()
        var delays: [Duration] = []
        for _ in 0..<70 {
            guard let current = attempt, let failure = schedule.fail(current, now: 0) else { break }
            delays.append(failure.delay)
            attempt = schedule.retry(after: current)
        }
        #expect(Array(delays.prefix(6)) == [0.5, 1, 2, 4, 8, 10].map { Duration.seconds($0) })
        #expect(delays.count == 70)
        #expect(delays.last == .seconds(10))
        schedule.succeed(attempt ?? 0, expiration: 1)
        let next = schedule.begin() ?? 0
        #expect(schedule.fail(next, now: 0)?.delay == .milliseconds(500))
    }

    @Test func othersAreToldWhenNoTokenIsLeft() {
        var schedule = TokenSchedule()
        _ = schedule.begin()
        #expect(schedule.fail(1, now: 0)?.isWithoutToken == true)
        _ = schedule.retry(after: 1)
        schedule.succeed(2, expiration: 100)
        _ = schedule.begin()
        #expect(schedule.fail(3, now: 99)?.isWithoutToken == false)
        _ = schedule.retry(after: 3)
        #expect(schedule.fail(4, now: 100)?.isWithoutToken == true)
    }

    @Test func nothingBeginsAfterTheEnd() {
        var schedule = TokenSchedule()
        _ = schedule.begin()
        schedule.stop()
        #expect(!schedule.isRunning(1))
        #expect(schedule.begin() == nil)
        #expect(schedule.fail(1, now: 0) == nil)
        #expect(schedule.retry(after: 1) == nil)
    }

    @Test func tokensAreChecked() {
        let now: Int64 = 1_000
        func problem(
            _ value: String = "x",
            expiration: Int64 = 1_001,
            principal: String = "",
            _ extensions: [String: String] = [:]
        ) -> String? {
            KafkaOAuthToken(
                value: value,
                expiration: KafkaTimestamp(millisecondsSince1970: expiration),
                principal: principal,
                extensions: extensions
            )
            .problem(now: now)
        }
        #expect(problem() == nil)
        #expect(problem("a b~!\t", principal: "größe", ["Tenant": "", "b": "c=d"]) == nil)
        #expect(problem("")?.contains("empty") == true)
        #expect(problem("ä")?.contains("RFC 7628") == true)
        #expect(problem("a\u{0}")?.contains("RFC 7628") == true)
        #expect(problem("a\u{7F}")?.contains("RFC 7628") == true)
        #expect(problem(expiration: 1_000)?.contains("expired") == true)
        #expect(problem(expiration: .max)?.contains("out of range") == true)
        #expect(problem(principal: "a\u{0}")?.contains("principal") == true)
        for name in ["", "auth", "a1", "a-b", "ä", "["] {
            #expect(problem("x", [name: "x"])?.contains("name") == true)
        }
        #expect(problem("x", ["a": "\u{1}"])?.contains("extension a") == true)
    }

    @Test func aLifetimeBeginsNow() {
        let before = WallClock.now
        let token = KafkaOAuthToken(value: "x", lifetime: .seconds(60))
        #expect((before + 60_000...WallClock.now + 60_000).contains(token.expiration.millisecondsSince1970))
    }
}
