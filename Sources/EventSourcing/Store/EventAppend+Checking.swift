public import EventStreaming

/// What every backend asks of an append, so that each answers the same.
extension EventAppend {
    /// Checks what does not depend on what is in the store.
    ///
    /// - Throws: ``EventStoreError`` with the code `invalid` or `duplicateEvent`.
    public static func check(_ appends: [EventAppend]) throws(EventStoreError) {
        var entities: Set<EntityID> = []
        var identities: Set<EventIdentity> = []
        for append in appends {
            if append.entity.category.isEmpty || append.entity.id.isEmpty {
                throw .invalid("an entity has an empty category or id: \(append.entity)", of: append.entity)
            }
            // Text with a zero in it is cut off there by many a database.
            let texts =
                [append.entity.category, append.entity.id]
                + append.events.flatMap { [$0.metadata.id, $0.metadata.source] }
            if texts.contains(where: { $0.utf8.contains(0) }) {
                throw .invalid("a category, an id or a source has a zero byte in it", of: append.entity)
            }
            guard entities.insert(append.entity).inserted else {
                throw .invalid("\(append.entity) is twice in one append", of: append.entity)
            }
            if case .exactly(let version) = append.expected, version < 0 {
                throw .invalid("a version can't be \(version)", of: append.entity)
            }
            for event in append.events {
                guard identities.insert(event.metadata.identity).inserted else {
                    throw .duplicateEvent(event.metadata.id, of: append.entity)
                }
            }
        }
    }

    /// Whether an append is the repetition of one that was done.
    ///
    /// - Parameters:
    ///   - appends: what is to be appended.
    ///   - stored: looks an event up.
    /// - Returns: what came of it then; `nil` when none of the events is there.
    /// - Throws: ``EventStoreError`` with the code `duplicateEvent` when some of them are, or are another entity's; what
    ///   `stored` throws.
    public static func repetition(
        of appends: [EventAppend],
        in store: String,
        stored: (EventIdentity) throws -> StoredEvent?
    ) throws -> AppendResult? {
        var versions: [EntityID: Int64] = [:]
        var position: Int64 = 0
        var known = 0
        var unknown: (entity: EntityID, id: String)?
        for append in appends {
            for event in append.events {
                guard let earlier = try stored(event.metadata.identity) else {
                    unknown = unknown ?? (append.entity, event.metadata.id)
                    continue
                }
                guard earlier.entity == append.entity else {
                    throw EventStoreError.duplicateEvent(event.metadata.id, of: earlier.entity)
                }
                known += 1
                versions[append.entity] = max(versions[append.entity] ?? 0, earlier.sequence)
                position = max(position, earlier.position)
            }
        }
        guard known > 0 else { return nil }
        if let unknown { throw EventStoreError.duplicateEvent(unknown.id, of: unknown.entity) }
        return AppendResult(versions: versions, position: position, isRepetition: true, store: store)
    }
}
