import Foundation

/// A child process of this program that answers lines with lines.
final class ChildProcess {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var buffer = Data()
    private let label: String

    /// Starts this program with other arguments; its standard error is ours.
    init(_ arguments: [String]) throws {
        self.label = arguments.prefix(2).joined(separator: " ")
        guard let program = Bundle.main.executableURL else {
            throw BenchFailure(description: "can't find this program's own file")
        }
        self.process.executableURL = program
        self.process.arguments = arguments
        self.process.standardInput = self.input
        self.process.standardOutput = self.output
        try self.process.run()
    }

    /// Writes a line.
    func write(_ line: String) throws {
        try self.input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
    }

    /// Waits for a line; a child that takes longer is killed.
    func readLine(seconds: Double) throws -> String {
        let process = self.process
        let watchdog = DispatchWorkItem { kill(process.processIdentifier, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + seconds, execute: watchdog)
        defer { watchdog.cancel() }
        while true {
            if let end = self.buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: self.buffer[..<end], as: UTF8.self)
                self.buffer = Data(self.buffer[self.buffer.index(after: end)...])
                return line
            }
            let bytes = self.output.fileHandleForReading.availableData
            guard !bytes.isEmpty else {
                throw BenchFailure(description: "\(self.label) ended or gave no answer within \(Int(seconds)) s")
            }
            self.buffer.append(bytes)
        }
    }

    /// Ends the child by ending its input, and waits for it.
    func stop() {
        try? self.input.fileHandleForWriting.close()
        self.process.waitUntilExit()
    }
}
