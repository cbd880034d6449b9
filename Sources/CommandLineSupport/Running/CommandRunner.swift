package import ArgumentParser

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Runs a command line to its exit status: parsing, help, interrupts, errors and the flush of standard output.
///
/// `ArgumentParser` ends with 64 on a bad command line and traps nothing else; the toolkit promises 2, quiet ends on a
/// closed pipe, and one form of error line, so its commands start here. A standard stream that the command was started
/// without (`>&-`) is an error when it is used, and only then.
///
/// ```swift
/// @main struct Tool: AsyncParsableCommand {
///     static func main() async { await CommandRunner.main(Self.self) }
/// }
/// ```
package enum CommandRunner {
    /// Runs the command with the process's arguments and ends the process.
    /// - Parameters:
    ///   - command: The root command.
    ///   - explain: Turns an error of a library into the sentence and status that a user should get; `nil` leaves it
    ///     to its description and status 1.
    package static func main<Command: AsyncParsableCommand & SendableMetatype>(
        _ command: Command.Type,
        explain: @escaping @Sendable (any Error) -> CommandFailure? = { _ in nil }
    ) async -> Never {
        guard StandardDescriptors.fill() else {
            writeToStandardError("error: a standard stream is closed, and /dev/null can't be opened in its place\n")
            exit(ExitStatus.failed.rawValue)
        }
        let status = await self.run(command, arguments: Array(CommandLine.arguments.dropFirst()), explain: explain)
        // An interrupt may leave threads of a C library in the middle of calls, whose state `exit` would take apart.
        if wasInterrupted { _exit(status.rawValue) }
        exit(status.rawValue)
    }

    /// Runs the command with the given arguments and returns its exit status, without ending the process.
    package static func run<Command: AsyncParsableCommand & SendableMetatype>(
        _ command: Command.Type,
        arguments: [String],
        output: StandardOutput = .shared,
        explain: @escaping @Sendable (any Error) -> CommandFailure? = { _ in nil }
    ) async -> ExitCode {
        // A reader that went away must arrive as an error of `write`, not kill the process half-way through a commit.
        _ = signal(SIGPIPE, SIG_IGN)
        var status = ExitStatus.done
        do {
            try await withInterruptHandling {
                var parsed = try command.parseAsRoot(arguments)
                if var asynchronous = parsed as? any AsyncParsableCommand {
                    try await asynchronous.run()
                } else {
                    try parsed.run()
                }
            }
        } catch {
            status = await self.report(error, of: command, output: output, explain: explain)
        }
        do {
            try await output.flush()
        } catch OutputError.closed {
            // Nobody reads any more: what was asked for was shown as far as anybody wanted to see it.
        } catch {
            if status == ExitStatus.done {
                writeToStandardError("error: \(error)\n")
                status = ExitStatus.failed
            }
        }
        return status
    }

    /// Says what went wrong, where it belongs, and returns the status for it.
    private static func report<Command: ParsableCommand>(
        _ error: any Error,
        of command: Command.Type,
        output: StandardOutput,
        explain: (any Error) -> CommandFailure?
    ) async -> ExitCode {
        if let status = error as? ExitCode {
            if status == ExitStatus.interrupted { writeToStandardError("interrupted\n") }
            return status
        }
        if case .closed? = error as? OutputError { return ExitStatus.done }
        if error is CancellationError, wasInterrupted {
            writeToStandardError("interrupted\n")
            return ExitStatus.interrupted
        }
        if let failure = (error as? CommandFailure) ?? explain(error) {
            writeToStandardError("error: \(failure.message)\n")
            return failure.status
        }
        switch command.exitCode(for: error) {
        case .success:
            let text = command.fullMessage(for: error)
            // Kept by the output: the flush at the end throws it again, and decides about the status.
            try? await output.write(text.hasSuffix("\n") || text.isEmpty ? text : text + "\n")
            return ExitStatus.done
        case .validationFailure:
            let text = command.fullMessage(for: error)
            let prefix = "Error: "
            writeToStandardError(text.hasPrefix(prefix) ? "error: \(text.dropFirst(prefix.count))\n" : text + "\n")
            return ExitStatus.usage
        case let other:
            writeToStandardError("error: \(error)\n")
            return other
        }
    }
}
