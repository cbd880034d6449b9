import Dispatch
import Synchronization

/// What a test waited for did not come in time.
public struct DeadlineExceeded: Error, CustomStringConvertible {
    /// What, and where the test waits for it.
    public let description: String

    /// Makes an error of a sentence.
    public init(description: String) {
        self.description = description
    }
}

/// Waits until a condition holds, looking every few milliseconds.
///
/// - Parameter pause: the time between two looks, in milliseconds: more where a look is a question to a broker.
/// - Throws: ``DeadlineExceeded``, and what the condition throws.
public func eventually(
    within limit: Duration = .seconds(30),
    pause: Int = 5,
    _ what: String,
    file: StaticString = #fileID,
    line: UInt = #line,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while !(try await condition()) {
        try Task.checkCancellation()
        guard ContinuousClock.now < deadline else {
            throw DeadlineExceeded(description: "\(what): not within \(limit), at \(file):\(line)")
        }
        await withCheckedContinuation { continuation in
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(pause)) { continuation.resume() }
        }
    }
}

/// A list that several tasks append to.
public final class Collected<Element: Sendable>: Sendable {
    private let state = Mutex<[Element]>([])

    /// An empty list.
    public init() {}

    /// What was appended, in order.
    public var elements: [Element] { self.state.withLock { $0 } }
    /// How many were appended.
    public var count: Int { self.state.withLock { $0.count } }

    /// Appends an element.
    public func append(_ element: Element) {
        self.state.withLock { $0.append(element) }
    }
}
