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
    @Test func `topic names follow Kafka's rule`() throws {
        for name in ["a", "orders.commands", "A_b-9", String(repeating: "x", count: 249)] {
            #expect(try TopicName(checking: name).value == name)
        }
    }

    @Test(
        arguments: [
            ("", "can't be empty"), (".", "can't be named . or .."), ("..", "can't be named . or .."),
            ("a b", "not \" \""), ("^a", "not \"^\""), ("ä", "not \"ä\""), ("a\u{0}", "not U+0"), ("a/b", "not \"/\""),
            ("a\nb", "not U+A"), (String(repeating: "x", count: 250), "at most 249 characters, and this one has 250"),
        ]
    )
    func `a name that no topic can have is refused with the reason`(name: String, reason: String) throws {
        let error = try #require(throws: ValidationError.self) { try TopicName(checking: name) }
        #expect(error.message.contains(reason))
    }

    @Test func `group names are any text that fits`() throws {
        for name in ["g", "a group", "größe", String(repeating: "x", count: 32_767)] {
            #expect(try GroupName(checking: name).value == name)
        }
        let empty = try #require(throws: ValidationError.self) { try GroupName(checking: "") }
        #expect(empty.message.contains("can't be empty"))
        let long = try #require(throws: ValidationError.self) {
            try GroupName(checking: String(repeating: "x", count: 32_768))
        }
        #expect(long.message.contains("at most 32767 bytes"))
        #expect(throws: ValidationError.self) { try GroupName(checking: "a\u{0}") }
    }
}

struct ImpossibleRangeTests {
    @Test(
        arguments: [
            "3:1", "+3:+1", "-1:-3", "end:-1", "end:start", "5:start", "-5:start", "+1:start", "5:0", "end:+0", "-0:-2",
            "1:+0",
        ]
    )
    func `a range that ends before it begins is found`(text: String) throws {
        #expect(try #require(OffsetRange(argument: text)).isImpossible)
    }

    @Test(
        arguments: [
            "3", "1:3", "3:3", "+1:+3", "-3:-1", "start:end", "start:start", "end:end", "end:5", "-5:3", "3:-5", "+3:1",
            "end:+5", "+0:5", "start:-5", "-0:end",
        ]
    )
    func `a range that some log can have is none`(text: String) throws {
        #expect(try !#require(OffsetRange(argument: text)).isImpossible)
    }
}

struct AssignmentWaitTests {
    private func wait(exitsAtEnd: Bool) -> AssignmentWait {
        AssignmentWait(group: "g", topic: "t", exitsAtEnd: exitsAtEnd)
    }

    @Test func `a wait is said once, after a while, and why`() {
        var wait = self.wait(exitsAtEnd: false)
        let early = wait.look(hasAssignment: false, isEmpty: true, now: .seconds(100))
        #expect(early == .none)
        let justBefore = wait.look(hasAssignment: false, isEmpty: true, now: .milliseconds(103_900))
        #expect(justBefore == .none)
        let late = wait.look(hasAssignment: false, isEmpty: true, now: .seconds(104))
        #expect(late == .say("waiting for the group g: it has not shared out its partitions yet"))
        let again = wait.look(hasAssignment: true, isEmpty: true, now: .seconds(200))
        #expect(again == .none)
    }

    @Test func `it is looked again when a limit is over`() {
        var wait = self.wait(exitsAtEnd: true)
        #expect(wait.nextLook == nil)
        _ = wait.look(hasAssignment: false, isEmpty: true, now: .seconds(1))
        #expect(wait.nextLook == .seconds(5), "to say why")
        _ = wait.look(hasAssignment: true, isEmpty: true, now: .seconds(3))
        #expect(wait.nextLook == .seconds(5))
        _ = wait.look(hasAssignment: true, isEmpty: true, now: .seconds(5))
        #expect(wait.nextLook == .seconds(13), "to end")
        _ = wait.look(hasAssignment: true, isEmpty: false, now: .seconds(6))
        #expect(wait.nextLook == nil)
        var following = self.wait(exitsAtEnd: false)
        _ = following.look(hasAssignment: true, isEmpty: true, now: .seconds(1))
        _ = following.look(hasAssignment: true, isEmpty: true, now: .seconds(5))
        #expect(following.nextLook == nil, "it was said")
    }

    @Test func `partitions begin it anew`() {
        var wait = self.wait(exitsAtEnd: true)
        _ = wait.look(hasAssignment: true, isEmpty: true, now: .seconds(0))
        let given = wait.look(hasAssignment: true, isEmpty: false, now: .seconds(9))
        #expect(given == .none)
        let taken = wait.look(hasAssignment: true, isEmpty: true, now: .seconds(60))
        #expect(taken == .none)
        let late = wait.look(hasAssignment: true, isEmpty: true, now: .seconds(65))
        #expect(late == .say("waiting for the group g: other members read all partitions"))
    }

    @Test func `an empty share is final after a while, if it was given`() {
        var wait = self.wait(exitsAtEnd: true)
        _ = wait.look(hasAssignment: false, isEmpty: true, now: .seconds(0))
        let unanswered = wait.look(hasAssignment: false, isEmpty: true, now: .seconds(60))
        #expect(unanswered == .say("waiting for the group g: it has not shared out its partitions yet"))
        let given = wait.look(hasAssignment: true, isEmpty: true, now: .seconds(61))
        #expect(given == .none)
        let rebalance = wait.look(hasAssignment: false, isEmpty: true, now: .seconds(66))
        #expect(rebalance == .none)
        _ = wait.look(hasAssignment: true, isEmpty: true, now: .seconds(67))
        let notYet = wait.look(hasAssignment: true, isEmpty: true, now: .seconds(76))
        #expect(notYet == .none)
        let end = wait.look(hasAssignment: true, isEmpty: true, now: .seconds(77))
        #expect(end == .end("the group g has no partition of t for this member: others read them"))
        var following = self.wait(exitsAtEnd: false)
        _ = following.look(hasAssignment: true, isEmpty: true, now: .seconds(0))
        _ = following.look(hasAssignment: true, isEmpty: true, now: .seconds(10))
        let never = following.look(hasAssignment: true, isEmpty: true, now: .seconds(1000))
        #expect(never == .none)
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
