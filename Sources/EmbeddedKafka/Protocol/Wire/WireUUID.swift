/// A universally unique id as the protocol carries it: sixteen bytes, most significant first. Zero means none.
struct WireUUID: Hashable, Sendable {
    var high: UInt64
    var low: UInt64

    static let zero = WireUUID(high: 0, low: 0)

    /// A random id of version 4 (RFC 9562).
    static func random() -> WireUUID {
        WireUUID(randomHigh: .random(in: .min ... .max), low: .random(in: .min ... .max))
    }

    /// A random id of version 4 (RFC 9562), the same for the same state of a generator.
    static func random(using generator: inout some RandomNumberGenerator) -> WireUUID {
        let high = UInt64.random(in: .min ... .max, using: &generator)
        return WireUUID(randomHigh: high, low: .random(in: .min ... .max, using: &generator))
    }
}

extension WireUUID {
    /// The version and the variant take the place of six random bits.
    private init(randomHigh high: UInt64, low: UInt64) {
        self.high = high & 0xffff_ffff_ffff_0fff | 0x0000_0000_0000_4000
        self.low = low & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000
    }
}
