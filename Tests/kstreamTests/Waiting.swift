import Dispatch
import Testing

/// Waits until a condition holds, looking every few milliseconds.
func eventually(
    within limit: Duration = .seconds(30),
    _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while !(try await condition()) {
        try Task.checkCancellation()
        try #require(ContinuousClock.now < deadline, "\(what): not within \(limit)", sourceLocation: sourceLocation)
        await withCheckedContinuation { continuation in
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(5)) { continuation.resume() }
        }
    }
}
