import ArgumentParser
import Foundation
import Testing

@testable import CommandLineSupport

/// A command that ends as its argument says.
private struct Sample: AsyncParsableCommand {
    enum End: String, ExpressibleByArgument, CaseIterable {
        case done, failure, partly, explained, unknown, closed, cancelled
    }

    struct LibraryError: Error {}
    struct UnknownError: Error, CustomStringConvertible { var description: String { "unknown" } }

    @Argument var end: End

    func run() async throws {
        switch self.end {
        case .done: return
        case .failure: throw CommandFailure("it failed")
        case .partly: throw ExitStatus.partlyDelivered
        case .explained: throw LibraryError()
        case .unknown: throw UnknownError()
        case .closed: throw OutputError.closed
        case .cancelled: throw CancellationError()
        }
    }
}

@Suite(.timeLimit(.minutes(1)))
struct RunningTests {
    @Test(
        arguments: [
            (["done"], 0), (["failure"], 1), (["partly"], 4), (["explained"], 3), (["unknown"], 1), (["closed"], 0),
            // Without an interrupt a cancellation is a failure like any other.
            (["cancelled"], 1),
            ([], 2), (["neither"], 2), (["done", "--what"], 2), (["--help"], 0), (["-h"], 0),
        ] as [([String], Int32)]
    )
    func `each end of a command has its status`(arguments: [String], status: Int32) async {
        let output = StandardOutput(rawDescriptor: open("/dev/null", O_WRONLY))
        let found = await CommandRunner.run(Sample.self, arguments: arguments, output: output) { error in
            error is Sample.LibraryError ? CommandFailure("no broker", status: ExitStatus.unreachable) : nil
        }
        #expect(found.rawValue == status)
    }

    @Test func `a full disk fails a command that was done`() async {
        let output = StandardOutput(rawDescriptor: open("/dev/full", O_WRONLY))
        #expect(await CommandRunner.run(Sample.self, arguments: ["--help"], output: output) == ExitStatus.failed)
    }

    @Test func `an interrupt cancels the body, whose value is returned`() async throws {
        // In a process of its own: the signal is the process's.
        await #expect(processExitsWith: .exitCode(42)) {
            let value = try await withInterruptHandling {
                kill(getpid(), SIGINT)
                let (stream, _) = AsyncStream.makeStream(of: Void.self)
                for await _ in stream {}
                return Task.isCancelled ? 42 : 1
            }
            exit(wasInterrupted ? Int32(value) : 1)
        }
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func `the second interrupt ends the process at once`(number: Int32) async {
        await #expect(processExitsWith: .exitCode(128 + number)) { [number] in
            _ = try await withInterruptHandling {
                kill(getpid(), number)
                let (stream, _) = AsyncStream.makeStream(of: Void.self)
                for await _ in stream {}
                kill(getpid(), number)
                // Cancellation is spent: only the end of the process ends this wait.
                await withCheckedContinuation { (_: CheckedContinuation<Void, Never>) in }
            }
        }
    }

    @Test func `cancelling the caller cancels the body`() async throws {
        let task = Task {
            try await withInterruptHandling {
                let (stream, _) = AsyncStream.makeStream(of: Void.self)
                for await _ in stream {}
                return Task.isCancelled
            }
        }
        task.cancel()
        #expect(try await task.value)
    }
}
