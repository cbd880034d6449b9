/// Runs `body` until a time.
///
/// - Returns: what `body` returns; `nil` when it has not by then: it was cancelled.
/// - Throws: what `body` throws.
package func withDeadline<R: Sendable>(
    _ deadline: ContinuousClock.Instant,
    _ body: @escaping @Sendable () async throws -> R
) async throws -> R? {
    try await withThrowingTaskGroup(of: R?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(until: deadline)
            return nil
        }
        defer { group.cancelAll() }
        return try await group.next() ?? nil
    }
}
