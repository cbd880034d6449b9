/// Why standard output can't be written to.
package enum OutputError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The reader of the pipe has gone away. A command ends quietly on this, with what it shares put in order.
    case closed
    /// The system refused the write, for the given reason (a full disk, for example).
    case failed(String)

    package var description: String {
        switch self {
        case .closed: "standard output is closed"
        case .failed(let reason): "can't write to standard output: \(reason)"
        }
    }
}
