internal import Synchronization

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Makes ids of events: UUIDs of version 7 (RFC 9562, section 5.7), which sort by the time of their making.
///
/// Those of one process never decrease, also when its clock is set back.
public enum EventID {
    /// The last id's time in milliseconds, and its count within that millisecond.
    private struct Last {
        var milliseconds: UInt64 = 0
        var count: UInt16 = 0
    }

    private static let last = Mutex(Last())
    /// Twelve bits count within a millisecond (section 6.2, method 1). Counting begins in the lower half, by chance.
    private static let maxCount: UInt16 = 0xFFF

    /// The next id, as text in small letters.
    public static func next() -> String {
        let now = UInt64(max(0, Date().timeIntervalSince1970 * 1000))
        return self.next(at: now, random: UInt64.random(in: .min ... .max))
    }

    static func next(at milliseconds: UInt64, random: UInt64) -> String {
        let (time, count) = self.last.withLock { last in
            if milliseconds > last.milliseconds {
                last = Last(milliseconds: milliseconds, count: UInt16(random >> 53))
            } else if last.count < self.maxCount {
                last.count += 1
            } else {
                // The clock stands still, or more ids were made than a millisecond has: borrow from the next one.
                last = Last(milliseconds: last.milliseconds + 1, count: UInt16(random >> 53))
            }
            return (last.milliseconds, last.count)
        }
        let high = time << 16 | 0x7000 | UInt64(count)
        // Two bits of variant before 62 random ones.
        let low = (random & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000
        return self.text(high, low)
    }

    /// The id of what comes of something else: the same whenever it is made again, so that who reads it can tell that.
    ///
    /// It has the form of a version 7 as well; its random part is a hash of the parts (FNV-1a, 128 bits).
    ///
    /// - Parameters:
    ///   - parts: what it comes of, and which of several it is.
    ///   - milliseconds: the time in it, since 1970.
    /// - Returns: text in small letters.
    public static func derived(from parts: String..., at milliseconds: Int64) -> String {
        var hash = UInt128(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
        func mix(_ byte: UInt8) {
            hash ^= UInt128(byte)
            hash &*= UInt128(0x0000_0000_0100_0000_0000_0000_0000_013b)
        }
        for part in parts {
            part.utf8.forEach(mix)
            // Keeps "ab", "c" from being "a", "bc".
            mix(0xFF)
        }
        let time = UInt64(clamping: milliseconds)
        let high = time << 16 | 0x7000 | UInt64(truncatingIfNeeded: hash >> 64) & 0xFFF
        let low = (UInt64(truncatingIfNeeded: hash) & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000
        return self.text(high, low)
    }

    /// The time in an id of version 7, in milliseconds since 1970; `nil` for any other text.
    static func milliseconds(of id: String) -> Int64? {
        let text = Array(id.utf8)
        guard text.count == 36, text[8] == UInt8(ascii: "-"), text[13] == UInt8(ascii: "-"),
            text[14] == UInt8(ascii: "7")
        else { return nil }
        return Int64(String(decoding: text[0..<8] + text[9..<13], as: UTF8.self), radix: 16)
    }

    private static func text(_ high: UInt64, _ low: UInt64) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for position in 0..<32 {
            if [8, 12, 16, 20].contains(position) { text.append(UInt8(ascii: "-")) }
            let word = position < 16 ? high : low
            text.append(digits[Int(word >> UInt64(60 - position % 16 * 4) & 0xF)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
