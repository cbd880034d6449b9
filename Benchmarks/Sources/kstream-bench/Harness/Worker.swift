import Foundation

/// A worker process: one side of a benchmark.
final class Worker {
    private let process: ChildProcess
    private let side: WorkerCommand.Side
    /// Whether each measurement is told on standard error.
    private let isVerbose: Bool

    init(_ side: WorkerCommand.Side, broker: Broker, isVerbose: Bool) throws {
        self.side = side
        self.isVerbose = isVerbose
        self.process = try ChildProcess(["worker", side.rawValue, "--bootstrap-servers", broker.bootstrapServers])
    }

    /// Hands a round over without waiting for its end.
    func start(_ round: Round) throws {
        try self.process.write(String(decoding: try JSONEncoder().encode(round), as: UTF8.self))
    }

    /// Waits for the round that was started.
    func finish() throws -> Measurement {
        let answer = try self.process.readLine(seconds: 90)
        let measurement = try JSONDecoder().decode(Measurement.self, from: Data(answer.utf8))
        if let failure = measurement.failure {
            throw BenchFailure(description: "\(self.side.rawValue): \(failure)")
        }
        if self.isVerbose { progress("\(self.side.rawValue): \(answer)") }
        return measurement
    }

    func run(_ round: Round) throws -> Measurement {
        try self.start(round)
        return try self.finish()
    }

    func stop() {
        self.process.stop()
    }
}
