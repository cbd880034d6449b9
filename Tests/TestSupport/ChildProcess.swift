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
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EMFILE) }
        // Other processes must not keep an end open.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let (readEnd, writeEnd) = (ends[0], FileHandle(fileDescriptor: ends[1], closeOnDealloc: true))
        self.process.standardOutput = writeEnd
        self.process.terminationHandler = { [weak self] _ in self?.hasEnded.withLock { $0 = true } }
        // A thread, and no source of libdispatch, nor a FileHandle's handler, which is one: where the other end of a pipe is closed,
        // libdispatch looks at a source that its handler may have cancelled and released by then.
        Thread.detachNewThread { [weak self] in
            let reading = FileHandle(fileDescriptor: readEnd, closeOnDealloc: true)
            Self.readLines(of: reading) { self?.output.append($0) }
            self?.isSilent.withLock { $0 = true }
        }
        try self.process.run()
        // The child's end is its own: what is left open here would keep the output from ending.
        try writeEnd.close()
    }

    private static func readLines(of reading: FileHandle, _ take: (String) -> Void) {
        var rest: [UInt8] = []
        while true {
            let data = reading.availableData
            if data.isEmpty { break }
            // A line may come in parts.
            rest += data
            var lines = rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            rest = Array(lines.removeLast())
            for line in lines { take(String(decoding: line, as: UTF8.self)) }
        }
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

    /// Sends it a signal, if it still runs: its number may be another's afterwards.
    public func send(_ signal: Int32) {
        guard self.isRunning else { return }
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
