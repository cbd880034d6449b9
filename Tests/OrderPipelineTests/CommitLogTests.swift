import KafkaClient
import Testing

@testable import OrderPipeline

@Suite("CommitLog")
struct CommitLogTests {
    @Test("a group is one line, with its topics and their partitions in order")
    func lines() {
        let commits = CommitLog()
        #expect(commits.lines.isEmpty)
        func partition(_ topic: String, _ number: Int32) -> KafkaTopicPartition {
            .init(topic: topic, partition: number)
        }
        commits.add(group: "b", [partition("t", 0): 7])
        commits.add(group: "a", [partition("t", 10): 3, partition("t", 2): 120, partition("s", 0): 0])
        #expect(commits.lines == ["a  s 0@0  t 2@120 10@3", "b  t 0@7"])
    }
}
