@testable import EmbeddedKafka

/// Spoils requests, by a generator whose seed gives the same faults again.
struct FuzzMutator {
    var random: SeededGenerator

    private static let extremes: [UInt64] = [
        0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x7fff_fffe,
        0x7fff_ffff_ffff_ffff, 0x8000_0000_0000_0000, 0xffff_ffff_ffff_ffff, 0x7fff_ffff_ffff_fffe,
    ]

    init(seed: UInt64) {
        self.random = SeededGenerator(seed: seed)
    }

    mutating func below(_ count: Int) -> Int { Int.random(in: 0..<max(1, count), using: &self.random) }
    mutating func isOne(in count: Int) -> Bool { self.below(count) == 0 }

    /// The next bytes to send: a request, or what is left of one.
    mutating func next() -> [UInt8] {
        let entry = FuzzCorpus.all[self.below(FuzzCorpus.all.count)]
        // One in four stays as it is, so that there is state for the others.
        if self.isOne(in: 4) { return entry.frame }
        if let range = entry.batch, !self.isOne(in: 4) {
            var batch = Array(entry.bytes[range])
            self.mutate(&batch, from: self.isOne(in: 2) ? RecordBatchHeader.size : 8)
            batch = FuzzCorpus.sealed(batch, keepsLength: self.isOne(in: 8))
            let topic = FuzzCorpus.topics[self.below(FuzzCorpus.topics.count)]
            let id = self.isOne(in: 2) ? "tx" : nil
            return FuzzCorpus.produce(batch, to: topic, transactionalID: id).frame
        }
        var bytes = entry.bytes
        self.mutate(&bytes, from: self.isOne(in: 8) ? 0 : 14)
        if self.isOne(in: 16) {
            let other = FuzzCorpus.all[self.below(FuzzCorpus.all.count)].bytes
            bytes = Array(bytes.prefix(self.below(bytes.count))) + other.suffix(self.below(other.count))
        }
        var length = Encoding(isFlexible: false)
        length.int32(Int32(bytes.count))
        var frame = length.bytes + bytes
        if self.isOne(in: 50) { self.mutate(&frame, from: 0) }
        return frame
    }

    private mutating func mutate(_ bytes: inout [UInt8], from first: Int) {
        for _ in 0..<1 + self.below(4) {
            guard bytes.count > first else { return }
            let index = first + self.below(bytes.count - first)
            switch self.below(9) {
            case 0: bytes[index] ^= 1 << UInt8(self.below(8))
            case 1: bytes[index] = UInt8(self.below(256))
            case 2: bytes.removeLast(bytes.count - index)
            case 3: self.overwrite(&bytes, at: index)
            case 4:
                bytes.insert(contentsOf: (0..<self.below(16)).map { _ in UInt8(truncatingIfNeeded: index) }, at: index)
            case 5: bytes.removeSubrange(index..<min(bytes.count, index + 1 + self.below(8)))
            case 6:
                // A part of it again, elsewhere.
                let end = min(bytes.count, index + 1 + self.below(32))
                bytes.insert(contentsOf: bytes[index..<end], at: first + self.below(bytes.count - first))
            case 7:
                // A length or a count that is off by a little.
                bytes[index] = bytes[index] &+ (self.isOne(in: 2) ? 1 : 255)
            default:
                // A number of many bytes with every bit to go on set.
                for offset in index..<min(bytes.count, index + 1 + self.below(10)) { bytes[offset] |= 0x80 }
            }
        }
    }

    private mutating func overwrite(_ bytes: inout [UInt8], at index: Int) {
        let value = Self.extremes[self.below(Self.extremes.count)]
        let width = [1, 2, 4, 8][self.below(4)]
        for offset in 0..<width where index + offset < bytes.count {
            bytes[index + offset] = UInt8(truncatingIfNeeded: value >> UInt64(8 * (width - 1 - offset)))
        }
    }
}
