import CommandLineSupport
import Foundation
import Testing

@testable import KafkaClient
@testable import kstream

struct RecordFormatTests {
    private func line(
        key: [UInt8]? = nil,
        value: [UInt8]?,
        headers: [KafkaHeader] = [],
        timestamp: KafkaTimestamp? = nil,
        format: RecordFormat = RecordFormat(isJSON: true, keySeparator: nil)
    ) -> String {
        let record = KafkaRecord(
            topic: "t",
            partition: 3,
            offset: 7,
            timestamp: timestamp,
            key: key,
            value: value,
            headers: headers
        )
        return String(decoding: format.bytes(of: record), as: UTF8.self)
    }

    @Test func `a record is one object with its keys in order`() {
        let line = self.line(
            key: Array("k".utf8),
            value: Array("v".utf8),
            headers: [.init(key: "a", value: "1"), .init(key: "a", value: nil), .init(key: "b", value: [0xFF])],
            timestamp: .init(millisecondsSince1970: 1_700_000_000_000)
        )
        #expect(
            line == #"{"topic":"t","partition":3,"offset":7,"timestamp":1700000000000,"key":"k","value":"v","headers":"#
                + #"[{"key":"a","value":"1"},{"key":"a","value":null},{"key":"b","valueBase64":"/w=="}]}"# + "\n"
        )
    }

    @Test func `null and empty differ`() {
        #expect(
            self.line(key: [], value: nil)
                == #"{"topic":"t","partition":3,"offset":7,"timestamp":null,"key":"","value":null,"headers":[]}"# + "\n"
        )
    }

    @Test func `any text survives, and stays on one line`() throws {
        let text = (0..<0x180).compactMap { UnicodeScalar($0) }.map { String($0) }.joined() + "\"\\\u{2028}😀"
        let line = self.line(value: Array(text.utf8))
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        #expect(object?["value"] as? String == text)
        #expect(line.utf8.count { $0 == UInt8(ascii: "\n") } == 1)
        #expect(!line.utf8.contains { $0 < 0x20 && $0 != UInt8(ascii: "\n") || $0 == 0x7F })
    }

    @Test(arguments: 0..<8)
    func `bytes that are not UTF-8 are base64`(count: Int) throws {
        let bytes = [0xFF] + (0..<count).map { UInt8($0 * 37) }
        let line = self.line(key: bytes, value: bytes)
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        #expect(object?["key"] == nil)
        #expect(object?["keyBase64"] as? String == Data(bytes).base64EncodedString())
        #expect(object?["valueBase64"] as? String == Data(bytes).base64EncodedString())
    }

    @Test func `plain lines are values, or keys and values`() {
        let plain = RecordFormat(isJSON: false, keySeparator: nil)
        let keyed = RecordFormat(isJSON: false, keySeparator: " = ")
        #expect(self.line(key: [0x6B], value: [0x76], format: plain) == "v\n")
        #expect(self.line(key: [0x6B], value: [0x76], format: keyed) == "k = v\n")
        #expect(self.line(value: nil, format: keyed) == " = \n")
    }
}

struct RecordLinesTests {
    private func batch(_ lines: [String], separator: String?) -> RecordBatch {
        RecordLines(topic: "t", keySeparator: separator).batch(of: lines.map { Array($0.utf8)[...] }, firstLine: 5)
    }

    @Test func `a line is a value`() {
        let batch = self.batch(["a", "", "b=c"], separator: nil)
        #expect(batch.records.map { $0.value } == [Array("a".utf8), [], Array("b=c".utf8)])
        #expect(batch.records.allSatisfy { $0.key == nil })
        #expect(batch.lineNumbers == [5, 6, 7])
        #expect(batch.nextLine == 8)
    }

    @Test func `a line is split at its first separator, and refused without one`() {
        let batch = self.batch(["k::v::w", "::", "k:v", "k::"], separator: "::")
        #expect(batch.records.map { $0.key } == [Array("k".utf8), [], Array("k".utf8)])
        #expect(batch.records.map { $0.value } == [Array("v::w".utf8), [], []])
        #expect(batch.lineNumbers == [5, 6, 8])
        #expect(batch.refused.map(\.line) == [7])
    }
}

struct SeekTableTests {
    @Test func `old and new offsets stand side by side`() {
        let moves = [
            OffsetMove(
                partition: .init(topic: "t", partition: 0),
                old: nil,
                new: 5,
                watermarks: .init(low: 0, high: 10)
            ),
            OffsetMove(
                partition: .init(topic: "t", partition: 1),
                old: 120,
                new: 11,
                watermarks: .init(low: 0, high: 200)
            ),
        ]
        #expect(
            SeekCommand.table(of: moves).rendered(color: false) == """
                PARTITION   OLD  NEW  END
                ---------  ----  ---  ---
                t[0]       none    5   10
                t[1]        120   11  200

                """
        )
        #expect(moves[0].isInRange)
        #expect(!OffsetMove(partition: moves[0].partition, new: 11, watermarks: .init(low: 0, high: 10)).isInRange)
    }
}
