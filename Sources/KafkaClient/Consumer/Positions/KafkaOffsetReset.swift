/// A consumer wanted to read at an offset that its partition's log does not hold.
///
/// The records were deleted, by retention or by hand, before they were read; or the log was cut off or made anew, and ends
/// before the offset. Where reading goes on is up to ``KafkaConsumer/Configuration/autoOffsetReset``. A group that begins without a
/// committed offset has lost nothing, and nothing is told then.
public struct KafkaOffsetReset: Sendable, Hashable {
    /// The partition.
    public var partition: KafkaTopicPartition
    /// The offset that was to be read next.
    public var wantedOffset: Int64
    /// What the log held when it was asked.
    public var watermarks: KafkaWatermarks
    /// The offset that is read next; `nil` under ``KafkaConsumer/AutoOffsetReset/fail``, when the reader gets an error instead and reading
    /// goes on after a seek.
    public var resumedOffset: Int64?

    /// The offsets that will not be read; empty when reading goes back.
    ///
    /// There may be fewer records than offsets: transactions and compaction leave gaps.
    public var skippedOffsets: Range<Int64> {
        let resumed = self.resumedOffset ?? self.watermarks.low
        return self.wantedOffset..<max(self.wantedOffset, resumed)
    }

    /// The offsets that will be read again, by their numbers: a log that ends before the wanted offset may hold other records
    /// there now. Empty when reading goes forward.
    public var repeatedOffsets: Range<Int64> {
        guard let resumedOffset, resumedOffset < self.wantedOffset else { return self.wantedOffset..<self.wantedOffset }
        return resumedOffset..<max(resumedOffset, min(self.wantedOffset, self.watermarks.high))
    }
}

extension KafkaOffsetReset: CustomStringConvertible {
    /// What happened, in a sentence without a full stop.
    public var description: String {
        var text = "offset \(self.wantedOffset) of \(self.partition) is out of range: the log holds "
        text +=
            self.watermarks.low == self.watermarks.high
            ? "no records and goes on at \(self.watermarks.high)"
            : "\(self.watermarks.low) to \(self.watermarks.high - 1)"
        guard let resumedOffset else { return text + "; seek to read on" }
        text += "; reading goes on at \(resumedOffset)"
        if !self.skippedOffsets.isEmpty {
            text += ", \(self.skippedOffsets.count) offsets are skipped"
        }
        if !self.repeatedOffsets.isEmpty {
            text += ", \(self.repeatedOffsets.count) offsets are repeated"
        }
        return text
    }
}
