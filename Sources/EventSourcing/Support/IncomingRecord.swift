package import KafkaClient

/// A record that was read from Kafka, from a store, or made for a test.
package enum IncomingRecord: Sendable {
    case consumed(KafkaConsumerRecord)
    case made(KafkaRecord)

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

    package var key: [UInt8]? {
        switch self {
        case .consumed(let record): record.key
        case .made(let record): record.key
        }
    }

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
}
