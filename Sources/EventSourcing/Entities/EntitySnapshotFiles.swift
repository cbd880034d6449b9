internal import EventStreaming

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// The snapshots of an ``EntityProcessor`` on the disk of its machine: a file for each partition.
///
/// A file has a name of the format, the number of the form of states, the last event, the entities, the commands that were handled
/// lately, and a sum over all that (FNV-1a, 64 bits). Numbers have eight bytes, big end first; texts and states follow their length.
struct EntitySnapshotFiles<Rules: Decider>: Sendable {
    private typealias Contents = EntityPartition<Rules>.Contents

    /// A file is none of ours, or not whole.
    struct Unreadable: Error, CustomStringConvertible {
        var description: String
    }

    private let configuration: EntitySnapshots<Rules.State>
    private let topic: String

    private static var format: String { "kstream entities 1" }

    init(_ configuration: EntitySnapshots<Rules.State>, topic: String) {
        self.configuration = configuration
        self.topic = topic
    }

    private func path(_ partition: Int32) -> URL {
        URL(filePath: self.configuration.folder, directoryHint: .isDirectory)
            .appending(path: "\(self.topic)-\(partition).snapshot")
    }

    /// Writes a snapshot in place of the one before: a file is always one or the other.
    @concurrent func write(_ contents: EntityPartition<Rules>.Contents, _ partition: Int32) async throws {
        guard let last = contents.last else { return }
        var bytes = ByteWriter()
        bytes.append(text: Self.format)
        bytes.append(Int64(self.configuration.form))
        bytes.append(last.offset)
        bytes.append(text: last.id)
        bytes.append(Int64(contents.entities.count))
        for (id, entity) in contents.entities {
            bytes.append(text: id)
            bytes.append(entity.version)
            bytes.append(bytes: try self.configuration.serde.encode(entity.state) ?? [])
        }
        let ids = contents.commands.ids
        bytes.append(Int64(ids.count))
        for id in ids {
            let memory = contents.commands[id] ?? CommandMemory(version: 0, count: 0, offset: -1)
            bytes.append(text: id)
            bytes.append(memory.version)
            bytes.append(Int64(memory.count))
            bytes.append(memory.offset)
        }
        bytes.append(Int64(bitPattern: bytes.sum))
        let path = self.path(partition)
        try FileManager.default.createDirectory(
            at: path.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(bytes.bytes).write(to: path, options: .atomic)
    }

    /// Reads a snapshot.
    ///
    /// - Returns: `nil` when there is none, or it is of another form.
    func read(_ partition: Int32) throws -> EntityPartition<Rules>.Contents? {
        let path = self.path(partition)
        guard FileManager.default.fileExists(atPath: path.path) else { return nil }
        let data = [UInt8](try Data(contentsOf: path))
        guard data.count > 8 else { throw Unreadable(description: "\(path.path) is cut off") }
        var end = ByteReader(data[(data.count - 8)...])
        guard try end.takeNumber() == Int64(bitPattern: ByteWriter.sum(of: data.dropLast(8))) else {
            throw Unreadable(description: "\(path.path) is damaged: its sum is wrong")
        }
        var bytes = ByteReader(data.dropLast(8))
        guard try bytes.takeText() == Self.format else {
            throw Unreadable(description: "\(path.path) is no snapshot of this format")
        }
        guard try bytes.takeNumber() == self.configuration.form else { return nil }
        var contents = Contents()
        contents.last = (try bytes.takeNumber(), try bytes.takeText())
        for _ in 0..<max(0, try bytes.takeNumber()) {
            let id = try bytes.takeText()
            let version = try bytes.takeNumber()
            let state = try self.configuration.serde.decode(try bytes.takeBytes())
            contents.entities[id] = EntityPartition<Rules>.Entity(state: state, version: version)
        }
        for _ in 0..<max(0, try bytes.takeNumber()) {
            let id = try bytes.takeText()
            let memory = CommandMemory(
                version: try bytes.takeNumber(),
                count: Int(clamping: try bytes.takeNumber()),
                offset: try bytes.takeNumber()
            )
            contents.commands.add(id, memory, limit: .max)
        }
        return contents
    }
}

/// Puts numbers, texts and bytes one behind the other.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func append(_ number: Int64) {
        withUnsafeBytes(of: number.bigEndian) { self.bytes += $0 }
    }

    mutating func append(bytes: some Collection<UInt8>) {
        self.append(Int64(bytes.count))
        self.bytes += bytes
    }

    mutating func append(text: String) {
        self.append(bytes: text.utf8)
    }

    var sum: UInt64 { Self.sum(of: self.bytes[...]) }

    /// FNV-1a, 64 bits.
    static func sum(of bytes: ArraySlice<UInt8>) -> UInt64 {
        var sum: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes {
            sum ^= UInt64(byte)
            sum &*= 0x100_0000_01b3
        }
        return sum
    }
}

/// Takes numbers, texts and bytes from the front.
struct ByteReader {
    /// There is not as much as was to be taken.
    struct CutOff: Error {}

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        self.rest = bytes
    }

    private mutating func take(_ count: Int) throws(CutOff) -> ArraySlice<UInt8> {
        guard count >= 0, count <= self.rest.count else { throw CutOff() }
        defer { self.rest = self.rest.dropFirst(count) }
        return self.rest.prefix(count)
    }

    mutating func takeNumber() throws(CutOff) -> Int64 {
        Int64(bitPattern: try self.take(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    mutating func takeBytes() throws(CutOff) -> [UInt8] {
        Array(try self.take(Int(clamping: try self.takeNumber())))
    }

    mutating func takeText() throws(CutOff) -> String {
        String(decoding: try self.takeBytes(), as: UTF8.self)
    }
}
