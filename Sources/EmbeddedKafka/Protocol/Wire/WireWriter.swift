internal import NIOCore

/// Writes the primitive types of the Kafka protocol; the counterpart of ``WireReader``.
struct WireWriter {
    /// What was written before `tail`.
    private var head = BufferPieces()
    private var tail: ByteBuffer
    /// Whether the message has compact lengths and tagged fields.
    let isFlexible: Bool

    init(into buffer: ByteBuffer = ByteBuffer(), isFlexible: Bool) {
        self.tail = buffer
        self.isFlexible = isFlexible
    }

    /// What was written, in the pieces that it lies in.
    var written: BufferPieces {
        var pieces = self.head
        pieces.append(self.tail)
        return pieces
    }

    /// What was written.
    var buffer: ByteBuffer { self.written.joined }

    /// Takes what was written, behind its length in four bytes that were left for it; `nil` when that is too much for them.
    mutating func takeFrame() -> BufferPieces? {
        self.head.append(self.tail)
        self.tail = ByteBuffer()
        guard let length = Int32(exactly: self.head.readableBytes - 4) else { return nil }
        self.head.setPrefix(length)
        defer { self.head = BufferPieces() }
        return self.head
    }

    // MARK: Numbers

    mutating func integer(_ value: some FixedWidthInteger) {
        self.tail.writeInteger(value)
    }

    mutating func int8(_ value: Int8) { self.integer(value) }
    mutating func int16(_ value: Int16) { self.integer(value) }
    mutating func int32(_ value: Int32) { self.integer(value) }
    mutating func int64(_ value: Int64) { self.integer(value) }
    mutating func bool(_ value: Bool) { self.integer(value ? 1 : 0 as Int8) }
    mutating func error(_ value: ErrorCode) { self.integer(value.rawValue) }

    mutating func unsignedVarint(_ value: UInt32) {
        var rest = value
        while rest >= 0x80 {
            self.integer(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.integer(UInt8(rest))
    }

    // MARK: Strings and bytes

    mutating func string(_ value: String?) {
        guard var text = value else { return self.shortLength(-1) }
        text.withUTF8 { bytes in
            // What comes from outside was read from a message, so this holds; our own texts are short.
            let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes).prefix(Int(Int16.max)))
            self.shortLength(bytes.count)
            self.tail.writeBytes(bytes)
        }
    }

    mutating func bytes(_ value: ByteBuffer?) {
        guard let value else { return self.longLength(-1) }
        self.longLength(value.readableBytes)
        self.tail.writeImmutableBuffer(value)
    }

    /// Bytes with their length, which are not copied unless they are few.
    mutating func pieces(_ value: BufferPieces?) {
        guard let value else { return self.longLength(-1) }
        self.longLength(value.readableBytes)
        for piece in value.pieces {
            if piece.readableBytes <= Self.copiedBytes {
                self.tail.writeImmutableBuffer(piece)
            } else {
                self.head.append(self.tail)
                self.head.append(piece)
                self.tail = ByteBuffer()
            }
        }
    }

    /// A copy of so many bytes costs less than one more piece to send.
    private static let copiedBytes = 4 << 10

    mutating func uuid(_ value: WireUUID) {
        self.integer(value.high)
        self.integer(value.low)
    }

    // MARK: Arrays

    mutating func array<Elements: Collection>(
        _ elements: Elements?,
        _ element: (inout WireWriter, Elements.Element) -> Void
    ) {
        guard let elements else { return self.longLength(-1) }
        self.longLength(elements.count)
        for each in elements { element(&self, each) }
    }

    mutating func strings(_ values: [String]?) { self.array(values) { $0.string($1) } }
    mutating func int32s(_ values: [Int32]?) { self.array(values) { $0.int32($1) } }

    // MARK: Tagged fields

    /// Ends a structure: no tagged fields. Does nothing in a version that has none.
    mutating func tags() {
        if self.isFlexible { self.unsignedVarint(0) }
    }

    // MARK: Lengths

    private mutating func shortLength(_ length: Int) {
        if self.isFlexible { self.unsignedVarint(UInt32(length + 1)) } else { self.int16(Int16(length)) }
    }

    private mutating func longLength(_ length: Int) {
        if self.isFlexible { self.unsignedVarint(UInt32(length + 1)) } else { self.int32(Int32(length)) }
    }
}
