@testable import KafkaClient

/// A batch of consecutive records of some partitions, without librdkafka.
///
/// Unchecked, because each is used by one test on one task.
final class FakeBatch: ConsumerStateBatch, @unchecked Sendable {
    typealias Record = (partition: KafkaTopicPartition, offset: Int64)

    let records: [Record]
    private(set) var takenCount = 0
    private(set) var isInterrupted = false
    var ownership = 0

    init(_ records: [Record]) {
        self.records = records
    }

    /// Records `offsets` of one partition.
    convenience init(_ partition: KafkaTopicPartition, _ offsets: Range<Int64>) {
        self.init(offsets.map { (partition, $0) })
    }

    var count: Int { self.records.count }

    func interrupt() { self.isInterrupted = true }

    /// Takes the next record as a sequence of records does; `nil` when the reader must look up.
    func take() -> Record? {
        guard !self.isInterrupted, self.takenCount < self.count else { return nil }
        self.takenCount += 1
        return self.records[self.takenCount - 1]
    }

    var partitions: [KafkaTopicPartition] {
        self.records.map(\.partition).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    func positions(after count: Int) -> [(partition: KafkaTopicPartition, offset: Int64)] {
        var last: [KafkaTopicPartition: Int64] = [:]
        for record in self.records.prefix(count) {
            last[record.partition] = record.offset + 1
        }
        return last.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    func nextRecord(of partition: KafkaTopicPartition) -> (offset: Int64, timestamp: KafkaTimestamp?)? {
        self.records.dropFirst(self.takenCount).first { $0.partition == partition }.map { ($0.offset, nil) }
    }

    func remaining(_ isKept: (KafkaTopicPartition) -> Bool) -> FakeBatch? {
        self.interrupt()
        let rest = self.records.dropFirst(self.takenCount).filter { isKept($0.partition) }
        return rest.isEmpty ? nil : FakeBatch(rest)
    }

    func selecting(_ isKept: (KafkaTopicPartition) -> Bool) -> FakeBatch? {
        let selected = self.records.filter { isKept($0.partition) }
        return selected.isEmpty ? nil : FakeBatch(selected)
    }
}
