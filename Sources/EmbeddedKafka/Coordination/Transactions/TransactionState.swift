/// Where a transactional id stands. Descriptions are the names that DescribeTransactions and ListTransactions give; raw
/// values are what the journal keeps.
enum TransactionState: Int8, Sendable, CaseIterable, CustomStringConvertible {
    /// Nothing has begun under this epoch.
    case empty = 0
    case ongoing = 1
    /// The outcome is decided; markers are on their way.
    case prepareCommit = 2
    case prepareAbort = 3
    case completeCommit = 4
    case completeAbort = 5
    /// Never seen here, since nothing is ever removed; known for filters.
    case dead = 6
    /// Never seen here, since fencing and deciding are one step; known for filters.
    case prepareEpochFence = 7

    var description: String {
        switch self {
        case .empty: "Empty"
        case .ongoing: "Ongoing"
        case .prepareCommit: "PrepareCommit"
        case .prepareAbort: "PrepareAbort"
        case .completeCommit: "CompleteCommit"
        case .completeAbort: "CompleteAbort"
        case .dead: "Dead"
        case .prepareEpochFence: "PrepareEpochFence"
        }
    }
}
