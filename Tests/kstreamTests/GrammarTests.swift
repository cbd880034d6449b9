import ArgumentParser
import KafkaClient
import Testing

@testable import kstream

struct OffsetGrammarTests {
    @Test(
        arguments: [
            ("start", .start), ("end", .end), ("0", .absolute(0)), ("42", .absolute(42)),
            ("+0", .afterStart(0)), ("+7", .afterStart(7)), ("-7", .beforeEnd(7)),
            ("9223372036854775807", .absolute(.max)),
        ] as [(String, OffsetPosition)]
    )
    func `an offset is understood and written back as it came`(text: String, position: OffsetPosition) {
        #expect(OffsetPosition(argument: text) == position)
        #expect(position.description == text)
    }

    @Test(
        arguments: [
            "", "+", "-", "--1", "+-1", "-+1", "1.5", "Start", "beginning", " 1", "1 ", "0x1", "9223372036854775808",
            "١",
        ]
    )
    func `what is no offset is refused`(text: String) {
        #expect(OffsetPosition(argument: text) == nil)
        #expect(OffsetRange(argument: text) == nil)
    }

    @Test func `a range has two offsets`() {
        #expect(OffsetRange(argument: "-3:end") == OffsetRange(from: .beforeEnd(3), to: .end))
        #expect(OffsetRange(argument: "1:4") == OffsetRange(from: .absolute(1), to: .absolute(4)))
        #expect(OffsetRange(argument: "5") == OffsetRange(from: .absolute(5)))
        for text in ["1:", ":1", ":", "1:2:3", "1:x"] { #expect(OffsetRange(argument: text) == nil) }
    }

    @Test func `offsets are placed in the log and no count overflows`() {
        let log = KafkaWatermarks(low: 10, high: 20)
        #expect(OffsetPosition.start.offset(in: log) == 10)
        #expect(OffsetPosition.end.offset(in: log) == 20)
        #expect(OffsetPosition.absolute(3).offset(in: log) == 3)
        #expect(OffsetPosition.afterStart(3).offset(in: log) == 13)
        #expect(OffsetPosition.beforeEnd(3).offset(in: log) == 17)
        #expect(OffsetPosition.afterStart(.max).offset(in: log) == .max)
        #expect(OffsetPosition.beforeEnd(.max).offset(in: log) < 0)
    }
}

struct NameTests {
    @Test func `topic names follow Kafka's rule`() {
        for name in ["a", "orders.commands", "A_b-9", String(repeating: "x", count: 249)] {
            #expect(TopicName(argument: name)?.value == name)
        }
        for name in ["", ".", "..", "a b", "^a", "ä", "a\u{0}", "a/b", String(repeating: "x", count: 250)] {
            #expect(TopicName(argument: name) == nil)
        }
    }
}

struct ReadingPlanTests {
    private let partition = KafkaTopicPartition(topic: "t", partition: 0)

    private func plan(
        _ range: String,
        exitsAtEnd: Bool = false,
        low: Int64 = 10,
        high: Int64 = 20
    ) throws -> (plan: ReadingPlan, note: String?) {
        var plan = ReadingPlan(range: try #require(OffsetRange(argument: range)), exitsAtEnd: exitsAtEnd)
        let note = plan.add(self.partition, watermarks: KafkaWatermarks(low: low, high: high))
        return (plan, note)
    }

    // `#expect` takes what it is given as a value that it can't change.
    private func includes(_ offset: Int64, in plan: inout ReadingPlan) -> Bool {
        plan.includes(self.partition, offset: offset)
    }

    @Test(
        arguments: [
            ("start", 10, false), ("end", 20, false), ("15", 15, false), ("5", 10, true), ("25", 20, true),
            ("+3", 13, false), ("-3", 17, false), ("-100", 10, false),
        ]
    )
    func `a place outside of the log is moved to its edge, and that is said`(
        range: String,
        start: Int64,
        isNoted: Bool
    ) throws {
        let (plan, note) = try self.plan(range)
        #expect(plan.starts == [self.partition: .absolute(start)])
        #expect((note != nil) == isNoted)
    }

    @Test func `a range ends before its second offset`() throws {
        var (plan, _) = try self.plan("12:14")
        let takes12 = self.includes(12, in: &plan)
        #expect(takes12 == true)
        #expect(!plan.isDone)
        let takes13 = self.includes(13, in: &plan)
        #expect(takes13 == true)
        #expect(plan.isDone)
        let takes14 = self.includes(14, in: &plan)
        #expect(takes14 == false)
    }

    @Test func `a range whose last offsets hold no record ends with the record behind it or at the end`() throws {
        var (plan, _) = try self.plan("12:14")
        let takes15 = self.includes(15, in: &plan)
        #expect(takes15 == false)
        #expect(plan.isDone)
        (plan, _) = try self.plan("start", exitsAtEnd: true)
        plan.reachedEnd(of: self.partition)
        #expect(plan.isDone)
    }

    @Test(arguments: ["end", "20", "14:14", "15:12"])
    func `nothing to read is done before it begins`(range: String) throws {
        let (plan, _) = try self.plan(range, exitsAtEnd: true)
        #expect(plan.isDone)
        #expect(plan.starts.isEmpty)
    }

    @Test func `following never ends`() throws {
        var (plan, _) = try self.plan("start")
        let takes1_000_000 = self.includes(1_000_000, in: &plan)
        #expect(takes1_000_000 == true)
        plan.reachedEnd(of: self.partition)
        #expect(!plan.isDone)
    }
}
