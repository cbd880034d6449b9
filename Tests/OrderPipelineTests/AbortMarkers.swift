import Foundation

/// The markers of aborted transactions in a broker's data directory: control batches of Kafka's record format, version 2.
struct AbortMarkers {
    private struct Transaction: Hashable {
        var producerID: Int64
        var producerEpoch: Int16
    }

    private var found: Set<Transaction> = []

    /// How many transactions were aborted. A producer that died has its epoch raised, so those of one producer differ.
    var transactions: Int { self.found.count }

    init(inDataOf folder: String) throws {
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder) where name.hasSuffix(".log") {
            self.add([UInt8](try Data(contentsOf: URL(filePath: folder).appending(path: name))))
        }
    }

    private mutating func add(_ bytes: [UInt8]) {
        func number<Number: FixedWidthInteger>(_ type: Number.Type, at index: Int) -> Number {
            bytes[index..<index + MemoryLayout<Number>.size].reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
        }
        var start = 0
        while start + 61 <= bytes.count {
            let length = Int(number(Int32.self, at: start + 8))
            let isControl = number(Int16.self, at: start + 21) & 0x20 != 0
            // One record: length, attributes, two deltas and the length of its key, a byte each; then version and type.
            if isControl, start + 70 <= bytes.count, number(Int16.self, at: start + 61 + 7) == 0 {
                self.found.insert(
                    Transaction(
                        producerID: number(Int64.self, at: start + 43),
                        producerEpoch: number(Int16.self, at: start + 51)
                    )
                )
            }
            start += 12 + length
        }
    }
}
