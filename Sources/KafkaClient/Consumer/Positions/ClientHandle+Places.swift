/// Finding out which offset a place is.
extension ClientHandle {
    /// The offsets of places, as they are now.
    ///
    /// - Parameter reset: where a partition without committed offset is read from.
    /// - Throws: ``KafkaError`` with the code `offsetOutOfRange` for a partition without committed offset, when that fails.
    func offsets(
        of places: [KafkaTopicPartition: KafkaOffset],
        reset: KafkaConsumer.AutoOffsetReset,
        timeout: Duration,
        operation: String
    ) async throws -> [KafkaTopicPartition: Int64] {
        let committing = places.filter { $0.value == .committed }.map(\.key)
        var committed: [KafkaTopicPartition: Int64] = [:]
        if !committing.isEmpty {
            committed = try await self.committedOffsets(for: committing, timeout: timeout, operation: operation)
        }
        let uncommitted = committing.filter { committed[$0] == nil }
        if reset == .fail, let first = uncommitted.first {
            throw KafkaError(
                .offsetOutOfRange,
                operation: operation,
                topic: first.topic,
                partition: first.partition,
                message: "the group has committed no offset, and autoOffsetReset is `fail`"
            )
        }
        let asked = places.filter { $0.value.isFoundOut }.map(\.key) + uncommitted
        let ends = try await self.logEnds(
            of: asked,
            until: .now + timeout,
            timeout: timeout,
            operation: operation
        )
        return places.reduce(into: [:]) { offsets, place in
            offsets[place.key] = place.value.offset(
                in: ends[place.key] ?? KafkaWatermarks(low: 0, high: 0),
                committed: committed[place.key],
                reset: reset
            )
        }
    }
}

extension KafkaOffset {
    /// Whether the brokers must be asked for the offset, which is another one at another time.
    var isFoundOut: Bool {
        switch self {
        case .beginning, .end, .tail: true
        case .committed, .absolute: false
        }
    }

    /// The offset, where nobody needs to be asked for it. Of what is before the beginning, that is 0.
    var absoluteOffset: Int64? {
        if case .absolute(let offset) = self { max(0, offset) } else { nil }
    }
}
