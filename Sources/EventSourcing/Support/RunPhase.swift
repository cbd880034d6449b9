/// Whether something runs that is started with `run()`.
public enum RunPhase: Sendable, Hashable {
    /// It was not started.
    case idle
    /// It runs.
    case running
    /// It was asked to end.
    case ended
    /// An error ended it.
    case failed
}
