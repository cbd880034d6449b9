internal import KafkaClient
internal import Synchronization

/// Knows the consumers of a running replay, to say which of them the cluster keeps waiting.
final class GroupWatch: Sendable {
    private let consumers = Mutex<[String: KafkaConsumer]>([:])

    /// The group has this member in the replay.
    func joined(_ group: String, _ consumer: KafkaConsumer) {
        self.consumers.withLock { $0[group] = consumer }
    }

    /// The group's member is about to be closed.
    func left(_ group: String) {
        // Let go of outside the lock: the consumer may be at its end.
        _ = self.consumers.withLock { $0.removeValue(forKey: group) }
    }

    /// The groups whose member has no partitions now.
    var idleGroups: [String] {
        self.consumers.withLock { $0 }.filter { $0.value.assignment.isEmpty }.keys.sorted()
    }
}
