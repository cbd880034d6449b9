internal import NIOCore

/// The segments of a log as files in a folder, with Kafka's names: twenty digits of the base offset, and `.log`.
///
/// Compaction writes `<base>.cleaned`, flushes it, and renames it to `<base>-<end>.swap`: from then on it counts. The files
/// from base to end are removed, and the swap file gets its name as a segment. Opening the folder finishes that, or
/// removes what was not complete.
final class FileSegmentDirectory: SegmentDirectory {
    static let startOffsetName = "log-start-offset-checkpoint"

    let path: String
    private var isMade = false

    init(path: String) {
        self.path = path
    }

    // MARK: Segments

    func recoverSegments() throws(LogError) -> [Int64] {
        try FileSystem.makeDirectory(self.path)
        self.isMade = true
        for name in try FileSystem.names(in: self.path) {
            if name.hasSuffix(".cleaned") || name.hasSuffix(".tmp") {
                try FileSystem.removeFile("\(self.path)/\(name)")
            } else if let (base, end) = Self.swapRange(name) {
                try self.finishSwap(name, base: base, end: end)
            }
        }
        return try self.segments()
    }

    func openSegment(_ baseOffset: Int64) throws(LogError) -> any SegmentStore {
        try FileSegment(self.file(baseOffset), mode: .write)
    }

    func makeSegment(_ baseOffset: Int64) throws(LogError) -> any SegmentStore {
        let segment = try FileSegment(self.file(baseOffset), mode: .replace)
        try FileSystem.synchronizeDirectory(self.path)
        return segment
    }

    func removeSegment(_ baseOffset: Int64) throws(LogError) {
        try FileSystem.removeFile(self.file(baseOffset))
    }

    // MARK: Compaction

    func makeCleanedSegment(_ baseOffset: Int64) throws(LogError) -> any SegmentStore {
        try FileSegment(self.cleanedFile(baseOffset), mode: .replace)
    }

    func discardCleanedSegment(_ baseOffset: Int64, _ segment: any SegmentStore) {
        segment.close()
        // If this fails too, the next opening of the folder removes the file.
        try? FileSystem.removeFile(self.cleanedFile(baseOffset))
    }

    func replaceSegments(
        _ baseOffsets: [Int64],
        endOffset: Int64,
        with cleaned: any SegmentStore
    ) throws(LogError) -> any SegmentStore {
        guard let base = baseOffsets.first else { throw LogError("No segments of \(self.path) to replace.") }
        try cleaned.flush()
        cleaned.seal()
        let swap = "\(Self.digits(base))-\(Self.digits(endOffset)).swap"
        try FileSystem.rename(self.cleanedFile(base), to: "\(self.path)/\(swap)")
        // The swap file counts from here on, so the rest can't be given up. If removing the old files fails, opening
        // the folder does it again; meanwhile the new segment is read under the name that it has.
        let segment = cleaned as? FileSegment
        segment?.moved(to: "\(self.path)/\(swap)")
        do {
            try FileSystem.synchronizeDirectory(self.path)
            try self.finishSwap(swap, base: base, end: endOffset)
            segment?.moved(to: self.file(base))
        } catch {
            return cleaned
        }
        return cleaned
    }

    private func finishSwap(_ name: String, base: Int64, end: Int64) throws(LogError) {
        for offset in try self.segments() where offset > base && offset < end {
            try FileSystem.removeFile(self.file(offset))
        }
        try FileSystem.rename("\(self.path)/\(name)", to: self.file(base))
        try FileSystem.synchronizeDirectory(self.path)
    }

    // MARK: The start offset

    func loadStartOffset() throws(LogError) -> Int64? {
        let path = "\(self.path)/\(Self.startOffsetName)"
        guard FileSystem.exists(path) else { return nil }
        let file = try File(path, mode: .read)
        let size = try file.size()
        guard size > 0, size <= 64 else { return nil }
        var buffer = ByteBuffer()
        try file.read(at: 0, count: size, into: &buffer)
        let lines = String(buffer: buffer).split(separator: "\n")
        guard lines.count == 2, lines[0] == "0", let offset = Int64(lines[1]), Self.isOffset(offset) else { return nil }
        return offset
    }

    func saveStartOffset(_ offset: Int64) throws(LogError) {
        try FileSystem.replaceFile("\(self.path)/\(Self.startOffsetName)", with: "0\n\(offset)\n")
    }

    // MARK: The whole

    /// Takes the name away in one step, so that a crash can't leave half a log behind under the topic's name.
    func remove() throws(LogError) {
        guard self.isMade, FileSystem.exists(self.path) else { return }
        let deleted = DataDirectory.deletedName(for: self.path)
        try FileSystem.rename(self.path, to: deleted)
        try FileSystem.removeDirectory(deleted)
    }

    // MARK: Names

    private func segments() throws(LogError) -> [Int64] {
        try FileSystem.names(in: self.path).compactMap { name in
            name.hasSuffix(".log") ? Self.offset(name.dropLast(4)) : nil
        }
    }

    private func file(_ baseOffset: Int64) -> String { "\(self.path)/\(Self.digits(baseOffset)).log" }

    private func cleanedFile(_ baseOffset: Int64) -> String { "\(self.path)/\(Self.digits(baseOffset)).cleaned" }

    private static func digits(_ offset: Int64) -> String {
        let digits = String(offset)
        return String(repeating: "0", count: max(0, 20 - digits.count)) + digits
    }

    private static func offset(_ digits: some StringProtocol) -> Int64? {
        guard digits.count == 20, let offset = Int64(digits), self.isOffset(offset) else { return nil }
        return offset
    }

    private static func isOffset(_ offset: Int64) -> Bool { offset >= 0 && offset <= PartitionLog.maximalOffset }

    private static func swapRange(_ name: String) -> (base: Int64, end: Int64)? {
        guard name.hasSuffix(".swap") else { return nil }
        let parts = name.dropLast(5).split(separator: "-")
        guard parts.count == 2, let base = self.offset(parts[0]), let end = self.offset(parts[1]) else { return nil }
        return (base, end)
    }
}
