/// Why a replay can't come to its end.
package enum PipelineError: Error, Sendable, CustomStringConvertible {
    /// Nothing happened for a while, and orders are not at their end; `examples` says what some of them wait for, and
    /// `idleGroups` which consumer groups have not got partitions.
    case stalled(after: Duration, completed: Int, missing: Int, examples: [String], idleGroups: [String])
    /// A service ended although nobody asked it to.
    case serviceEnded(String)
    /// A topic is not there, and the cluster does not create it.
    case topicMissing(String)

    package var description: String {
        switch self {
        case .stalled(let duration, let completed, let missing, let examples, let idleGroups):
            """
            nothing happened for \(duration.components.seconds) s: \(completed) invoices are done, \(missing) are not \
            (\(examples.joined(separator: "; "))\(missing > examples.count ? "; ..." : ""))\(Self.hint(idleGroups))
            """
        case .serviceEnded(let name):
            "the \(name) service ended before the replay was done"
        case .topicMissing(let topic):
            "the topic \(topic) does not exist, and the cluster does not create it: create it and try again"
        }
    }

    private static func hint(_ groups: [String]) -> String {
        switch groups.count {
        case 0: ""
        case 1: "; the group \(groups[0]) has got no partitions yet: other members may hold them"
        default:
            "; the groups \(groups.joined(separator: ", ")) have got no partitions yet: other members may hold them"
        }
    }
}
