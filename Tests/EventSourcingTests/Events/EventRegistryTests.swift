import EventSourcing
import EventStreaming
import TestAccounts
import Testing

struct EventRegistryTests {
    private struct Placed: Codable, Hashable {
        var total: Int
        var currency: String
    }

    private struct PlacedV1: Codable {
        var pounds: Int
    }

    private struct PlacedV2: Codable {
        var pence: Int
    }

    private enum Event: Hashable {
        case placed(Placed)
        case other
    }

    private func registry(unknown: UnknownEventPolicy = .stop) -> EventRegistry<Event> {
        var registry = EventRegistry<Event>(unknown: unknown)
        registry.register("order.placed", version: 3, Placed.self) {
            .placed($0)
        } from: { event in
            if case .placed(let placed) = event { placed } else { nil }
        }
        registry.upcast("order.made", from: 1, PlacedV1.self, toType: "order.placed", version: 2) { old in
            PlacedV2(pence: old.pounds * 100)
        }
        registry.upcast("order.placed", from: 2, PlacedV2.self) { Placed(total: $0.pence, currency: "GBP") }
        return registry
    }

    private func event(_ type: String, version: Int, _ data: String) -> EncodedEvent {
        EncodedEvent(
            metadata: EventMetadata(source: "/test", type: type),
            typeVersion: version,
            data: Array(data.utf8)
        )
    }

    @Test func whatIsWrittenIsRead() throws {
        let placed = Event.placed(Placed(total: 5, currency: "EUR"))
        let encoded = try self.registry().encode(placed, source: "/test")
        #expect(encoded.metadata.type == "order.placed")
        #expect(encoded.typeVersion == 3)
        #expect(encoded.metadata.contentType == "application/json")
        #expect(try self.registry().decode(encoded) == placed)
    }

    /// One upcaster after the other, from another name to the form of now.
    @Test func oldVersionsGoThroughAllUpcasters() throws {
        let old = self.event("order.made", version: 1, #"{"pounds": 7}"#)
        #expect(try self.registry().decode(old) == .placed(Placed(total: 700, currency: "GBP")))
        let newer = self.event("order.placed", version: 2, #"{"pence": 7}"#)
        #expect(try self.registry().decode(newer) == .placed(Placed(total: 7, currency: "GBP")))
    }

    @Test(arguments: [("order.lost", 1), ("order.placed", 4), ("order.placed", 1)])
    func unknownTypesAndVersionsAreSkippedOrStop(_ type: String, _ version: Int) throws {
        let event = self.event(type, version: version, "{}")
        #expect(try self.registry(unknown: .skip).decode(event) == nil)
        let error = #expect(throws: EventRegistryError.self) { try self.registry().decode(event) }
        #expect(error?.code == .unknownType)
        #expect(error?.description.contains(type) == true)
    }

    @Test(arguments: ["", "{", #"{"total": "x"}"#, "\u{0}"])
    func dataOfAnotherFormAreUnreadable(_ data: String) throws {
        for (type, version) in [("order.placed", 3), ("order.placed", 2), ("order.made", 1)] {
            let event = self.event(type, version: version, data)
            let error = #expect(throws: EventRegistryError.self) {
                try self.registry(unknown: .skip).decode(event)
            }
            #expect(error?.code == .unreadable)
        }
    }

    @Test func upcastersThatLeadBackAreAnError() throws {
        var registry = self.registry()
        registry.upcast("a", from: 1, toType: "b", version: 1) { $0 }
        registry.upcast("b", from: 1, toType: "a", version: 1) { $0 }
        let error = #expect(throws: EventRegistryError.self) {
            try registry.decode(self.event("a", version: 1, "{}"))
        }
        #expect(error?.code == .circularUpcasters)
    }

    @Test func anEventWithoutATypeCannotBeWritten() throws {
        let error = #expect(throws: EventRegistryError.self) { try self.registry().encode(.other, source: "/test") }
        #expect(error?.code == .unknownType)
    }
}
