import Subprocess
import TestSupport
import Testing

@testable import kstream

/// The first interrupt ends a command, whatever it waits for.
@Suite(.timeLimit(.minutes(2)))
struct InterruptRunTests {
    @Test(
        arguments: [
            ["produce", "t"], ["consume", "t"], ["consume", "t", "--group", "g"], ["consume", "t", "--count", "1"],
            ["seek", "g", "t", "--to", "start"],
        ],
        [Signal.interrupt, .terminate]
    )
    func `a broker that hangs is left at once`(arguments: [String], signal: Signal) async throws {
        let server = try SilentServer()
        var interrupted = ContinuousClock.now
        let result = try await Subprocess.run(
            Command.executable,
            arguments: Arguments(arguments + ["-b", server.address, "--timeout", "90"]),
            environment: Command.environment(),
            input: .none,
            output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20)
        ) { execution in
            try await eventually("the command has connected") { server.hasConnections }
            interrupted = .now
            try execution.send(signal: signal)
        }
        // A busy machine takes its time to end a process; the broker would be waited for much longer.
        #expect(ContinuousClock.now - interrupted < .seconds(45))
        #expect(result.terminationStatus == .exited(130))
        #expect(result.standardError == "interrupted\n")
        #expect(result.standardOutput == "")
    }
}
