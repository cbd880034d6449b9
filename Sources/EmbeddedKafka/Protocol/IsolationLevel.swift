/// Which records a reader gets to see.
enum IsolationLevel: Int8, Sendable {
    case readUncommitted = 0
    /// Records below the last stable offset.
    case readCommitted = 1
}
