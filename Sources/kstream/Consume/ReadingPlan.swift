internal import KafkaClient

/// From where to where each partition is read.
struct ReadingPlan {
    private let range: OffsetRange
    private let exitsAtEnd: Bool
    private var bounds: [KafkaTopicPartition: Bounds] = [:]
    private var remaining: Set<KafkaTopicPartition> = []

    private struct Bounds {
        var start: Int64
        /// The offset to stop before; `nil` to go on for ever.
        var stop: Int64?
    }

    init(range: OffsetRange, exitsAtEnd: Bool) {
        self.range = range
        self.exitsAtEnd = exitsAtEnd
    }

    /// Whether nothing is left to be read.
    var isDone: Bool { self.remaining.isEmpty }

    /// The partitions that have something to be read, each with its first offset.
    var starts: [KafkaTopicPartition: KafkaOffset] {
        self.bounds.filter { self.remaining.contains($0.key) }.mapValues { .absolute($0.start) }
    }

    /// Adds a partition whose log has these ends.
    /// - Returns: What to tell when the place to begin at is not in the log.
    mutating func add(_ partition: KafkaTopicPartition, watermarks: KafkaWatermarks) -> String? {
        let wanted = self.range.lower.offset(in: watermarks)
        let start = min(max(wanted, watermarks.low), watermarks.high)
        var stop = self.range.upper.map { $0.offset(in: watermarks) }
        if self.exitsAtEnd { stop = min(stop ?? .max, watermarks.high) }
        self.bounds[partition] = Bounds(start: start, stop: stop)
        if stop.map({ start < $0 }) ?? true { self.remaining.insert(partition) }
        // That -N may reach beyond the beginning is what everybody expects of the last N.
        guard case .absolute = self.range.lower, start != wanted else { return nil }
        return "\(partition) holds offsets \(watermarks.low) to \(watermarks.high): it is read from \(start)"
    }

    /// Takes note of a record that came.
    /// - Returns: Whether it is one of those to be read.
    mutating func includes(_ partition: KafkaTopicPartition, offset: Int64) -> Bool {
        guard let stop = self.bounds[partition]?.stop else { return true }
        if offset >= stop - 1 { self.remaining.remove(partition) }
        return offset < stop
    }

    /// Takes note that everything which is in a partition was read.
    ///
    /// The last offsets of a log may hold no record (they mark the end of a transaction), so that this is the only sign.
    mutating func reachedEnd(of partition: KafkaTopicPartition) {
        guard self.exitsAtEnd || self.range.upper != nil else { return }
        self.remaining.remove(partition)
    }
}
