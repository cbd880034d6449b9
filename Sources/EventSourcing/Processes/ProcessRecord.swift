package import KafkaClient

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// A record to be sent, in a form that can be kept.
package struct ProcessRecord: Sendable, Hashable, Codable {
    private struct Header: Hashable, Codable {
        var key: String
        var value: Data?
    }

    private var topic: String
    private var partition: Int32?
    private var key: Data?
    private var value: Data?
    private var headers: [Header]
    private var timestamp: Int64?

    package init(_ record: KafkaProducerRecord) {
        self.topic = record.topic
        self.partition = record.partition
        self.key = record.key.map { Data($0) }
        self.value = record.value.map { Data($0) }
        self.headers = record.headers.map { Header(key: $0.key, value: $0.value.map { Data($0) }) }
        self.timestamp = record.timestamp?.millisecondsSince1970
    }

    package var record: KafkaProducerRecord {
        var record = KafkaProducerRecord(
            topic: self.topic,
            partition: self.partition,
            key: self.key.map { Array($0) },
            value: self.value.map { Array($0) },
            headers: self.headers.map { KafkaHeader(key: $0.key, value: $0.value.map { Array($0) }) }
        )
        record.timestamp = self.timestamp.map { KafkaTimestamp(millisecondsSince1970: $0) }
        return record
    }
}
