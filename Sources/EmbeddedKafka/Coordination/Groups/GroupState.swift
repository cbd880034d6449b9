/// Where a group of the classic protocol stands. Raw values are the names that DescribeGroups and ListGroups give.
enum GroupState: String, Sendable, CaseIterable {
    /// No members; committed offsets perhaps.
    case empty = "Empty"
    /// A new generation is being gathered: members are expected to join.
    case preparingRebalance = "PreparingRebalance"
    /// The members have joined; the leader's assignment is awaited.
    case completingRebalance = "CompletingRebalance"
    /// The assignment is out.
    case stable = "Stable"
    /// What is said of a group that doesn't exist.
    case dead = "Dead"
}
