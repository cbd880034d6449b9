import Testing

@testable import KafkaClient

/// How far a partition may be committed whose records are done in any order.
@Suite struct CommitFrontierTests {
    @Test func thereIsNothingToCommitBeforeTheFirstRecordIsDone() {
        var frontier = CommitFrontier()
        let numbers = [10, 11, 12].map { frontier.append(offset: $0) }
        #expect(frontier.position == nil)
        #expect(frontier.remove(numbers[1]) == false)
        #expect(frontier.remove(numbers[2]) == false)
        #expect(frontier.position == nil)
        #expect(frontier.span == 3)
        #expect(frontier.remove(numbers[0]) == true)
        #expect(frontier.position == 13)
        #expect(frontier.span == 0)
    }

    @Test func offsetsWithoutARecordDoNotHoldItUp() {
        var frontier = CommitFrontier()
        let numbers = [10, 20, 30].map { frontier.append(offset: $0) }
        _ = frontier.remove(numbers[0])
        #expect(frontier.position == 20)
        _ = frontier.remove(numbers[1])
        #expect(frontier.position == 30)
        _ = frontier.remove(numbers[2])
        #expect(frontier.position == 31)
    }

    @Test func aRecordIsDoneOnce() {
        var frontier = CommitFrontier()
        let first = frontier.append(offset: 1)
        _ = frontier.append(offset: 2)
        #expect(frontier.remove(first) == true)
        #expect(frontier.remove(first) == false)
        #expect(frontier.remove(99) == false)
        #expect(frontier.position == 2)
    }

    @Test func theLargestOffsetDoesNotTrap() {
        var frontier = CommitFrontier()
        let number = frontier.append(offset: .max)
        #expect(frontier.remove(number) == true)
    }

    /// Every order in which six records with holes can be done, each step against the definition.
    @Test func everyOrderOfSixRecords() {
        let offsets: [Int64] = [3, 4, 7, 8, 20, 21]
        for order in permutations(of: Array(offsets.indices)) {
            var frontier = CommitFrontier()
            let numbers = offsets.map { frontier.append(offset: $0) }
            var open = Set(offsets)
            for index in order {
                let before = frontier.position
                let moved = frontier.remove(numbers[index])
                open.remove(offsets[index])
                let expected: Int64? = open.min() ?? 22
                #expect(frontier.position == (expected == 3 ? nil : expected))
                #expect(moved == (frontier.position != before))
            }
        }
    }

    @Test func randomOrdersWhileRecordsComeAndGo() {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<50 {
            var frontier = CommitFrontier()
            var open: [Int: Int64] = [:]
            var done: [Int64] = []
            var next: Int64 = 0
            for _ in 0..<400 {
                if open.count < 100, Bool.random(using: &generator) || open.isEmpty {
                    next += Int64.random(in: 1...3, using: &generator)
                    open[frontier.append(offset: next)] = next
                } else if let number = open.keys.sorted().randomElement(using: &generator) {
                    done += [open.removeValue(forKey: number) ?? -1]
                    _ = frontier.remove(number)
                }
                if let position = frontier.position {
                    // Never beyond what is not done, and behind all that is done before it.
                    let first = open.values.min() ?? .max
                    #expect(position <= first)
                    #expect(position > done.filter { $0 < first }.max() ?? -1)
                }
                #expect((frontier.span == 0) == open.isEmpty)
            }
        }
    }
}
