import EventStreaming
import Foundation
import Testing

@Suite struct SerdeTests {
    private struct Line: Codable, Sendable, Hashable {
        var sku: String
        var quantity: Int
    }

    private struct Order: Codable, Sendable, Hashable {
        var id: String
        var placedAt: Date
        var lines: [Line]
        var note: String?
    }

    /// The bytes that a value is written as, and the value that they are read as.
    private func expect<Value: Equatable>(_ value: Value, as text: String, _ serde: Serde<Value>) throws {
        let bytes = try #require(try serde.encode(value))
        #expect(String(decoding: bytes, as: UTF8.self) == text)
        #expect(try serde.decode(bytes) == value)
    }

    private func message<Value>(of serde: Serde<Value>, reading bytes: [UInt8]?) -> String? {
        do {
            _ = try serde.decode(bytes)
            return nil
        } catch {
            return error.message
        }
    }

    @Test func jsonHasKeysAsDeclaredAndTimesOfRFC3339() throws {
        let order = Order(
            id: "536365",
            placedAt: Date(timeIntervalSince1970: 1_291_191_960.25),
            lines: [Line(sku: "85123A", quantity: 6)],
            note: "a/b"
        )
        try self.expect(
            order,
            as: #"{"id":"536365","lines":[{"quantity":6,"sku":"85123A"}],"note":"a/b","#
                + #""placedAt":"2010-12-01T08:26:00.250Z"}"#,
            .json()
        )
        let foreign = #"{"id":"1","placedAt":"2010-12-01T09:26:00+01:00","lines":[]}"#
        let read = try Serde<Order>.json().decode(Array(foreign.utf8))
        #expect(read.placedAt == Date(timeIntervalSince1970: 1_291_191_960))
    }

    @Test func jsonErrorsNameThePlace() {
        let serde = Serde<Order>.json()
        #expect(self.message(of: serde, reading: nil) == "can't read Order: there are no bytes")
        let text = #"{"id":"1","placedAt":"2010-12-01T09:26:00Z","lines":[{"sku":"A","quantity":"six"}]}"#
        #expect(
            self.message(of: serde, reading: Array(text.utf8)) == "can't read Order: lines[0].quantity: expected Int"
        )
        let missing = #"{"placedAt":"2010-12-01T09:26:00Z","lines":[]}"#
        #expect(self.message(of: serde, reading: Array(missing.utf8)) == "can't read Order: id is missing")
        let wrongTime = #"{"id":"1","placedAt":"yesterday","lines":[]}"#
        #expect(self.message(of: serde, reading: Array(wrongTime.utf8))?.contains("placedAt: expected a time") == true)
        #expect(self.message(of: serde, reading: Array("{".utf8))?.hasPrefix("can't read Order: ") == true)
    }

    private enum Suit: String, Codable {
        case hearts, spades
    }

    private struct Card: Codable {
        var suit: Suit
        var rank: UInt8
    }

    @Test(arguments: [
        (#"{"suit":"secret","rank":1}"#, "can't read Card: suit: it is none of the values that there are"),
        (
            #"{"suit":"hearts","rank":4711}"#,
            "can't read Card: it is not JSON, or has a number that is not whole or beyond 64 bits"
        ),
    ])
    func jsonErrorsNeverQuoteTheValue(text: String, problem: String) {
        #expect(self.message(of: Serde<Card>.json(), reading: Array(text.utf8)) == problem)
    }

    @Test func jsonRefusesDatesThatHaveNoForm() throws {
        let order = Order(id: "1", placedAt: .distantFuture + 1e15, lines: [])
        #expect {
            _ = try Serde<Order>.json().encode(order)
        } throws: {
            ($0 as? SerdeError)?.message == "can't write Order: placedAt: the date is not between the years 1 and 9999"
        }
    }

    @Test func jsonIsReadAndWrittenByManyThreads() async throws {
        let serde = Serde<Order>.json()
        let order = Order(id: "1", placedAt: Date(timeIntervalSince1970: 0), lines: [Line(sku: "A", quantity: 1)])
        let bytes = try serde.encode(order)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    (0..<200).allSatisfy { _ in
                        (try? serde.encode(order)) == bytes && (try? serde.decode(bytes)) == order
                    }
                }
            }
            for await isSame in group { #expect(isSame) }
        }
    }

    @Test func textBytesNumbersAndIDs() throws {
        try self.expect("größer", as: "größer", .string)
        try self.expect(-42, as: "-42", Serde<Int>.decimal)
        let uuid = try #require(UUID(uuidString: "E621E1F8-C36C-495A-93FC-0C247A3E6E5F"))
        try self.expect(uuid, as: "e621e1f8-c36c-495a-93fc-0c247a3e6e5f", .uuid)
        #expect(try Serde<[UInt8]>.bytes.encode([0, 255]) == [0, 255])
        #expect(try Serde<Data>.data.encode(Data([0, 255])) == [0, 255])
        #expect(try Serde<Data>.data.decode([0, 255]) == Data([0, 255]))
        #expect(try Serde<Int32>.bigEndian.encode(-2) == [255, 255, 255, 254])
        #expect(try Serde<Int64>.bigEndian.decode([0, 0, 0, 0, 0, 0, 1, 2]) == 258)
    }

    @Test func bytesThatAreNoValueAreRefused() {
        #expect(self.message(of: Serde<String>.string, reading: [0xC3]) == "can't read String: the bytes are not UTF-8")
        #expect(
            self.message(of: Serde<Int32>.bigEndian, reading: [1]) == "can't read Int32: expected 4 bytes, found 1"
        )
        for text in ["", "4 2", "99999999999999999999", "0x1"] {
            #expect(
                self.message(of: Serde<Int>.decimal, reading: Array(text.utf8))
                    == "can't read Int: the bytes are not a decimal number"
            )
        }
        #expect(
            self.message(of: Serde<UUID>.uuid, reading: Array("42".utf8))
                == "can't read UUID: the bytes are not the text of a UUID"
        )
    }

    @Test func nilIsATombstone() throws {
        let serde = Serde<String?>.optional(.string)
        #expect(try serde.encode(nil) == nil)
        #expect(try serde.decode(nil) == .some(nil))
        #expect(try serde.encode("") == [])
        #expect(try serde.decode([]) == "")
        #expect(serde.contentType == "text/plain; charset=utf-8")
    }
}
