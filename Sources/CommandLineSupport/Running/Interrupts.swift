internal import Dispatch
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Runs the body so that SIGINT and SIGTERM cancel its task; the second such signal ends the process at once.
///
/// What the body does when it is cancelled is its own matter: it may close its clients and return a value, which is
/// returned as it is, or throw. A command that stops only at an interrupt (one that follows a topic) so ends like
/// any other.
///
/// The body runs in a task of its own, away from the main thread. Cancelling the caller's task cancels it as well.
/// - Parameter body: What to run.
/// - Returns: What the body returns.
/// - Throws: What the body throws.
package func withInterruptHandling<Result: Sendable>(
    _ body: @escaping @concurrent @Sendable () async throws -> Result
) async throws -> Result {
    await InterruptRelay.shared.start()
    // The body waits until its handler is in place: a signal in between would find nothing to cancel.
    let (gate, opener) = AsyncStream.makeStream(of: Void.self)
    let task = Task {
        for await _ in gate {}
        return try await body()
    }
    let registration = InterruptRelay.shared.register { task.cancel() }
    opener.finish()
    defer { InterruptRelay.shared.unregister(registration) }
    return try await withTaskCancellationHandler {
        try await task.value
    } onCancel: {
        task.cancel()
    }
}

/// Whether this process was asked to end by SIGINT or SIGTERM while something ran under ``withInterruptHandling(_:)``.
package var wasInterrupted: Bool { InterruptRelay.shared.wasInterrupted }

/// The process's one place that takes SIGINT and SIGTERM and hands them to whatever runs.
///
/// The signals are taken for good once the first body is registered: given back in between, one that arrives while
/// the program cleans up would be lost, since the threads that took it keep it blocked.
private final class InterruptRelay: Sendable {
    static let shared = InterruptRelay()

    private struct State {
        var nextRegistration = 0
        var handlers: [Int: @Sendable () -> Void] = [:]
        var interrupted = false
        var taken: Set<Int32> = []
        var sources: [any DispatchSourceSignal] = []
    }

    private let queue = DispatchQueue(label: "kstream.interrupts")
    private let state = Mutex(State())

    var wasInterrupted: Bool { self.state.withLock { $0.interrupted } }

    func register(_ handler: @escaping @Sendable () -> Void) -> Int {
        self.state.withLock { state in
            state.nextRegistration += 1
            state.handlers[state.nextRegistration] = handler
            return state.nextRegistration
        }
    }

    func unregister(_ registration: Int) {
        self.state.withLock { _ = $0.handlers.removeValue(forKey: registration) }
    }

    /// Takes the signals, and returns when they are taken: until then they end the process, as they would without us.
    func start() async {
        for number in [SIGINT, SIGTERM] {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                self.state.withLock { state in
                    guard !state.taken.contains(number) else { return continuation.resume() }
                    state.taken.insert(number)
                    let source = DispatchSource.makeSignalSource(signal: number, queue: self.queue)
                    source.setEventHandler { [unowned self] in self.receive(number) }
                    source.setRegistrationHandler {
                        #if canImport(Darwin)
                        // Where the source only listens in; on Linux it replaces the action itself.
                        _ = signal(number, SIG_IGN)
                        #endif
                        continuation.resume()
                    }
                    state.sources.append(source)
                    source.activate()
                }
            }
        }
    }

    /// The first signal cancels what runs; any further one, or one when nothing runs, ends the process.
    private func receive(_ number: Int32) {
        let handlers = self.state.withLock { state -> [@Sendable () -> Void] in
            guard !state.interrupted else { return [] }
            state.interrupted = !state.handlers.isEmpty
            return Array(state.handlers.values)
        }
        guard !handlers.isEmpty else { _exit(128 + number) }
        for handler in handlers { handler() }
    }
}
