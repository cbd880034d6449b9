import EmbeddedKafka
import KafkaClient
import Testing

@testable import kstream

@Suite(.timeLimit(.minutes(2)))
struct SeekRunTests {
    @Test func `offsets are moved and shown, and the group goes on there`() async throws {
        let cluster = try await TestCluster(
            "seek",
            partitions: 2,
            records: (0..<10).map { .value("\($0)", partition: Int32($0 % 2)) }
        )
        let first = try await cluster.seek("--to", "3")
        #expect(first.status == 0)
        #expect(first.errors == "")
        let titles = "PARTITION".padded(cluster.topic.count + 3)
        let rule = String(repeating: "-", count: cluster.topic.count + 3)
        #expect(
            first.lines == [
                "\(titles)   OLD  NEW  END", "\(rule)  ----  ---  ---",
                "\(cluster.topic)[0]  none    3    5", "\(cluster.topic)[1]  none    3    5",
            ]
        )
        let second = try await cluster.seek("--to", "-1", "--partition", "1")
        #expect(second.lines.last == "\(cluster.topic)[1]    3    4    5")
        let consumed = try await cluster.run("consume", "--group", cluster.group, "--exit-at-end")
        #expect(consumed.lines.sorted() == ["6", "8", "9"])
    }

    @Test func `an offset outside of a partition changes nothing`() async throws {
        let cluster = try await TestCluster("range", partitions: 2, records: (0..<3).map { .value("\($0)") })
        let refused = try await cluster.seek("--to", "1")
        #expect(refused.status == 1)
        #expect(refused.output == "")
        #expect(refused.errors.contains("\(cluster.topic)[1] holds offsets 0 to 0"))
        #expect(!refused.errors.contains("[0]"))
        let done = try await cluster.seek("--to", "end")
        #expect(done.lines.dropFirst(2).map { $0.contains("none") } == [true, true])
    }

    @Test func `a group with members is refused`() async throws {
        let cluster = try await TestCluster("members", records: (0..<3).map { .value("\($0)") })
        var configuration = KafkaConsumer.Configuration(
            bootstrapServers: cluster.cluster.bootstrapServers,
            group: cluster.group
        )
        configuration.fetchMaxWait = .milliseconds(20)
        try await withKafkaConsumer(configuration, subscribedTo: [cluster.topic], logger: .silent) { consumer in
            for try await record in consumer.records {
                // It is a member now.
                try await consumer.commit(record)
                break
            }
            let refused = try await cluster.seek("--to", "end")
            #expect(refused.status == 1)
            #expect(refused.output == "")
            #expect(refused.errors.hasPrefix("error: the group \(cluster.group) has members, so nothing was changed"))
            let partition = KafkaTopicPartition(topic: cluster.topic, partition: 0)
            let committed = try await consumer.committedOffsets(for: [partition])
            #expect(committed == [partition: 1])
        }
    }

    @Test func `a partition that is not there is named`() async throws {
        let cluster = try await TestCluster("missing", partitions: 2)
        let refused = try await cluster.seek("--to", "start", "--partition", "2")
        #expect(refused.status == 1)
        #expect(refused.errors == "error: \(cluster.topic) has no partition 2: it has 2, numbered from 0 to 1.\n")
    }
}

extension String {
    fileprivate func padded(_ width: Int) -> String {
        self + String(repeating: " ", count: Swift.max(0, width - self.count))
    }
}
