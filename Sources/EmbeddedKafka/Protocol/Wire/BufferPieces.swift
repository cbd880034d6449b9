internal import NIOCore

/// Bytes in several buffers, so that what a log has can be sent without being copied to one place.
struct BufferPieces {
    private(set) var pieces: [ByteBuffer] = []
    private(set) var readableBytes = 0

    init() {}

    init(_ piece: ByteBuffer) {
        self.append(piece)
    }

    mutating func append(_ piece: ByteBuffer) {
        guard piece.readableBytes > 0 else { return }
        self.pieces.append(piece)
        self.readableBytes += piece.readableBytes
    }

    /// Writes over the first four bytes, which lie in one piece.
    mutating func setPrefix(_ value: Int32) {
        guard !self.pieces.isEmpty else { return }
        self.pieces[0].setInteger(value, at: self.pieces[0].readerIndex)
    }

    /// All bytes in one buffer.
    var joined: ByteBuffer {
        guard self.pieces.count != 1 else { return self.pieces[0] }
        var joined = ByteBuffer()
        joined.reserveCapacity(self.readableBytes)
        for piece in self.pieces { joined.writeImmutableBuffer(piece) }
        return joined
    }
}
