internal import NIOCore

/// The cluster's state beside the logs (topics, configurations, committed offsets, transactions) as keys and values in a
/// file that is only appended to, and written anew when most of it is out of date.
///
/// A frame is a length and a CRC-32C of four bytes each, then the payload: the key's length, the key, whether there is a
/// value, and the value. What `put` has written survives the end of the process. In memory the journal does nothing.
final class Journal {
    enum Storage: Sendable {
        case memory
        case file(String)
    }

    /// Out-of-date bytes are cleared away from this many on, and only when they are twice the rest.
    static let smallestGarbage = 1 << 20
    /// The largest key and value together, in bytes.
    static let maximalPayload = 64 << 20
    private static let frameOverhead = 8

    private struct Position {
        var start: Int
        var size: Int
    }

    private let path: String?
    private var file: File?
    private var size = 0
    private var live: [ByteBuffer: Position] = [:]
    private var liveBytes = 0
    private var isBroken = false
    /// How many bytes opening cut from the end, because a crash tore them or they are damaged.
    private(set) var discardedBytes = 0
    /// Compaction begins at so much garbage; tests make it small.
    var smallestGarbage = Journal.smallestGarbage

    /// Opens the file, or makes it.
    init(storage: Storage) throws(LogError) {
        switch storage {
        case .memory: self.path = nil
        case .file(let path):
            self.path = path
            try FileSystem.removeFile(path + ".cleaned")
            let file = try File(path, mode: .write)
            self.file = file
            try self.scan(file)
        }
    }

    /// Notes a value, or with `nil` that there is none any more.
    func put(key: ByteBuffer, value: ByteBuffer?) throws(LogError) {
        guard let path = self.path else { return }
        guard let file = self.file, !self.isBroken else { throw LogError("The journal \(path) can't be written to.") }
        guard value != nil || self.live[key] != nil else { return }
        let frame = try Self.frame(key: key, value: value)
        do throws(LogError) {
            try file.write(frame, at: self.size)
        } catch {
            do throws(LogError) { try file.truncate(to: self.size) } catch { self.isBroken = true }
            throw error
        }
        // Keys are kept: they must not hold on to a larger message.
        self.note(ByteBuffer(bytes: key.readableBytesView), hasValue: value != nil, size: frame.readableBytes)
        if self.isMostlyGarbage { try self.compact() }
    }

    /// The values that there are, those first that were written first.
    func load() throws(LogError) -> [(key: ByteBuffer, value: ByteBuffer)] {
        guard let file = self.file else { return [] }
        var entries: [(key: ByteBuffer, value: ByteBuffer)] = []
        for position in self.live.values.sorted(by: { $0.start < $1.start }) {
            var frame = ByteBuffer()
            try file.read(at: position.start, count: position.size, into: &frame)
            frame.moveReaderIndex(forwardBy: Self.frameOverhead)
            if let (key, value) = Self.entry(frame), let value { entries.append((key, value)) }
        }
        return entries
    }

    /// Makes what was put safe from the loss of power.
    func flush() throws(LogError) { try self.file?.synchronize() }

    func close() throws(LogError) {
        defer {
            self.file?.close()
            self.file = nil
        }
        try self.flush()
    }

    /// Writes the values that there are to a new file, which takes the place of the old one in one step.
    func compact() throws(LogError) {
        guard let path = self.path, let file = self.file else { return }
        let cleaned = try File(path + ".cleaned", mode: .replace)
        var moved: [ByteBuffer: Position] = [:]
        var size = 0
        for (key, position) in self.live.sorted(by: { $0.value.start < $1.value.start }) {
            var frame = ByteBuffer()
            try file.read(at: position.start, count: position.size, into: &frame)
            try cleaned.write(frame, at: size)
            moved[key] = Position(start: size, size: position.size)
            size += position.size
        }
        try cleaned.synchronize()
        try FileSystem.rename(path + ".cleaned", to: path)
        file.close()
        self.file = cleaned
        self.live = moved
        self.size = size
        self.liveBytes = size
        if let parent = FileSystem.parent(of: path) { try FileSystem.synchronizeDirectory(parent) }
    }

    // MARK: Frames

    private var isMostlyGarbage: Bool {
        let garbage = self.size - self.liveBytes
        return garbage >= self.smallestGarbage && garbage > 2 * self.liveBytes
    }

    private func note(_ key: ByteBuffer, hasValue: Bool, size: Int) {
        let old =
            hasValue
            ? self.live.updateValue(Position(start: self.size, size: size), forKey: key)
            : self.live.removeValue(forKey: key)
        self.liveBytes += (hasValue ? size : 0) - (old?.size ?? 0)
        self.size += size
    }

    /// Reads the file up to the first frame that is not whole, and cuts it there.
    private func scan(_ file: File) throws(LogError) {
        let fileSize = try file.size()
        while let payload = try self.payload(of: file, fileSize: fileSize), let (key, value) = Self.entry(payload) {
            self.note(
                ByteBuffer(bytes: key.readableBytesView),
                hasValue: value != nil,
                size: Self.frameOverhead + payload.readableBytes
            )
        }
        self.discardedBytes = fileSize - self.size
        if self.discardedBytes > 0 { try file.truncate(to: self.size) }
    }

    /// The payload of the frame that comes next, or `nil` if it isn't all there.
    private func payload(of file: File, fileSize: Int) throws(LogError) -> ByteBuffer? {
        let left = fileSize - self.size - Self.frameOverhead
        guard left >= 0 else { return nil }
        var bytes = ByteBuffer()
        try file.read(at: self.size, count: Self.frameOverhead, into: &bytes)
        guard let (length, checksum) = bytes.readMultipleIntegers(as: (UInt32, UInt32).self),
            Int(length) <= min(left, Self.maximalPayload)
        else { return nil }
        try file.read(at: self.size + Self.frameOverhead, count: Int(length), into: &bytes)
        return bytes.withUnsafeReadableBytes { CRC32C.checksum($0) } == checksum ? bytes : nil
    }

    private static func frame(key: ByteBuffer, value: ByteBuffer?) throws(LogError) -> ByteBuffer {
        let valueBytes = value?.readableBytes ?? 0
        let count = 5 + key.readableBytes + valueBytes
        guard count <= self.maximalPayload else { throw LogError("A journal entry of \(count) bytes is too large.") }
        var frame = ByteBuffer()
        frame.reserveCapacity(self.frameOverhead + count)
        frame.writeMultipleIntegers(UInt32(count), 0 as UInt32, UInt32(key.readableBytes))
        frame.writeImmutableBuffer(key)
        frame.writeInteger((value == nil ? 0 : 1) as UInt8)
        if let value { frame.writeImmutableBuffer(value) }
        let checksum = frame.withUnsafeReadableBytes { bytes in
            CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes.dropFirst(Self.frameOverhead)))
        }
        frame.setInteger(checksum, at: 4)
        return frame
    }

    private static func entry(_ payload: ByteBuffer) -> (key: ByteBuffer, value: ByteBuffer?)? {
        var payload = payload
        guard let length = payload.readInteger(as: UInt32.self), let key = payload.readSlice(length: Int(length)),
            let hasValue = payload.readInteger(as: UInt8.self)
        else { return nil }
        return (key, hasValue == 0 ? nil : payload.slice())
    }
}
