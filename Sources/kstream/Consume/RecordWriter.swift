internal import CommandLineSupport
internal import KafkaClient
internal import Synchronization

/// Writes records to standard output, up to a limit. One task writes; others may look.
final class RecordWriter: Sendable {
    private let format: RecordFormat
    private let limit: Int?
    private let output: StandardOutput

    /// How many records were written.
    var count: Int { self.written.load(ordering: .acquiring) }

    private let written = Atomic<Int>(0)

    init(format: RecordFormat, limit: Int?, output: StandardOutput = .shared) {
        self.format = format
        self.limit = limit
        self.output = output
    }

    /// Whether as many records were written as were asked for.
    var isFull: Bool { self.limit.map { self.count >= $0 } ?? false }

    /// Writes a record.
    /// - Returns: Whether there is room for more.
    func write(_ record: KafkaConsumerRecord) async throws -> Bool {
        try await self.output.write(bytes: self.format.bytes(of: record.detached()))
        self.written.add(1, ordering: .acquiringAndReleasing)
        return !self.isFull
    }

    /// Shows what was written.
    func flush() async throws {
        try await self.output.flush()
    }
}
