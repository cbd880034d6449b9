public import KafkaClient

/// A record that was read from Kafka, from a store, or made for a test.
@usableFromInline
package enum IncomingRecord: Sendable {
    case consumed(KafkaConsumerRecord)
    // Indirect, so that the other case, of which there are many at a time, stays small.
    indirect case made(KafkaRecord)

    package var partition: KafkaTopicPartition {
        switch self {
        case .consumed(let record): record.topicPartition
        case .made(let record): KafkaTopicPartition(topic: record.topic, partition: record.partition)
        }
    }

    package var offset: Int64 {
        switch self {
        case .consumed(let record): record.offset
        case .made(let record): record.offset
        }
    }

    package var timestamp: KafkaTimestamp? {
        switch self {
        case .consumed(let record): record.timestamp
        case .made(let record): record.timestamp
        }
    }

    @usableFromInline
    package var key: [UInt8]? {
        switch self {
        case .consumed(let record): record.key
        case .made(let record): record.key
        }
    }

    @usableFromInline
    package var value: [UInt8]? {
        switch self {
        case .consumed(let record): record.value
        case .made(let record): record.value
        }
    }

    package var headers: [KafkaHeader] {
        switch self {
        case .consumed(let record): record.headers
        case .made(let record): record.headers
        }
    }

    /// The records of a batch, each time those together that follow one another and are of the same partition.
    package static func runs(
        of batch: KafkaConsumerBatch
    ) -> [(partition: KafkaTopicPartition, records: [IncomingRecord])] {
        var runs: [(partition: KafkaTopicPartition, records: [IncomingRecord])] = []
        for record in batch {
            let partition = record.topicPartition
            if runs.last?.partition != partition { runs.append((partition, [])) }
            runs[runs.count - 1].records.append(.consumed(record))
        }
        return runs
    }
}
