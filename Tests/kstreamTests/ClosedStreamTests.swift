import Subprocess
import TestSupport
import Testing

@testable import kstream

/// Commands that a shell starts without one of the three standard streams.
@Suite(.timeLimit(.minutes(2)))
struct ClosedStreamTests {
    /// Runs a built command by a shell that closes descriptors before.
    private func run(
        _ arguments: [String],
        of command: String = "kstream",
        closing redirections: String,
        input: String = ""
    ) async throws -> CommandOutcome {
        let result = try await Subprocess.run(
            .name("sh"),
            arguments: Arguments(
                ["-c", "exec \"$0\" \"$@\" \(redirections)", BuiltCommand.path(of: command)] + arguments
            ),
            environment: Command.environment(),
            input: .string(input),
            output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20)
        )
        return CommandOutcome(
            status: result.terminationStatus.number,
            output: result.standardOutput,
            errors: result.standardError
        )
    }

    @Test func `a closed standard input is said, and nothing else is read in its place`() async throws {
        let cluster = try await TestCluster("no-input")
        let produced = try await self.run(["produce", cluster.topic, "-b", cluster.servers], closing: "<&-")
        #expect(produced.status == 1)
        #expect(
            produced.errors == """
                error: can't read standard input: Bad file descriptor
                \(cluster.topic): 0 delivered; the rest could not be read

                """
        )
        let replayed = try await self.run(["replay", "-"], of: "order-pipeline", closing: "<&-")
        #expect(replayed.status == 1)
        #expect(replayed.output == "")
        #expect(replayed.errors.contains("can't read standard input: Bad file descriptor"))
    }

    @Test(arguments: [["--exit-at-end"], ["--exit-at-end", "--json"], ["--count", "1"]])
    func `records for a closed standard output are an error`(options: [String]) async throws {
        let cluster = try await TestCluster("no-output", records: [.value("only")])
        let arguments = ["consume", cluster.topic, "-b", cluster.servers] + options
        for redirections in [">&-", "<&- >&-"] {
            let consumed = try await self.run(arguments, closing: redirections)
            #expect(consumed.status == 1)
            #expect(consumed.errors == "error: can't write to standard output: Bad file descriptor\n")
        }
        let silent = try await self.run(arguments, closing: "<&- >&- 2>&-")
        #expect(silent.status == 1)
        #expect(silent.output + silent.errors == "")
    }

    @Test(arguments: ["kstream", "order-pipeline"])
    func `help for a closed standard output is an error`(command: String) async throws {
        let outcome = try await self.run(["--help"], of: command, closing: ">&-")
        #expect(outcome.status == 1)
        #expect(outcome.errors == "error: can't write to standard output: Bad file descriptor\n")
    }

    @Test func `what a command does not use may be closed`() async throws {
        let cluster = try await TestCluster("unused")
        let arguments = [cluster.topic, "-b", cluster.servers]
        let produced = try await self.run(["produce"] + arguments, closing: ">&- 2>&-", input: "a\nb\n")
        #expect(produced.status == 0)
        #expect(produced.output + produced.errors == "")
        let consumed = try await self.run(["consume"] + arguments + ["--exit-at-end"], closing: "<&- 2>&-")
        #expect(consumed.status == 0)
        #expect(consumed.output == "a\nb\n")
        let help = try await self.run(["--help"], of: "order-pipeline", closing: "<&- 2>&-")
        #expect(help.status == 0)
        #expect(help.output.contains("USAGE:"))
    }
}
