internal import Synchronization

/// Where a cluster takes its time from: sessions, rebalances, transactions, retention, log-append time.
///
/// With a ``Manual`` clock time stands still until it is moved, so that a test sees a session or a transaction time out at
/// once. What a client asks the broker to wait for, a long poll of a fetch, runs in real time with any clock.
public struct EmbeddedKafkaClock: Sendable {
    enum Source: Sendable {
        case system
        case manual(Manual)
    }

    let source: Source

    /// The time of the machine.
    public static let system = EmbeddedKafkaClock(source: .system)

    /// A clock that is moved by hand.
    public static func manual(_ clock: Manual) -> EmbeddedKafkaClock {
        EmbeddedKafkaClock(source: .manual(clock))
    }

    /// A clock that is moved by hand.
    public final class Manual: Sendable {
        private struct State {
            var now: Int64
            var observers: [UInt64: @Sendable () async -> Void] = [:]
            var nextID: UInt64 = 0
        }

        private let state: Mutex<State>

        /// Makes a clock that stands still.
        /// - Parameter now: Milliseconds since 1970. Default: the first second of 2026, UTC.
        public init(now: Int64 = 1_767_225_600_000) {
            self.state = Mutex(State(now: now))
        }

        /// Milliseconds since 1970.
        public var now: Int64 { self.state.withLock { $0.now } }

        /// Moves the clock on, and returns when the clusters on it have done what is due.
        /// - Parameter duration: How far, in whole milliseconds; time does not run backwards.
        public func advance(by duration: Duration) async {
            let (seconds, attoseconds) = duration.components
            let milliseconds = seconds.multipliedReportingOverflow(by: 1000)
            guard !milliseconds.overflow, seconds >= 0, attoseconds >= 0 else { return }
            let observers = self.state.withLock { state in
                let sum = state.now.addingReportingOverflow(milliseconds.partialValue)
                let whole = sum.partialValue.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
                if !sum.overflow, !whole.overflow { state.now = whole.partialValue }
                return Array(state.observers.values)
            }
            for observer in observers { await observer() }
        }

        /// Calls the observer after every move, until it is removed.
        func observe(_ observer: @escaping @Sendable () async -> Void) -> UInt64 {
            self.state.withLock { state in
                state.nextID += 1
                state.observers[state.nextID] = observer
                return state.nextID
            }
        }

        func removeObserver(_ id: UInt64) {
            _ = self.state.withLock { $0.observers.removeValue(forKey: id) }
        }
    }
}
