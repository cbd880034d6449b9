import EventSourcing
import EventSourcingSQLite
import EventSourcingTesting
import EventStreaming
import KafkaClient
import TestAccounts
import TestSupport
import Testing

/// What comes late, and what goes wrong, while a process is led or undone.
@Suite(.timeLimit(.minutes(2)))
struct CompensationTests {
    private struct Broken: Error {}

    private struct State: Codable, Sendable {
        var isBroken = false
    }

    private static let input = Topic<String, String>("in", key: .string, value: .string)
    private static let output = Topic<String, String>("out", key: .string, value: .string)

    /// Does what messages say: "step a", "fail", "undone a", "wait", "break", "mend", "complete"; several are parted by commas.
    private static func manager(
        name: String = "manager",
        reading input: Topic<String, String> = Self.input,
        sendingTo output: Topic<String, String> = Self.output
    ) -> ProcessManager<State> {
        ProcessManager(
            name: name,
            initialState: State(),
            inputs: [
                ProcessInput(input, by: { try $0.key }, begins: { _ in true }) { state, message, actions in
                    for part in try message.value.split(separator: ",") {
                        let words = part.split(separator: " ").map(String.init)
                        switch words[0] {
                        case "step":
                            let undo = Message(key: actions.id, value: "undo \(words[1])")
                            try actions.onCompensation(of: words[1], send: undo, to: output)
                        case "fail": actions.compensate(because: "it failed")
                        case "undone": actions.compensated(words[1])
                        case "large":
                            let large = Message(key: actions.id, value: String(repeating: "x", count: 2_000_000))
                            try actions.send(large, to: output)
                        case "wait": actions.schedule("deadline", after: .zero)
                        case "break": state.isBroken = true
                        case "mend": state.isBroken = false
                        default: actions.complete()
                        }
                    }
                }
            ],
            onDeadline: { state, _, actions in
                try actions.send(Message(key: actions.id, value: "late"), to: output)
                if state.isBroken { throw Broken() }
            }
        )
    }

    private func message(_ text: String) throws -> TestMessage { try TestMessage(Self.input, "1", text) }

    private func given(_ texts: String...) throws -> ProcessSpecification<State> {
        try texts.reduce(ProcessSpecification(Self.manager())) { try $0.given(self.message($1)) }
    }

    @Test func aStepThatComesLateIsUndoneAsWell() throws {
        let late = try self.given("step a", "fail", "step b").thenSendsNothing()
        try late.when(self.message("undone a")).thenSends(["undo b"], to: Self.output)
            .when(self.message("undone b")).thenSendsNothing().thenStatus(.compensated, of: "1")
        // The one that is on its way is tried again all the same.
        try late.after(.seconds(61)).thenSends(["undo a"], to: Self.output)
    }

    @Test func aStepOfTheMessageThatFailsIsUndoneAsWell() throws {
        try self.given("step a").when(self.message("fail,step b")).thenSends(["undo a"], to: Self.output)
            .when(self.message("undone a")).thenSends(["undo b"], to: Self.output)
            .when(self.message("undone b")).thenStatus(.compensated, of: "1")
        try self.given().when(self.message("fail,step b")).thenSends(["undo b"], to: Self.output)
            .thenStatus(.compensating, of: "1")
    }

    @Test func whatIsBeingUndoneIsNotCompleted() throws {
        try self.given("step a", "fail").when(self.message("complete")).thenStatus(.compensating, of: "1")
            .when(self.message("undone a")).thenStatus(.compensated, of: "1")
    }

    @Test func whatHasEndedHasNoDeadlines() throws {
        try self.given("step a", "fail", "wait,undone a").thenStatus(.compensated, of: "1")
            .after(.seconds(1_000)).thenSendsNothing()
        try self.given("complete,wait").thenStatus(.completed, of: "1").after(.seconds(1_000)).thenSendsNothing()
    }

    @Test func aDeadlineThatCannotBeHandledIsADeadEnd() throws {
        let stuck = try self.given("break,wait").after(.seconds(1)).thenSendsNothing().thenStatus(.stuck, of: "1")
        #expect(stuck.timeline(of: "1").last?.kind == .stuck)
        try stuck.after(.seconds(1_000)).thenSendsNothing()
        try stuck.resuming("1").after(.zero).thenSendsNothing().thenStatus(.stuck, of: "1")
        try stuck.given(self.message("mend")).resuming("1").thenStatus(.running, of: "1")
            .after(.zero).thenSends(["late"], to: Self.output)
        // It can still be ended, and undone.
        try stuck.when(self.message("complete")).thenStatus(.completed, of: "1")
        try stuck.when(self.message("step a,fail")).thenSends(["undo a"], to: Self.output)
            .thenStatus(.compensating, of: "1")
    }

    /// On Kafka alone: a dead end does not end the host, is resumed, and what has ended is forgotten, also by the next host.
    @Test func instancesOnKafkaAreResumedAndForgotten() async throws {
        let shop = try await Shop.make("events", "commands", "journal")
        let input = Topic<String, String>(shop.topic("events"), key: .string, value: .string)
        let output = Topic<String, String>(shop.topic("commands"), key: .string, value: .string)
        func send(_ id: String, _ text: String) async throws {
            try await shop.send([try input.record(of: Message(key: id, value: text), source: "/test")])
        }
        func makeHost(_ poisonAction: PoisonAction = .stop) -> KafkaProcessHost<State> {
            var configuration = KafkaProcessConfiguration(
                journal: shop.topic("journal"),
                bootstrapServers: shop.servers
            )
            configuration.poisonAction = { _ in poisonAction }
            configuration.consumer = shop.consuming
            configuration.producer.linger = .zero
            return KafkaProcessHost(
                Self.manager(name: shop.name, reading: input, sendingTo: output),
                configuration: configuration,
                logger: shop.logger
            )
        }
        let host = makeHost()
        await #expect(throws: ProjectionError.self, "it does not run") { try await host.resume("1") }
        try await withRunning({ try await host.run() }) {
            try await send("1", "break,wait")
            try await send("2", "wait")
            try await eventually("one is stuck") { host.instance("1")?.status == .stuck }
            try await eventually("the other is not") { host.instance("2")?.deadlines.isEmpty == true }
            #expect(host.status.phase == .running)
            #expect(try await host.resume("2") == false)
            try await send("1", "mend")
            try await eventually("it is mended") { host.instance("1")?.state.isBroken == false }
            #expect(try await host.resume("1"))
            // The one that failed, that of the other, and the one that is tried again.
            try await eventually("it goes on") { host.status.deadlines == 3 }
            #expect(host.instance("1")?.status == .running)
            try await send("1", "complete")
            try await eventually("it has ended") { host.instance("1")?.status == .completed }
            #expect(try await host.forgetEnded(olderThan: .seconds(60)) == 0)
            #expect(try await host.forgetEnded(olderThan: .seconds(-60)) == 1)
            #expect(host.instance("1") == nil)
            #expect(host.instances.map(\.id) == ["2"])
        }
        #expect(host.status.phase == .ended)
        #expect(host.status.handled == 4)
        let next = makeHost()
        try await withRunning({ try await next.run() }) {
            try await eventually("it is restored") { next.instances.map(\.id) == ["2"] }
        }
        let commands = try await shop.records(of: "commands").map { try output.value.decode($0.value) }
        #expect(commands == ["late", "late"])

        // A command that is too large is the failure of its message.
        try await send("3", "large")
        let strict = makeHost()
        let error = await #expect(throws: ProjectionError.self) { try await strict.run() }
        #expect(error?.code == .stopped)
        #expect(strict.status.problem?.contains("`maxMessageBytes` is 1000000") == true)
        let lenient = makeHost(.skip)
        try await send("4", "wait")
        try await withRunning({ try await lenient.run() }) {
            try await eventually("it goes on") { lenient.instance("4")?.deadlines.isEmpty == true }
            try await eventually("the other one is passed over") { lenient.status.skipped == 1 }
            #expect(lenient.instance("3") == nil)
        }
    }
}
