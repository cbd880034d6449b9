internal import CommandLineSupport
internal import KafkaClient

/// Writes records to standard output, up to a limit.
final class RecordWriter {
    private let format: RecordFormat
    private let limit: Int?
    private let output: StandardOutput

    /// How many records were written.
    private(set) var count = 0

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
        self.count += 1
        return !self.isFull
    }

    /// Shows what was written.
    func flush() async throws {
        try await self.output.flush()
    }
}
