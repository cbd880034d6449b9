import Testing

@testable import KafkaClient

/// How old a record is, found out by offsets for times alone.
struct RecordTimeSearchTests {
    private static let now = KafkaTimestamp(millisecondsSince1970: 1_700_000_000_000)

    /// Searches in a log that is a list of timestamps.
    private func search(_ log: [Int64], position: Int64) -> (age: Duration?, rounds: Int) {
        var search = RecordTimeSearch(position: position, now: Self.now)
        var rounds = 0
        while true {
            let questions = search.questions
            if questions.isEmpty || rounds > 100 { return (search.age, rounds) }
            #expect(questions.count <= 8, "more would wait for each other")
            rounds += 1
            search.answer(questions.map { time in log.firstIndex { $0 >= time }.map(Int64.init) })
        }
    }

    /// Ages are milliseconds before now.
    private func log(ages: [Int64]) -> [Int64] { ages.map { Self.now.millisecondsSince1970 - $0 } }

    private func expect(
        _ age: Duration?,
        isAbout milliseconds: Int64,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let age = try #require(age, sourceLocation: sourceLocation)
        #expect(age >= .milliseconds(milliseconds), sourceLocation: sourceLocation)
        #expect(age <= .milliseconds(milliseconds + max(100, milliseconds / 16 + 1)), sourceLocation: sourceLocation)
    }

    @Test(arguments: [0, 1, 99, 100, 999, 1000, 1001, 59_999, 3_600_000, 86_400_000, 604_800_000, 1_000_000_000_000])
    func findsTheAge(_ age: Int64) throws {
        let found = self.search(self.log(ages: [age]), position: 0)
        try self.expect(found.age, isAbout: age)
        #expect(found.rounds <= (age < 5_000_000_000 ? 3 : 4))
    }

    @Test func findsEachRecordOfALog() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            var ages = (0..<40).map { _ in Int64.random(in: 0...(1 << Int64.random(in: 1...33, using: &generator))) }
            ages.sort(by: >)
            for (position, age) in ages.enumerated() {
                let found = self.search(self.log(ages: ages), position: Int64(position))
                try self.expect(found.age, isAbout: age)
            }
        }
    }

    /// A quiet topic whose last record was read long ago, and a new one.
    @Test func theRecordsBeforeDoNotCount() throws {
        try self.expect(self.search(self.log(ages: [7_200_000, 1500]), position: 1).age, isAbout: 1500)
    }

    @Test func theLatestTimeUpToTheRecordCounts() throws {
        try self.expect(self.search(self.log(ages: [5000, 60_000, 1000]), position: 1).age, isAbout: 5000)
    }

    @Test func timesOfTheFutureAreNow() throws {
        try self.expect(self.search(self.log(ages: [-3_600_000]), position: 0).age, isAbout: 0)
    }

    @Test func aLogWithoutTimestampsHasNoAge() {
        let found = self.search([-1, -1, -1], position: 1)
        #expect(found.age == nil)
        #expect(found.rounds == 1)
    }

    @Test func aClockBefore1970EndsTheSearch() {
        var search = RecordTimeSearch(position: 0, now: KafkaTimestamp(millisecondsSince1970: .min))
        search.answer(search.questions.map { _ in nil })
        #expect(search.questions.isEmpty)
        #expect(search.age == nil)
    }

    /// The log lost its beginning between two answers.
    @Test func answersThatContradictEachOtherEndTheSearch() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            var search = RecordTimeSearch(position: 5, now: Self.now)
            var rounds = 0
            while !search.questions.isEmpty {
                search.answer(search.questions.map { _ in Bool.random(using: &generator) ? 3 : 7 })
                rounds += 1
                if rounds > 100 { break }
            }
            #expect(rounds <= 100)
        }
    }
}
