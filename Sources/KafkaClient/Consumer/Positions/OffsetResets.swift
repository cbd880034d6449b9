/// Partitions that have no place to be read from, and what is to be done about it. A plain value; ``ConsumerCore`` acts.
struct OffsetResets {
    /// What librdkafka found.
    struct Finding: Sendable, Hashable {
        var partition: KafkaTopicPartition
        /// What could not be read: an offset that the log does not hold, or a place whose offset could not be found out. `nil` when
        /// there was none to begin at.
        var wanted: KafkaOffset?
        /// The number of assignments until then (see ``ConsumerState/isOwned(_:since:)``).
        var ownership: Int
        /// How often a place was found for it before.
        var resetCount = 0
    }

    enum Decision: Equatable {
        /// Go on from here; the reset tells why, where it is one.
        case resume(at: Int64, KafkaOffsetReset?)
        /// The reader gets an error.
        case fail(KafkaOffsetReset)
        /// The same, for a partition that has no committed offset.
        case failWithoutOffset
    }

    /// How often in a row partitions were reset without a record in between.
    private var attempts: [KafkaTopicPartition: Int] = [:]

    /// How long to wait before partitions are started again: not at all at first, up to a second when it does not help.
    mutating func delay(for partitions: [KafkaTopicPartition]) -> Duration {
        var most = 0
        for partition in partitions {
            let attempt = self.attempts[partition, default: 0]
            self.attempts[partition] = attempt + 1
            most = max(most, attempt)
        }
        return most == 0 ? .zero : min(.seconds(1), .milliseconds(50) * (1 << min(most, 5)))
    }

    /// Records of these partitions came.
    mutating func succeeded(_ partitions: some Sequence<KafkaTopicPartition>) {
        guard !self.attempts.isEmpty else { return }
        for partition in partitions {
            self.attempts[partition] = nil
        }
    }

    /// - Parameter watermarks: the log's range, asked after the finding.
    static func decide(
        _ finding: Finding,
        watermarks: KafkaWatermarks,
        policy: KafkaConsumer.AutoOffsetReset
    ) -> Decision {
        let wanted: Int64
        switch finding.wanted {
        case .absolute(let offset): wanted = offset
        case .beginning: return .resume(at: watermarks.low, nil)
        case .end: return .resume(at: watermarks.high, nil)
        case .tail(let count): return .resume(at: max(watermarks.low, watermarks.high - count), nil)
        case .committed, nil:
            switch policy {
            case .earliest: return .resume(at: watermarks.low, nil)
            case .latest: return .resume(at: watermarks.high, nil)
            case .fail: return .failWithoutOffset
            }
        }
        if wanted >= watermarks.low, wanted <= watermarks.high {
            // The leader was a new one that had not caught up, and has now.
            return .resume(at: wanted, nil)
        }
        var reset = KafkaOffsetReset(partition: finding.partition, wantedOffset: wanted, watermarks: watermarks)
        let resumed: Int64
        switch policy {
        case .earliest: resumed = watermarks.low
        case .latest: resumed = watermarks.high
        case .fail: return .fail(reset)
        }
        reset.resumedOffset = resumed
        return .resume(at: resumed, reset)
    }
}

extension KafkaOffset {
    /// The place that an error of librdkafka names; `nil` for none.
    init?(librdkafkaValue value: Int64) {
        switch value {
        case 0...: self = .absolute(value)
        case LogicalOffset.beginning: self = .beginning
        case LogicalOffset.end: self = .end
        case ...LogicalOffset.tailBase: self = .tail(LogicalOffset.tailBase - value)
        default: return nil
        }
    }
}
