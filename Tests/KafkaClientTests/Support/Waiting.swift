import Dispatch
import Synchronization
import TestSupport
import Testing

/// Runs an operation that may hang when the code is wrong: then this throws, and the operation is left alone.
func withDeadline<R: Sendable>(
    _ limit: Duration,
    _ what: String,
    _ operation: @escaping @Sendable () async throws -> R
) async throws -> R {
    let race = Race<R>()
    let task = Task {
        do {
            race.finish(.success(try await operation()))
        } catch {
            race.finish(.failure(error))
        }
    }
    let milliseconds = Int(limit / .milliseconds(1))
    DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(milliseconds)) {
        if race.finish(.failure(DeadlineExceeded(description: "\(what): not within \(limit)"))) {
            task.cancel()
        }
    }
    return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { race.wait($0) }
    } onCancel: {
        task.cancel()
    }
}

/// The first of several results.
private final class Race<R: Sendable>: Sendable {
    private enum State {
        case running
        case waiting(CheckedContinuation<R, any Error>)
        case finished(Result<R, any Error>)
    }

    private let state = Mutex(State.running)

    /// Whether this result was the first.
    @discardableResult
    func finish(_ result: Result<R, any Error>) -> Bool {
        let (isFirst, continuation) = self.state.withLock { state -> (Bool, CheckedContinuation<R, any Error>?) in
            switch state {
            case .running:
                state = .finished(result)
                return (true, nil)
            case .waiting(let continuation):
                state = .finished(result)
                return (true, continuation)
            case .finished:
                return (false, nil)
            }
        }
        continuation?.resume(with: result)
        return isFirst
    }

    func wait(_ continuation: CheckedContinuation<R, any Error>) {
        let result = self.state.withLock { state -> Result<R, any Error>? in
            guard case .finished(let result) = state else {
                state = .waiting(continuation)
                return nil
            }
            return result
        }
        if let result {
            continuation.resume(with: result)
        }
    }
}

/// Starts a call that blocks in C for a while; returns when it most likely does.
func startBlockingCall<R: Sendable>(
    _ call: @escaping @Sendable () async throws -> R
) async throws -> Task<R, any Error> {
    let gate = Gate()
    let task = Task {
        gate.open()
        return try await call()
    }
    await gate.wait()
    for _ in 0..<100 { await Task.yield() }
    return task
}

/// Looks at a condition every few milliseconds for a while, in which it must always hold.
func always(
    for period: Duration,
    _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () throws -> Bool
) async throws {
    let end = ContinuousClock.now + period
    try await eventually(within: period + .seconds(20), "the end of a period") {
        try #require(try condition(), "\(what): always, for \(period)", sourceLocation: sourceLocation)
        return ContinuousClock.now >= end
    }
}

/// A gate at which a thread waits, for calls that block.
final class DispatchGate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func open() { self.semaphore.signal() }

    func wait() { self.semaphore.wait() }
}
