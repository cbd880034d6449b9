package import KafkaClient
internal import Synchronization

/// What consumer groups have committed, for the last word of a program that was interrupted.
package final class CommitLog: Sendable {
    /// A committed position.
    package struct Entry: Sendable, Hashable {
        /// The consumer group.
        package var group: String
        /// The partition.
        package var partition: KafkaTopicPartition
        /// The offset of the next record to read.
        package var offset: Int64
    }

    private let state = Mutex<[Entry]>([])

    /// Nothing committed yet.
    package init() {}

    func add(group: String, _ offsets: [KafkaTopicPartition: Int64]) {
        self.state.withLock { entries in
            for (partition, offset) in offsets {
                entries.append(Entry(group: group, partition: partition, offset: offset))
            }
        }
    }

    /// What was committed, a line for each group: `order-pipeline.orders  orders.commands 0@120 1@97`.
    package var lines: [String] {
        var lines: [String] = []
        var last: Entry?
        for entry in self.entries {
            if entry.group != last?.group { lines.append(entry.group) }
            if entry.group != last?.group || entry.partition.topic != last?.partition.topic {
                lines[lines.count - 1] += "  \(entry.partition.topic)"
            }
            lines[lines.count - 1] += " \(entry.partition.partition)@\(entry.offset)"
            last = entry
        }
        return lines
    }

    /// What was committed, by group, topic and partition.
    package var entries: [Entry] {
        self.state.withLock { $0 }.sorted { ($0.group, $0.partition) < ($1.group, $1.partition) }
    }
}
