internal import Synchronization

/// Knows the members of a running replay, to say which of them the cluster keeps waiting.
final class GroupWatch: Sendable {
    private let members = Mutex<[String: @Sendable () -> Bool]>([:])

    /// The group has a member in the replay.
    ///
    /// - Parameter isIdle: Says whether it has no partitions now.
    func joined(_ group: String, isIdle: @escaping @Sendable () -> Bool) {
        self.members.withLock { $0[group] = isIdle }
    }

    /// The group's member is at its end.
    func left(_ group: String) {
        // Let go of outside the lock: what it asks may end with it.
        _ = self.members.withLock { $0.removeValue(forKey: group) }
    }

    /// The groups whose member has no partitions now.
    var idleGroups: [String] {
        self.members.withLock { $0 }.filter { $0.value() }.keys.sorted()
    }
}
