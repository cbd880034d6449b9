/// A universally unique id as the protocol carries it: sixteen bytes, most significant first. Zero means none.
struct WireUUID: Hashable, Sendable {
    var high: UInt64
    var low: UInt64

    static let zero = WireUUID(high: 0, low: 0)

    /// A random id of version 4 (RFC 9562).
    static func random(using generator: inout some RandomNumberGenerator) -> WireUUID {
        let high = UInt64.random(in: .min ... .max, using: &generator)
        let low = UInt64.random(in: .min ... .max, using: &generator)
        return WireUUID(
            high: high & 0xffff_ffff_ffff_0fff | 0x0000_0000_0000_4000,
            low: low & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000
        )
    }
}
