extension ClientHandle {
    /// How far positions are behind the ends of their partitions.
    ///
    /// - Parameters:
    ///   - positions: the offset of the next record to be read, per partition.
    ///   - times: the timestamps of the next records, where they are known.
    ///   - ends: the ends of the partitions' logs.
    func lag(
        of positions: [KafkaTopicPartition: Int64],
        times: [KafkaTopicPartition: KafkaTimestamp] = [:],
        ends: [KafkaTopicPartition: KafkaWatermarks],
        until deadline: ContinuousClock.Instant,
        timeout: Duration,
        operation: String
    ) async throws -> [KafkaTopicPartition: KafkaLag] {
        let now = KafkaTimestamp.now
        var lags: [KafkaTopicPartition: KafkaLag] = [:]
        var searches: [KafkaTopicPartition: RecordTimeSearch] = [:]
        for (partition, position) in positions {
            guard let end = ends[partition] else { continue }
            var lag = KafkaLag(position: position, start: end.low, end: end.high, age: .zero)
            if lag.records > 0 {
                if let time = times[partition], position >= end.low {
                    lag.age = now.age(of: time)
                } else {
                    searches[partition] = RecordTimeSearch(position: max(position, end.low), now: now)
                }
            }
            lags[partition] = lag
        }
        // All partitions are asked about in the same requests, a few times.
        while true {
            let questions = searches.mapValues(\.questions).filter { !$0.value.isEmpty }
            guard let width = questions.values.map(\.count).max() else { break }
            let rounds = (0..<width).map { index in
                questions.compactMapValues { index < $0.count ? $0[index] : nil }
            }
            let answers = try await self.lookUp(rounds, until: deadline, timeout: timeout, operation: operation)
            for (partition, asked) in questions {
                searches[partition]?.answer(asked.indices.map { answers[$0][partition] })
            }
        }
        for (partition, search) in searches {
            lags[partition]?.age = search.age
        }
        return lags
    }
}

extension KafkaTimestamp {
    /// How long before this time another one was, not less than nothing.
    func age(of other: KafkaTimestamp) -> Duration {
        let (difference, overflow) = self.millisecondsSince1970.subtractingReportingOverflow(
            other.millisecondsSince1970
        )
        return overflow ? .zero : .milliseconds(max(0, difference))
    }
}
