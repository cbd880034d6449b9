internal import KafkaClient

/// Watches that a reader of an embedded cluster's topics gets every record from offset 0 on.
///
/// That cluster drops the oldest records of a partition that outgrows it, and says nothing: a reader that was not there
/// yet would go on behind the hole.
struct OffsetContinuity: Sendable {
    private var next: [KafkaTopicPartition: Int64] = [:]

    /// Takes the offset of the record that was read.
    /// - Throws: ``PipelineError/recordsLost(_:offsets:)`` when records before it were never seen. A record that was seen
    ///   before is fine.
    mutating func check(_ partition: KafkaTopicPartition, offset: Int64) throws(PipelineError) {
        let expected = self.next[partition] ?? 0
        guard offset <= expected else { throw .recordsLost(partition, offsets: expected..<offset) }
        self.next[partition] = max(expected, offset + 1)
    }
}
