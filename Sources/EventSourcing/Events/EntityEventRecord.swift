public import EventStreaming
package import KafkaClient

/// How an event of an entity is a record of Kafka: the key is the entity's id, the value are the event's data, and the headers
/// its metadata (CloudEvents), with the attributes `category`, `sequence` (CloudEvents' sequence extension) and `typeversion`.
package enum EntityEventRecord {
    package static let category = "category"
    package static let sequence = "sequence"
    package static let typeVersion = "typeversion"

    /// The record of an event.
    package static func record(
        of event: EncodedEvent,
        entity: EntityID,
        sequence: Int64,
        topic: String,
        partition: Int32? = nil
    ) -> KafkaProducerRecord {
        KafkaProducerRecord(
            topic: topic,
            partition: partition,
            key: Array(entity.id.utf8),
            value: event.data,
            headers: self.metadata(of: event, entity: entity, sequence: sequence).headers
        )
    }

    /// An event of a store as a record of the store's own partition.
    package static func record(of stored: StoredEvent, store: String) -> KafkaRecord {
        let partition = PositionToken.partition(ofStore: store)
        return KafkaRecord(
            topic: partition.topic,
            partition: partition.partition,
            offset: stored.position,
            timestamp: stored.event.metadata.time.map {
                KafkaTimestamp(millisecondsSince1970: $0.millisecondsSince1970)
            },
            key: Array(stored.entity.id.utf8),
            value: stored.event.data,
            headers: self.metadata(of: stored.event, entity: stored.entity, sequence: stored.sequence).headers
        )
    }

    private static func metadata(of event: EncodedEvent, entity: EntityID, sequence: Int64) -> EventMetadata {
        var metadata = event.metadata
        metadata.subject = metadata.subject ?? entity.id
        metadata.extensions[self.category] = entity.category
        metadata.extensions[self.sequence] = "\(sequence)"
        metadata.extensions[self.typeVersion] = "\(event.typeVersion)"
        return metadata
    }

    /// Reads a record.
    ///
    /// - Returns: `nil` for a record that is no event of an entity.
    package static func read(_ record: IncomingRecord) -> StoredEvent? {
        guard var metadata = EventMetadata(headers: record.headers),
            let category = metadata.extensions.removeValue(forKey: self.category),
            let sequence = metadata.extensions.removeValue(forKey: self.sequence).flatMap({ Int64($0) }), sequence > 0,
            let version = metadata.extensions.removeValue(forKey: self.typeVersion).flatMap({ Int($0) }),
            let id = record.key.flatMap({ String(validating: $0, as: UTF8.self) })
        else { return nil }
        if metadata.subject == id { metadata.subject = nil }
        return StoredEvent(
            entity: EntityID(category, id),
            sequence: sequence,
            position: record.offset,
            event: EncodedEvent(metadata: metadata, typeVersion: version, data: record.value ?? [])
        )
    }
}

/// A record of a topic of events is none.
public struct NotAnEntityEvent: Error, Sendable, Hashable, CustomStringConvertible {
    /// Where the record is.
    public let position: RecordPosition

    package init(_ record: IncomingRecord) {
        self.position = RecordPosition(partition: record.partition, offset: record.offset)
    }

    /// What is wrong.
    public var description: String {
        "\(self.position.partition)@\(self.position.offset) is no event of an entity: a key in UTF-8 and the headers ce_id, "
            + "ce_source, ce_type, ce_category, ce_sequence and ce_typeversion are expected"
    }
}
