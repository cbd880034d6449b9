import EmbeddedKafka
import Synchronization
import TestSupport
import Testing

@testable import KafkaClient

/// Members of the group "g" in this process, which read a topic and commit what they have read at an interval.
final class ReadingGroup: Sendable {
    private let readings = Mutex<[Int32: OffsetTally]>([:])
    private let readers = Mutex<Set<String>>([])
    private let lost = Mutex<Int>(0)
    private let memberCount: Int
    private let task = Mutex<Task<Void, any Error>?>(nil)

    /// Members join and begin to read.
    init(of topic: String, members: Int, in cluster: EmbeddedKafkaCluster) {
        self.memberCount = members
        self.task.withLock { task in
            task = Task {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for member in 1...members {
                        group.addTask { try await self.read(topic, in: cluster, as: "member-\(member)") }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    /// What was read of each partition. What is missing was not there where it should have been.
    var partitions: [Int32: OffsetTally] { self.readings.withLock { $0 } }

    /// How many records were read, each counted once.
    var count: Int { self.partitions.values.reduce(0) { $0 + Int($1.next) } }

    /// How often members were thrown out of the group.
    var losses: Int { self.lost.withLock { $0 } }

    /// Waits until every member has partitions, and has begun to read them: from then on nobody joins.
    func gather() async throws {
        try await eventually(within: .seconds(60), "all members read") {
            self.readers.withLock { $0.count } == self.memberCount
        }
    }

    /// Waits until all partitions have been read as far as this, and `beyond` records further.
    func progress(from earlier: [Int32: OffsetTally], partitions: Int, beyond: Int64 = 500) async throws {
        try await eventually(within: .seconds(60), "all partitions are read") {
            let now = self.partitions
            return (0..<Int32(partitions)).allSatisfy {
                now[$0, default: OffsetTally()].next > earlier[$0, default: OffsetTally()].next + beyond
            }
        }
    }

    /// Waits until all that was sent is read, and lets the members leave.
    func finish(reading sent: Load.Sent) async throws {
        try await eventually(within: .seconds(120), "all is read") { self.count >= sent.count }
        let task = self.task.withLock { $0 }
        task?.cancel()
        try await withDeadline(.seconds(60), "the members leave") { try await task?.value }
    }

    private func read(_ topic: String, in cluster: EmbeddedKafkaCluster, as name: String) async throws {
        var configuration = KafkaConsumer.Configuration.test(cluster, group: "g")
        configuration.clientID = name
        configuration.sessionTimeout = .seconds(10)
        configuration.commitPolicy = .afterProcessing(interval: .milliseconds(100))
        configuration.additional["reconnect.backoff.max.ms"] = "100"
        configuration.additional["topic.metadata.refresh.interval.ms"] = "300"
        configuration.onLost = { _ in self.lost.withLock { $0 += 1 } }
        try await withConsumer(configuration, subscribedTo: [topic]) { consumer in
            for try await batch in consumer.batches {
                if batch.count > 0 { self.readers.withLock { _ = $0.insert(name) } }
                self.readings.withLock { readings in
                    for record in batch { readings[record.partition, default: OffsetTally()].take(record.offset) }
                }
            }
        }
    }
}
