internal import NIOCore

/// A segment in a file. What `append` has written survives the end of the process; `flush` saves it from the loss of power.
final class FileSegment: SegmentStore {
    /// Bodies up to this size go to the file in one write with their header.
    private static let joinedBytes = 16 << 10

    private(set) var path: String
    private(set) var size: Int
    /// Open while the segment is appended to; sealed segments are opened for a read only, since open files are few.
    private var file: File?
    /// Whether the file has more than `size` says and can't be cut.
    private var isBroken = false
    private var isFlushed = false

    init(_ path: String, mode: File.Mode) throws(LogError) {
        self.path = path
        let file = try File(path, mode: mode)
        self.size = try file.size()
        self.file = file
    }

    func append(_ header: ByteBuffer, _ body: ByteBuffer) throws(LogError) {
        guard !self.isBroken else { throw LogError("The file \(self.path) could not be mended after a failed write.") }
        let file = try self.openFile()
        self.isFlushed = false
        do throws(LogError) {
            if body.readableBytes <= Self.joinedBytes {
                var bytes = ByteBuffer()
                bytes.reserveCapacity(header.readableBytes + body.readableBytes)
                bytes.writeImmutableBuffer(header)
                bytes.writeImmutableBuffer(body)
                try file.write(bytes, at: self.size)
            } else {
                try file.write(header, at: self.size)
                try file.write(body, at: self.size + header.readableBytes)
            }
        } catch {
            do throws(LogError) { try file.truncate(to: self.size) } catch { self.isBroken = true }
            throw error
        }
        self.size += header.readableBytes + body.readableBytes
    }

    func read(at position: Int, count: Int, into buffer: inout ByteBuffer) throws(LogError) {
        guard position >= 0, count >= 0, position <= self.size, count <= self.size - position else {
            throw LogError("The file \(self.path) has \(self.size) bytes, not \(count) at \(position).")
        }
        let file = try self.readableFile()
        let start = buffer.writerIndex
        do throws(LogError) {
            try file.read(at: position, count: count, into: &buffer)
        } catch {
            buffer.moveWriterIndex(to: start)
            throw error
        }
    }

    func truncate(to size: Int) throws(LogError) {
        try self.openFile().truncate(to: size)
        self.size = size
        self.isFlushed = false
    }

    func flush() throws(LogError) {
        guard !self.isFlushed else { return }
        try self.openFile().synchronize()
        self.isFlushed = true
    }

    func seal() {
        self.file?.close()
        self.file = nil
    }

    func close() { self.seal() }

    /// The file has got another name.
    func moved(to path: String) { self.path = path }

    private func readableFile() throws(LogError) -> File {
        if let file = self.file { return file }
        return try File(self.path, mode: .read)
    }

    private func openFile() throws(LogError) -> File {
        if let file = self.file { return file }
        let file = try File(self.path, mode: .write)
        self.file = file
        return file
    }
}
