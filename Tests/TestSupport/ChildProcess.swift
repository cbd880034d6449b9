import Foundation
import Synchronization

/// One of the built commands in a process of its own, which a test may kill.
public final class ChildProcess: Sendable {
    private let process: Process
    private let command: String
    private let output = Collected<String>()
    private let hasEnded = Mutex(false)
    private let isSilent = Mutex(false)

    /// Starts it. Its standard error goes where that of the tests goes, unless it is told otherwise.
    public init(_ command: String, _ arguments: [String], discardsStandardError: Bool = false) throws {
        self.command = command
        self.process = Process()
        self.process.executableURL = URL(filePath: BuiltCommand.path(of: command))
        self.process.arguments = arguments
        self.process.standardInput = FileHandle.nullDevice
        if discardsStandardError { self.process.standardError = FileHandle.nullDevice }
        let pipe = Pipe()
        self.process.standardOutput = pipe
        let rest = Mutex<[UInt8]>([])
        // A process has one reader, and a line may come in parts.
        pipe.fileHandleForReading.readabilityHandler = { [weak self] handle in
            let data = handle.availableData
            let lines = rest.withLock { rest in
                rest += data
                var lines = rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
                rest = Array(lines.removeLast())
                return lines.map { String(decoding: $0, as: UTF8.self) }
            }
            for line in lines { self?.output.append(line) }
            guard data.isEmpty else { return }
            handle.readabilityHandler = nil
            self?.isSilent.withLock { $0 = true }
        }
        self.process.terminationHandler = { [weak self] _ in self?.hasEnded.withLock { $0 = true } }
        try self.process.run()
    }

    /// The lines that it wrote to standard output so far.
    public var lines: [String] { self.output.elements }

    /// Whether it runs.
    public var isRunning: Bool { !self.hasEnded.withLock { $0 } }

    /// The signal that ended it, or the status that it ended with.
    public var ending: (signal: Int32?, status: Int32?) {
        let status = self.process.terminationStatus
        return self.process.terminationReason == .uncaughtSignal ? (status, nil) : (nil, status)
    }

    /// Sends it a signal.
    public func send(_ signal: Int32) {
        kill(self.process.processIdentifier, signal)
    }

    /// Kills it, as a machine that loses its power does.
    public func crash() async throws {
        self.send(SIGKILL)
        try await eventually("\(self.command) is gone") { !self.isRunning }
    }

    /// Asks it to end, and waits until it has, and all that it wrote is there.
    public func stop(_ signal: Int32) async throws {
        self.send(signal)
        try await eventually(within: .seconds(60), "\(self.command) has ended") {
            !self.isRunning && self.isSilent.withLock { $0 }
        }
    }
}
