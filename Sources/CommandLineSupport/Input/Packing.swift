/// How a file is packed, by the bytes that it begins with.
enum Packing: Sendable, Hashable {
    /// Not at all, as far as is known here.
    case none
    /// By something that is unpacked on the way.
    case unpackable(Decompressor)
    /// By something else; its name.
    case foreign(String)

    private static let signatures: [(bytes: [UInt8], packing: Packing)] =
        [
            ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], .unpackable(.xz)),
            ([0x1F, 0x8B], .unpackable(.gzip)),
            ([0x28, 0xB5, 0x2F, 0xFD], .foreign("zstd")),
            ([0x04, 0x22, 0x4D, 0x18], .foreign("lz4")),
            ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], .foreign("7z")),
            ([0x50, 0x4B, 0x03, 0x04], .foreign("zip")),
        ]
        // The level, then what begins a block (the digits of pi) or the end of the file (those of its root).
        + (UInt8(ascii: "1")...UInt8(ascii: "9")).flatMap { level in
            [[0x31, 0x41, 0x59, 0x26, 0x53, 0x59], [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]].map { block in
                (Array("BZh".utf8) + [level] + block, .foreign("bzip2"))
            }
        }

    /// The packing of what begins with these bytes; `nil` when more of them must be seen.
    ///
    /// What somebody types must not wait for more: only bytes that may still become a signature do.
    init?(beginning: [UInt8]) {
        if let found = Self.signatures.first(where: { beginning.starts(with: $0.bytes) }) {
            self = found.packing
        } else if Self.signatures.contains(where: { $0.bytes.starts(with: beginning) }) {
            return nil
        } else {
            self = .none
        }
    }
}
