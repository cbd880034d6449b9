import KafkaClient
import Testing

@testable import EventStreaming

@Suite struct EventMetadataTests {
    @Test func headersAreThoseOfCloudEvents() throws {
        let metadata = EventMetadata(
            id: "7",
            source: "/orders",
            type: "order.placed",
            subject: "536365",
            time: UTCTime(millisecondsSince1970: 1_291_191_960_000),
            contentType: "application/json",
            dataSchema: "https://example.com/order",
            correlationID: "c",
            causationID: "k",
            extensions: ["tenant": "nord"]
        )
        let expected = [
            "ce_specversion: 1.0", "ce_id: 7", "ce_source: /orders", "ce_type: order.placed",
            "ce_time: 2010-12-01T08:26:00Z", "ce_subject: 536365", "ce_dataschema: https://example.com/order",
            "ce_correlationid: c", "ce_causationid: k", "ce_tenant: nord", "content-type: application/json",
        ]
        #expect(metadata.headers.map { "\($0.key): \(String(decoding: $0.value ?? [], as: UTF8.self))" } == expected)
        #expect(EventMetadata(headers: metadata.headers) == metadata)
    }

    @Test func recordsOfOthersHaveNone() {
        #expect(EventMetadata(headers: []) == nil)
        let complete = EventMetadata(id: "7", source: "/s", type: "t").headers
        for name in ["ce_specversion", "ce_id", "ce_source", "ce_type"] {
            #expect(EventMetadata(headers: complete.filter { $0.key != name }) == nil, "without \(name)")
            let empty = complete.map { $0.key == name ? KafkaHeader(key: name, value: "") : $0 }
            #expect(EventMetadata(headers: empty) == nil, "\(name) is empty")
            let binary = complete.map { $0.key == name ? KafkaHeader(key: name, value: [0xFF]) : $0 }
            #expect(EventMetadata(headers: binary) == nil, "\(name) is not UTF-8")
        }
        let later = complete.map { $0.key == "ce_specversion" ? KafkaHeader(key: $0.key, value: "2.0") : $0 }
        #expect(EventMetadata(headers: later) == nil, "another version may mean something else")
    }

    @Test func whatCannotBeReadIsLeftOut() throws {
        let headers =
            EventMetadata(id: "7", source: "/s", type: "t").headers
            + [
                KafkaHeader(key: "ce_time", value: "soon"), KafkaHeader(key: "ce_id", value: "8"),
                KafkaHeader(key: "ce_null", value: nil), KafkaHeader(key: "other", value: "x"),
            ]
        #expect(EventMetadata(headers: headers) == EventMetadata(id: "7", source: "/s", type: "t"))
    }

    @Test func anEventComesOfAnother() {
        let first = EventMetadata(id: "1", source: "/s", type: "t")
        var second = EventMetadata(id: "2", source: "/s", type: "t")
        second.setCause(first)
        #expect(second.causationID == "1")
        #expect(second.correlationID == "1", "the first event begins a correlation")
        var third = EventMetadata(id: "3", source: "/s", type: "t")
        third.setCause(second)
        #expect(third.causationID == "2")
        #expect(third.correlationID == "1")
        var own = EventMetadata(id: "4", source: "/s", type: "t", correlationID: "mine", causationID: "0")
        own.setCause(second)
        #expect(own.causationID == "0")
        #expect(own.correlationID == "mine")
    }
}

@Suite struct EventIDTests {
    @Test func theyAreUUIDsOfVersion7() throws {
        for _ in 0..<1_000 {
            let id = EventID.next()
            let isUUID = id.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil
            #expect(isUUID, "\(id)")
        }
    }

    /// Also when more are made than a millisecond has numbers, by several threads.
    @Test func theyIncrease() async {
        await withTaskGroup(of: [String].self) { group in
            for _ in 0..<4 {
                group.addTask { (0..<20_000).map { _ in EventID.next() } }
            }
            var all: Set<String> = []
            for await ids in group {
                #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 })
                all.formUnion(ids)
            }
            #expect(all.count == 80_000)
        }
    }

    @Test func theyIncreaseWhenTheClockIsSetBack() {
        let later = EventID.next(at: 1 << 47, random: .max)
        let earlier = EventID.next(at: 1_000, random: 0)
        #expect(later < earlier)
        #expect(later.hasPrefix("80000000-0000-7"))
    }

    @Test func derivedOnesAreTheSameAgainAndDifferFromAllOthers() throws {
        var all: Set<String> = []
        for first in 0..<200 {
            for second in 0..<200 {
                let id = EventID.derived(from: "\(first)", "\(second)", at: 1_291_191_960_000)
                #expect(id == EventID.derived(from: "\(first)", "\(second)", at: 1_291_191_960_000))
                all.insert(id)
            }
        }
        #expect(all.count == 40_000)
        #expect(EventID.derived(from: "ab", "c", at: 0) != EventID.derived(from: "a", "bc", at: 0))
        let id = try #require(all.first)
        let isUUID = id.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil
        #expect(isUUID, "\(id)")
        #expect(EventID.milliseconds(of: id) == 1_291_191_960_000)
    }

    @Test(arguments: ["", "7", "4bf92f35-77b3-4da6-a3ce-929d0e0e4736", "zzzzzzzz-zzzz-7zzz-zzzz-zzzzzzzzzzzz"])
    func otherIDsHaveNoTime(id: String) {
        #expect(EventID.milliseconds(of: id) == nil)
    }
}
