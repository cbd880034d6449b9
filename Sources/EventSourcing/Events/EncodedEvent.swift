public import EventStreaming

/// An event as bytes, with what is known beside them.
public struct EncodedEvent: Sendable, Hashable {
    /// Id, type, time, correlation and causation.
    public var metadata: EventMetadata
    /// Which form of its type the data have, from 1 on.
    public var typeVersion: Int
    /// The data.
    public var data: [UInt8]

    /// Makes an event of its parts.
    public init(metadata: EventMetadata, typeVersion: Int = 1, data: [UInt8]) {
        self.metadata = metadata
        self.typeVersion = typeVersion
        self.data = data
    }
}

/// An event of a store, with its place there.
public struct StoredEvent: Sendable, Hashable {
    /// What it happened to.
    public var entity: EntityID
    /// Its number among the events of the entity, from 1 on.
    public var sequence: Int64
    /// Its place in the order of all events of the store, from 1 on; gaps do not matter, and never fill up later.
    public var position: Int64
    /// What happened.
    public var event: EncodedEvent

    /// Makes an event of its parts.
    public init(entity: EntityID, sequence: Int64, position: Int64, event: EncodedEvent) {
        self.entity = entity
        self.sequence = sequence
        self.position = position
        self.event = event
    }
}

/// An event that was read, as a value.
public struct RecordedEvent<Event: Sendable>: Sendable {
    /// What happened.
    public var event: Event
    /// What it happened to.
    public var entity: EntityID
    /// Its number among the events of the entity, from 1 on.
    public var sequence: Int64
    /// Id, type, time, correlation and causation.
    public var metadata: EventMetadata

    /// Makes an event of its parts.
    public init(event: Event, entity: EntityID, sequence: Int64, metadata: EventMetadata) {
        self.event = event
        self.entity = entity
        self.sequence = sequence
        self.metadata = metadata
    }
}
