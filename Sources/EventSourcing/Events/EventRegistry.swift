public import EventStreaming

/// What becomes of an event whose type a registry does not know.
public enum UnknownEventPolicy: Sendable, Hashable {
    /// It is passed over: who wrote it is newer than who reads.
    case skip
    /// Reading fails with ``EventRegistryError``: what is not understood must not be missed.
    case stop
}

/// The types of events: their names, their versions, and how old versions become new ones.
///
/// ```swift
/// var events = EventRegistry<OrderEvent>(unknown: .skip)
/// events.register("order.placed", version: 2, Placed.self) { .placed($0) } from: { event in
///     if case .placed(let placed) = event { placed } else { nil }
/// }
/// // Until version 2 orders had no currency.
/// events.upcast("order.placed", from: 1, PlacedV1.self) { Placed(id: $0.id, total: $0.total, currency: "GBP") }
/// ```
///
/// What was stored stays as it was written. An event of an old version goes through one upcaster after the other, until it is of
/// the version that is registered.
public struct EventRegistry<Event: Sendable>: Sendable {
    private struct Entry: Sendable {
        var version: Int
        var decode: @Sendable ([UInt8]) throws -> Event
    }

    private struct Writer: Sendable {
        var type: String
        var version: Int
        var contentType: String?
        /// `nil` for an event of another type.
        var encode: @Sendable (Event) throws -> [UInt8]?
    }

    private struct Form: Hashable {
        var type: String
        var version: Int
    }

    private struct Upcaster: Sendable {
        var target: Form
        var transform: @Sendable ([UInt8]) throws -> [UInt8]
    }

    /// What becomes of an event whose type is not known.
    public let unknown: UnknownEventPolicy
    private var entries: [String: Entry] = [:]
    private var writers: [Writer] = []
    private var upcasters: [Form: Upcaster] = [:]

    /// Makes a registry without types.
    public init(unknown: UnknownEventPolicy = .stop) {
        self.unknown = unknown
    }

    /// The names of the types that are known.
    public var types: [String] { self.entries.keys.sorted() }

    // MARK: Registering

    /// Adds a type whose data are a payload with a serde. The last one of a name counts.
    ///
    /// - Parameters:
    ///   - type: its name in metadata, such as `order.placed`.
    ///   - version: the form that is written now, from 1 on.
    ///   - serde: how the payload is written and read.
    ///   - event: the event that has a payload.
    ///   - payload: the payload of an event; `nil` for events of other types.
    public mutating func register<Payload>(
        _ type: String,
        version: Int = 1,
        serde: Serde<Payload>,
        _ event: @escaping @Sendable (Payload) -> Event,
        from payload: @escaping @Sendable (Event) -> Payload?
    ) {
        self.entries[type] = Entry(version: version) { event(try serde.decode($0)) }
        self.writers.removeAll { $0.type == type }
        self.writers.append(
            Writer(type: type, version: version, contentType: serde.contentType) { event in
                guard let payload = payload(event) else { return nil }
                return try serde.encode(payload) ?? []
            }
        )
    }

    /// Adds a type whose data are JSON.
    ///
    /// - Parameters: as for ``register(_:version:serde:_:from:)``.
    public mutating func register<Payload: Codable & Sendable>(
        _ type: String,
        version: Int = 1,
        _: Payload.Type,
        _ event: @escaping @Sendable (Payload) -> Event,
        from payload: @escaping @Sendable (Event) -> Payload?
    ) {
        self.register(type, version: version, serde: .json(), event, from: payload)
    }

    /// Says how the data of an old version become those of a newer one.
    ///
    /// - Parameters:
    ///   - type: the name in metadata.
    ///   - version: the version that is read.
    ///   - newType: the name then; `nil` is the same.
    ///   - newVersion: the version then; `nil` is the next one.
    ///   - transform: makes the new data; what it throws is told as ``EventRegistryError``.
    public mutating func upcast(
        _ type: String,
        from version: Int,
        toType newType: String? = nil,
        version newVersion: Int? = nil,
        _ transform: @escaping @Sendable ([UInt8]) throws -> [UInt8]
    ) {
        let target = Form(type: newType ?? type, version: newVersion ?? version + 1)
        self.upcasters[Form(type: type, version: version)] = Upcaster(target: target, transform: transform)
    }

    /// Says how the payload of an old version becomes that of a newer one, each with its serde: that which the type had then, and
    /// that which it is registered with now.
    ///
    /// - Parameters: as for ``upcast(_:from:toType:version:_:)-(_,_,_,_,([UInt8])->[UInt8])``; `old` reads the payload that is
    ///   stored, `new` writes what it becomes.
    public mutating func upcast<Old, New>(
        _ type: String,
        from version: Int,
        reading old: Serde<Old>,
        toType newType: String? = nil,
        version newVersion: Int? = nil,
        writing new: Serde<New>,
        _ transform: @escaping @Sendable (Old) throws -> New
    ) {
        self.upcast(type, from: version, toType: newType, version: newVersion) { data in
            try new.encode(transform(try old.decode(data))) ?? []
        }
    }

    /// Says how the JSON of an old version becomes that of a newer one, by values.
    ///
    /// - Parameters: as for ``upcast(_:from:reading:toType:version:writing:_:)``.
    public mutating func upcast<Old: Codable & Sendable, New: Codable & Sendable>(
        _ type: String,
        from version: Int,
        _: Old.Type,
        toType newType: String? = nil,
        version newVersion: Int? = nil,
        _ transform: @escaping @Sendable (Old) throws -> New
    ) {
        self.upcast(
            type,
            from: version,
            reading: Serde<Old>.json(),
            toType: newType,
            version: newVersion,
            writing: Serde<New>.json(),
            transform
        )
    }

    // MARK: Writing and reading

    /// The bytes of an event, with its type and its version.
    ///
    /// - Parameters:
    ///   - event: what happened.
    ///   - source: where it happened: a URI reference.
    ///   - id: its id; `nil` makes one.
    ///   - time: when it happened.
    ///   - cause: the command or event that it comes of.
    /// - Throws: ``EventRegistryError`` for an event of no registered type, and one that can't be written.
    public func encode(
        _ event: Event,
        source: String,
        id: String? = nil,
        time: UTCTime = .now,
        causedBy cause: EventMetadata? = nil
    ) throws(EventRegistryError) -> EncodedEvent {
        for writer in self.writers {
            do {
                guard let data = try writer.encode(event) else { continue }
                var metadata = EventMetadata(
                    id: id ?? EventID.next(),
                    source: source,
                    type: writer.type,
                    time: time,
                    contentType: writer.contentType
                )
                if let cause { metadata.setCause(cause) }
                return EncodedEvent(metadata: metadata, typeVersion: writer.version, data: data)
            } catch {
                throw EventRegistryError(.unreadable, type: writer.type, version: writer.version, cause: error)
            }
        }
        throw EventRegistryError(.unknownType, type: Self.name(of: event), version: 0, cause: nil)
    }

    /// The name of a case or a type, without what it holds, which may be personal.
    private static func name(of event: Event) -> String {
        let mirror = Mirror(reflecting: event)
        guard mirror.displayStyle == .enum else { return "\(Swift.type(of: event))" }
        // A case without a payload is its own description.
        return "\(Event.self).\(mirror.children.first?.label ?? "\(event)")"
    }

    /// The event of bytes.
    ///
    /// - Returns: `nil` for an unknown type that is to be skipped.
    /// - Throws: ``EventRegistryError``.
    public func decode(_ event: EncodedEvent) throws(EventRegistryError) -> Event? {
        try self.decode(event.data, type: event.metadata.type, version: event.typeVersion)
    }

    /// The event of bytes.
    ///
    /// - Parameters:
    ///   - data: the bytes.
    ///   - type: the name in metadata.
    ///   - version: the form that the bytes have.
    /// - Returns: `nil` for an unknown type, or an unknown version of one, that is to be skipped.
    /// - Throws: ``EventRegistryError``.
    public func decode(_ data: [UInt8], type: String, version: Int) throws(EventRegistryError) -> Event? {
        var form = Form(type: type, version: version)
        var data = data
        var seen: Set<Form> = []
        while true {
            if let entry = self.entries[form.type], entry.version == form.version {
                do {
                    return try entry.decode(data)
                } catch {
                    throw EventRegistryError(.unreadable, type: type, version: version, cause: error)
                }
            }
            guard let upcaster = self.upcasters[form] else { break }
            guard seen.insert(form).inserted else {
                throw EventRegistryError(.circularUpcasters, type: type, version: version, cause: nil)
            }
            do {
                data = try upcaster.transform(data)
            } catch {
                throw EventRegistryError(.unreadable, type: form.type, version: form.version, cause: error)
            }
            form = upcaster.target
        }
        switch self.unknown {
        case .skip: return nil
        case .stop: throw EventRegistryError(.unknownType, type: type, version: version, cause: nil)
        }
    }

    /// The event of a store as a value.
    ///
    /// - Returns: `nil` for an unknown type that is to be skipped.
    /// - Throws: ``EventRegistryError``.
    public func recorded(_ stored: StoredEvent) throws(EventRegistryError) -> RecordedEvent<Event>? {
        guard let event = try self.decode(stored.event) else { return nil }
        return RecordedEvent(
            event: event,
            entity: stored.entity,
            sequence: stored.sequence,
            metadata: stored.event.metadata
        )
    }
}
