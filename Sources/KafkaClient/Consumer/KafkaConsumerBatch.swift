internal import CLibrdkafka
public import Synchronization

/// Consumed records that came together.
///
/// The records' bytes are those of librdkafka, which frees the response of the fetch they came in when the last record
/// of it is gone: keep ``KafkaConsumerRecord/detached()`` copies of records that are to live long.
///
/// Unchecked, because the messages never change while they are readable, and what changes is atomic;
/// `ownership` is set before anybody else has the batch.
public final class KafkaConsumerBatch: @unchecked Sendable, ConsumerStateBatch {
    typealias Message = UnsafeMutablePointer<rd_kafka_message_t>

    /// The last record of a partition in this batch.
    struct Progress {
        let topicHandle: OpaquePointer
        let partition: KafkaTopicPartition
        var lastOffset: Int64
    }

    /// Partitions that were read to their end after the records of this batch, with the offset of their end.
    ///
    /// Always empty unless ``KafkaConsumer/Configuration/reportsEndOfPartition`` is set.
    public let endOfPartitions: [KafkaTopicPartition: Int64]

    /// How many records the batch has.
    public let count: Int

    /// The number of assignments until it was handed out. Set once, before it is.
    var ownership = 0

    /// The partitions of the batch, each with its last record.
    let progress: [Progress]

    /// How many records the reader took, in a sequence of records.
    @usableFromInline let cursor = Atomic<Int>(0)
    /// Where the reader must stop to look up: the count, or 0 when something waits for it.
    @usableFromInline let limit: Atomic<Int>

    private let client: ClientHandle
    /// The batch that owns the messages, if that is another one.
    private let owner: KafkaConsumerBatch?
    private let messages: UnsafeMutableBufferPointer<Message>
    /// How many messages the batch owns: all, or none when another one does.
    private let ownedCount: Int
    /// librdkafka parses headers at the first look at them, into the message.
    private let headersLock = Mutex(())

    /// Takes over messages, all of them records.
    ///
    /// - Parameter owner: the batch that goes on owning the messages, if there is one.
    init(
        client: ClientHandle,
        messages: UnsafeMutableBufferPointer<Message>,
        count: Int,
        progress: [Progress],
        endOfPartitions: [KafkaTopicPartition: Int64],
        owner: KafkaConsumerBatch? = nil
    ) {
        self.client = client
        self.owner = owner
        self.messages = messages
        self.count = count
        self.ownedCount = owner == nil ? count : 0
        self.progress = progress
        self.endOfPartitions = endOfPartitions
        self.limit = Atomic(count)
        client.batchCreated()
    }

    deinit {
        for index in 0..<self.ownedCount {
            rd_kafka_message_destroy(self.messages[index])
        }
        self.messages.deallocate()
        self.client.batchDestroyed()
    }

    var partitions: [KafkaTopicPartition] { self.progress.map(\.partition) }

    /// The tracing of the consumer, if there is an instrument.
    var tracing: ClientTracing? { self.client.tracing }

    /// Takes the next record of a sequence of records: its position, or `nil` when the reader must look up.
    @inlinable
    func take() -> Int? {
        let index = self.cursor.load(ordering: .relaxed)
        guard index < self.limit.load(ordering: .relaxed) else { return nil }
        // Looking for a cancellation costs more than all the rest, so only every sixteenth record does.
        guard index & 15 != 15 || !Task.isCancelled else { return nil }
        self.cursor.store(index + 1, ordering: .releasing)
        return index
    }

    /// Makes the reader look up before it takes another record.
    func interrupt() {
        self.limit.store(0, ordering: .releasing)
    }

    var isInterrupted: Bool { self.limit.load(ordering: .acquiring) < self.count }

    /// How many records were taken.
    var takenCount: Int { self.cursor.load(ordering: .acquiring) }

    /// The offsets behind the last of the first `count` records, per partition.
    func positions(after count: Int) -> [(partition: KafkaTopicPartition, offset: Int64)] {
        guard count < self.count else { return self.progress.map { ($0.partition, $0.lastOffset + 1) } }
        var positions: [(partition: KafkaTopicPartition, offset: Int64)] = []
        var last: [Int64] = Array(repeating: -1, count: self.progress.count)
        for index in 0..<count {
            last[self.progressIndex(of: self.messages[index])] = self.messages[index].pointee.offset
        }
        for (progress, offset) in zip(self.progress, last) where offset >= 0 {
            positions.append((progress.partition, offset + 1))
        }
        return positions
    }

    /// Another batch with the same records of some partitions, which keeps this one.
    func selecting(_ isKept: (KafkaTopicPartition) -> Bool) -> KafkaConsumerBatch? {
        self.selecting(from: 0, isKept)
    }

    /// Another batch with the records of some partitions that were not taken, which keeps this one.
    ///
    /// Only the reader may call this, in between records.
    func remaining(_ isKept: (KafkaTopicPartition) -> Bool) -> KafkaConsumerBatch? {
        self.interrupt()
        return self.selecting(from: self.takenCount, isKept)
    }

    /// Another batch with some of the records, which keeps this one; `nil` for none.
    package func slice(_ range: Range<Int>) -> KafkaConsumerBatch? {
        let range = range.clamped(to: 0..<self.count)
        guard !range.isEmpty else { return nil }
        let selected = UnsafeMutableBufferPointer<Message>.allocate(capacity: range.count)
        var builder = KafkaConsumerBatchBuilder(client: self.client, messages: selected, owner: self.owner ?? self)
        for index in range { builder.append(self.messages[index]) }
        let batch = builder.finish(endOfPartitions: [:])
        batch?.ownership = self.ownership
        return batch
    }

    private func selecting(from first: Int, _ isKept: (KafkaTopicPartition) -> Bool) -> KafkaConsumerBatch? {
        guard first < self.count else { return nil }
        let kept = self.progress.map { isKept($0.partition) }
        let selected = UnsafeMutableBufferPointer<Message>.allocate(capacity: self.count - first)
        var builder = KafkaConsumerBatchBuilder(client: self.client, messages: selected, owner: self.owner ?? self)
        for index in first..<self.count where kept[self.progressIndex(of: self.messages[index])] {
            builder.append(self.messages[index])
        }
        let batch = builder.finish(endOfPartitions: self.endOfPartitions.filter { isKept($0.key) })
        batch?.ownership = self.ownership
        return batch
    }

    /// The first record of a partition that was not taken.
    func nextRecord(of partition: KafkaTopicPartition) -> (offset: Int64, timestamp: KafkaTimestamp?)? {
        guard let wanted = self.progress.firstIndex(where: { $0.partition == partition }) else { return nil }
        let first = self.takenCount
        guard first < self.count else { return nil }
        for index in first..<self.count where self.progressIndex(of: self.messages[index]) == wanted {
            let record = KafkaConsumerRecord(batch: self, index: index)
            return (record.offset, record.timestamp)
        }
        return nil
    }

    /// The records in batches of their own, one for each partition, also for those that only ended.
    func splitByPartition() -> [(partition: KafkaTopicPartition, batch: KafkaConsumerBatch)] {
        var parts: [(partition: KafkaTopicPartition, batch: KafkaConsumerBatch)] = []
        for partition in self.partitions {
            if let batch = self.selecting({ $0 == partition }) { parts.append((partition, batch)) }
        }
        for (partition, end) in self.endOfPartitions where !self.partitions.contains(partition) {
            let none = UnsafeMutableBufferPointer<Message>.allocate(capacity: 0)
            var builder = KafkaConsumerBatchBuilder(client: self.client, messages: none)
            if let batch = builder.finish(endOfPartitions: [partition: end]) { parts.append((partition, batch)) }
        }
        return parts
    }

    /// Where a message's partition stands in `progress`.
    private func progressIndex(of message: Message) -> Int {
        if self.progress.count == 1 { return 0 }
        return self.progress.firstIndex { progress in
            progress.partition.partition == message.pointee.partition && progress.topicHandle == message.pointee.rkt
        } ?? 0
    }

    // MARK: Fields of records

    func partition(at index: Int) -> KafkaTopicPartition {
        self.progress[self.progressIndex(of: self.messages[index])].partition
    }

    func message(at index: Int) -> UnsafePointer<rd_kafka_message_t> {
        precondition(index >= 0 && index < self.count, "the batch has \(self.count) records, not one at \(index)")
        return UnsafePointer(self.messages[index])
    }

    /// Whether a record has a header, at the cost of little more than the look.
    func hasHeader(named name: String, at index: Int) -> Bool {
        self.headersLock.withLock { _ in
            var list: OpaquePointer?
            var value: UnsafeRawPointer?
            var size = 0
            guard rd_kafka_message_headers(self.message(at: index), &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list
            else {
                return false
            }
            return rd_kafka_header_get_last(list, name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR
        }
    }

    func headers(at index: Int) -> [KafkaHeader] {
        self.headersLock.withLock { _ in
            var list: OpaquePointer?
            guard rd_kafka_message_headers(self.message(at: index), &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list
            else {
                return []
            }
            var headers: [KafkaHeader] = []
            headers.reserveCapacity(rd_kafka_header_cnt(list))
            var key: UnsafePointer<CChar>?
            var value: UnsafeRawPointer?
            var size = 0
            while rd_kafka_header_get_all(list, headers.count, &key, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR {
                headers.append(
                    KafkaHeader(
                        key: key.map { String(cString: $0) } ?? "",
                        value: value.map { Array(UnsafeRawBufferPointer(start: $0, count: size)) }
                    )
                )
            }
            return headers
        }
    }
}

extension KafkaConsumerBatch: RandomAccessCollection {
    /// The position of the first record.
    @inlinable public var startIndex: Int { 0 }
    /// The position behind the last record.
    @inlinable public var endIndex: Int { self.count }

    /// The record at a position.
    @inlinable public subscript(position: Int) -> KafkaConsumerRecord {
        KafkaConsumerRecord(batch: self, index: position)
    }
}
