public import EventSourcing
internal import EventStreaming

/// What every ``EventStore`` has to do: each check is one promise, for a store of its own that is empty.
///
/// ```swift
/// @Test(arguments: EventStoreContract.checks)
/// func keeps(_ check: EventStoreContract.Check) async throws {
///     try await check.run(MyEventStore(...))
/// }
/// ```
public enum EventStoreContract {
    /// One promise.
    public struct Check: Sendable, CustomStringConvertible {
        /// What is promised.
        public let description: String
        private let body: @Sendable (any EventStore) async throws -> Void

        init(_ description: String, _ body: @escaping @Sendable (any EventStore) async throws -> Void) {
            self.description = description
            self.body = body
        }

        /// Sees whether a store keeps it.
        ///
        /// - Throws: ``SpecificationFailure`` when it does not; what the store throws.
        public func run(_ store: any EventStore) async throws {
            try await self.body(store)
        }
    }

    /// All of them.
    public static let checks: [Check] = Self.reading + Self.versions + Self.identities + Self.order + Self.snapshots

    // MARK: Reading

    private static let reading = [
        Check("events of an entity come back as they were appended") { store in
            let entity = EntityID("order", "1")
            let events = (1...5).map { Self.event($0, full: $0 == 3) }
            try await store.append(events, to: entity)
            let stored = try await store.events(of: entity)
            try Self.equal(stored.map(\.event), events, "events")
            try Self.equal(stored.map(\.sequence), [1, 2, 3, 4, 5], "sequences")
            try Self.equal(Set(stored.map(\.entity)), [entity], "entity")
        },
        Check("reading begins with a sequence and ends with a limit") { store in
            let entity = EntityID("order", "1")
            try await store.append((1...9).map { Self.event($0) }, to: entity)
            let some = try await store.events(of: entity, from: 4, limit: 3)
            try Self.equal(some.map(\.sequence), [4, 5, 6], "sequences")
            try Self.equal(try await store.events(of: entity, from: 10, limit: 3), [], "behind the last one")
            try Self.equal(
                try await store.events(of: entity, from: -3, limit: 1).map(\.sequence),
                [1],
                "below the first one"
            )
            try Self.equal(try await store.events(of: entity, from: 1, limit: 0), [], "none at all")
        },
        Check("entities with the same id and other categories are others") { store in
            try await store.append([Self.event(1)], to: EntityID("order", "1"))
            try await store.append([Self.event(2)], to: EntityID("payment", "1"))
            try Self.equal(try await store.version(of: EntityID("order", "1")), 1, "version")
            try Self.equal(
                try await store.events(of: EntityID("payment", "1")).map(\.event.metadata.id),
                ["e2"],
                "events"
            )
        },
        Check("an entity without events has version 0 and no events") { store in
            try Self.equal(try await store.version(of: EntityID("order", "none")), 0, "version")
            try Self.equal(try await store.events(of: EntityID("order", "none")), [], "events")
        },
        Check("an event is found by its identity") { store in
            try await store.append([Self.event(1), Self.event(2)], to: EntityID("order", "1"))
            let found = try await store.event(EventIdentity(source: "/test", id: "e2"))
            try Self.equal(found?.sequence, 2, "sequence")
            let other = try await store.event(EventIdentity(source: "/other", id: "e2"))
            try Self.equal(other, nil, "the same id of another source")
        },
    ]

    // MARK: Versions

    private static let versions = [
        Check("an expectation that does not hold is a conflict with both versions, and appends nothing") { store in
            let entity = EntityID("order", "1")
            try await store.append([Self.event(1)], to: entity, expecting: .noEvents)
            for expected in [ExpectedVersion.noEvents, .exactly(0), .exactly(2)] {
                let error = try await Self.refusal {
                    try await store.append([Self.event(9)], to: entity, expecting: expected)
                }
                try Self.equal(error.code, .conflict, "code")
                try Self.equal(error.expected, expected, "expected version")
                try Self.equal(error.actual, 1, "actual version")
                try Self.equal(error.entity, entity, "entity")
            }
            try Self.equal(try await store.version(of: entity), 1, "version")
            try await store.append([Self.event(2)], to: entity, expecting: .exactly(1))
            try await store.append([Self.event(3)], to: entity, expecting: .any)
            try Self.equal(try await store.version(of: entity), 3, "version")
        },
        Check("several entities in one append are appended together or not at all") { store in
            let (first, second) = (EntityID("order", "1"), EntityID("order", "2"))
            try await store.append([Self.event(1)], to: second)
            let error = try await Self.refusal {
                try await store.append([
                    EventAppend(to: first, [Self.event(2)], expecting: .noEvents),
                    EventAppend(to: second, [Self.event(3)], expecting: .noEvents),
                ])
            }
            try Self.equal(error.entity, second, "entity")
            try Self.equal(try await store.version(of: first), 0, "version of the first")
            let result = try await store.append([
                EventAppend(to: first, [Self.event(2), Self.event(4)], expecting: .noEvents),
                EventAppend(to: second, [Self.event(3)], expecting: .exactly(1)),
            ])
            try Self.equal(result.versions, [first: 2, second: 2], "versions")
            try Self.equal(result.position, 4, "position")
        },
        Check("an append without events only checks the version") { store in
            let (first, second) = (EntityID("order", "1"), EntityID("order", "2"))
            try await store.append([Self.event(1)], to: first)
            let result = try await store.append([
                EventAppend(to: first, [], expecting: .exactly(1)),
                EventAppend(to: second, [Self.event(2)], expecting: .noEvents),
            ])
            try Self.equal(result.versions, [first: 1, second: 1], "versions")
            _ = try await Self.refusal {
                try await store.append([
                    EventAppend(to: first, [], expecting: .exactly(2)),
                    EventAppend(to: second, [Self.event(3)], expecting: .any),
                ])
            }
            try Self.equal(try await store.version(of: second), 1, "version")
        },
        Check("of many that append with one expectation one succeeds") { store in
            let entity = EntityID("order", "1")
            let successes = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 1...50 {
                    group.addTask {
                        do {
                            try await store.append([Self.event(number)], to: entity, expecting: .noEvents)
                            return true
                        } catch let error as EventStoreError where error.code == .conflict {
                            return false
                        }
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            try Self.equal(successes, 1, "successes")
            try Self.equal(try await store.version(of: entity), 1, "version")
        },
        Check("an append that makes no sense is refused") { store in
            let entity = EntityID("order", "1")
            for appends in [
                [EventAppend(to: entity, [Self.event(1)]), EventAppend(to: entity, [Self.event(2)])],
                [EventAppend(to: EntityID("", "1"), [Self.event(1)])],
                [EventAppend(to: EntityID("order", "1\u{0}a"), [Self.event(1)])],
                [EventAppend(to: EntityID("order", ""), [Self.event(1)])],
                [EventAppend(to: entity, [Self.event(1)], expecting: .exactly(-1))],
            ] {
                let error = try await Self.refusal { try await store.append(appends) }
                try Self.equal(error.code, .invalid, "code")
            }
            try Self.equal(try await store.lastPosition(), 0, "position")
        },
    ]

    // MARK: Identities

    private static let identities = [
        Check("an append that is repeated does nothing, and answers the same") { store in
            let entity = EntityID("order", "1")
            let first = try await store.append([Self.event(1), Self.event(2)], to: entity, expecting: .noEvents)
            try await store.append([Self.event(3)], to: entity)
            let again = try await store.append([Self.event(1), Self.event(2)], to: entity, expecting: .noEvents)
            try Self.equal(again.isRepetition, true, "repetition")
            try Self.equal(first.isRepetition, false, "repetition of the first")
            try Self.equal(again.versions, first.versions, "versions")
            try Self.equal(again.position, first.position, "position")
            try Self.equal(again.token, first.token, "token")
            try Self.equal(try await store.version(of: entity), 3, "version")
        },
        Check("an event that is there can't be appended with others, or to another entity") { store in
            let entity = EntityID("order", "1")
            try await store.append([Self.event(1)], to: entity)
            for append in [
                EventAppend(to: entity, [Self.event(1), Self.event(2)]),
                EventAppend(to: entity, [Self.event(2), Self.event(1)]),
                EventAppend(to: EntityID("order", "2"), [Self.event(1)]),
                EventAppend(to: entity, [Self.event(5), Self.event(5)]),
            ] {
                let error = try await Self.refusal { try await store.append([append]) }
                try Self.equal(error.code, .duplicateEvent, "code")
            }
            try Self.equal(try await store.lastPosition(), 1, "position")
        },
        Check("the same id of another source is another event") { store in
            var other = Self.event(1)
            other.metadata.source = "/other"
            try await store.append([Self.event(1), other], to: EntityID("order", "1"))
            try Self.equal(try await store.version(of: EntityID("order", "1")), 2, "version")
        },
    ]

    // MARK: The order of all events

    private static let order = [
        Check("positions rise in the order of the appends, over all entities") { store in
            for number in 1...10 {
                try await store.append([Self.event(number)], to: EntityID("order", "\(number % 3)"))
            }
            let all = try await store.events(after: 0, limit: 100)
            try Self.equal(all.map(\.event.metadata.id), (1...10).map { "e\($0)" }, "order")
            try Self.equal(all.map(\.position), all.map(\.position).sorted(), "positions")
            try Self.equal(try await store.lastPosition(), all.last?.position, "last position")
            let rest = try await store.events(after: all[3].position, limit: 2)
            try Self.equal(rest.map(\.event.metadata.id), ["e5", "e6"], "a part")
            try Self.equal(try await store.events(after: all[9].position, limit: 5), [], "behind the last one")
        },
        Check("a reader of the order misses nothing, however many append") { store in
            let writers = 8
            let each = 40
            let seen = try await withThrowingTaskGroup(of: [String].self) { group in
                group.addTask { try await Self.read(store, count: writers * each) }
                for writer in 0..<writers {
                    group.addTask {
                        for number in 0..<each {
                            let event = Self.event(writer * each + number)
                            try await store.append([event], to: EntityID("order", "\(writer)"))
                        }
                        return []
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            try Self.equal(Set(seen).count, writers * each, "events")
            try Self.equal(seen.count, writers * each, "events, each once")
        },
        Check("a reader that waits is woken by an append") { store in
            let ids = try await withThrowingTaskGroup(of: [String].self) { group in
                group.addTask { try await Self.read(store, count: 2) }
                group.addTask {
                    try await store.append([Self.event(1)], to: EntityID("order", "1"))
                    try await store.append([Self.event(2)], to: EntityID("order", "2"))
                    return []
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            try Self.equal(ids, ["e1", "e2"], "events")
        },
        Check("waiting ends when the task is cancelled") { store in
            let task = Task { try await store.waitForEvents(after: 0) }
            task.cancel()
            do {
                try await task.value
                throw SpecificationFailure("waiting ended as if there were an event")
            } catch is CancellationError {
                return
            }
        },
    ]

    private static func read(_ store: some EventStore, count: Int) async throws -> [String] {
        var ids: [String] = []
        var position: Int64 = 0
        while ids.count < count {
            try await store.waitForEvents(after: position)
            for event in try await store.events(after: position, limit: 7) {
                guard event.position > position else { throw SpecificationFailure("positions do not rise") }
                position = event.position
                ids.append(event.event.metadata.id)
            }
        }
        return ids
    }

    // MARK: Snapshots

    private static let snapshots = [
        Check("the newest snapshot of a form is kept") { store in
            let entity = EntityID("order", "1")
            try Self.equal(try await store.snapshot(of: entity, form: 1), nil, "none")
            func snapshot(_ sequence: Int64, form: Int = 1) -> EntitySnapshot {
                EntitySnapshot(entity: entity, sequence: sequence, form: form, data: [UInt8(sequence)])
            }
            try await store.save(snapshot(5))
            try await store.save(snapshot(3))
            try Self.equal(try await store.snapshot(of: entity, form: 1), snapshot(5), "the newest")
            try Self.equal(try await store.snapshot(of: entity, form: 2), nil, "of another form")
            try await store.save(snapshot(4, form: 2))
            try Self.equal(try await store.snapshot(of: entity, form: 2), snapshot(4, form: 2), "the new form")
        }
    ]

    // MARK: Support

    private static func event(_ number: Int, full: Bool = false) -> EncodedEvent {
        var metadata = EventMetadata(
            id: "e\(number)",
            source: "/test",
            type: "happened",
            time: UTCTime(millisecondsSince1970: 1_291_190_760_000 + Int64(number))
        )
        if full {
            metadata.subject = "subject"
            metadata.contentType = "application/json"
            metadata.dataSchema = "https://example.com/schema"
            metadata.correlationID = "c"
            metadata.causationID = "d"
            metadata.trace = TraceContext(traceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
            metadata.extensions = ["tenant": "ä", "empty": ""]
        }
        return EncodedEvent(metadata: metadata, typeVersion: full ? 2 : 1, data: full ? [0, 255] : [])
    }

    private static func equal<Value: Equatable>(_ actual: Value, _ expected: Value, _ what: String) throws {
        guard actual == expected else {
            throw SpecificationFailure("\(what): expected \(expected), actual \(actual)")
        }
    }

    private static func refusal(_ body: () async throws -> AppendResult) async throws -> EventStoreError {
        do {
            _ = try await body()
        } catch let error as EventStoreError {
            return error
        }
        throw SpecificationFailure("the append was not refused")
    }
}
