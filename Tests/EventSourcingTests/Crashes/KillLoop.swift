import Foundation
import TestSupport

/// How often each of the tests kills a process: `KSTREAM_KILLS`, or a few times.
let kills = ProcessInfo.processInfo.environment["KSTREAM_KILLS"].flatMap { Int($0) } ?? 8

/// Starts a process and kills it with -9 at a random moment, again and again, while `work` gives it something to do.
///
/// - Parameters:
///   - arguments: what the process is told.
///   - seed: of the moments.
///   - work: called with the number of the round, after each start.
func killAgainAndAgain(
    _ arguments: [String],
    seed: UInt64,
    _ work: (Int) async throws -> Void
) async throws {
    var moments = SeededGenerator(seed: seed)
    for round in 0..<kills {
        let process = try ChildProcess("event-sourcing-process", arguments)
        defer { process.send(SIGKILL) }
        let moment = ContinuousClock.now + .milliseconds(Int.random(in: 20...1_500, using: &moments))
        try await work(round)
        try await eventually(within: .seconds(60), "the moment has come") {
            guard process.isRunning else {
                throw DeadlineExceeded(description: "the process ended by itself: \(process.ending)")
            }
            return ContinuousClock.now >= moment
        }
        try await process.crash()
    }
}

/// Starts a process that is left alone until `body` has returned.
func withProcess(_ arguments: [String], _ body: () async throws -> Void) async throws {
    let process = try ChildProcess("event-sourcing-process", arguments)
    defer { process.send(SIGKILL) }
    do {
        try await body()
    } catch {
        guard process.isRunning else {
            throw DeadlineExceeded(description: "the process ended by itself: \(process.ending); \(error)")
        }
        throw error
    }
}
