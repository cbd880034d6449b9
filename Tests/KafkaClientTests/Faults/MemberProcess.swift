import EmbeddedKafka
import Foundation
import TestSupport
import Testing

/// A member of the group "g" in a process of its own, which copies the topic "in" to the topic "out".
final class MemberProcess: Sendable {
    enum Guarantee: String, Sendable {
        case atLeastOnce = "at-least-once"
        case exactlyOnce = "exactly-once"
    }

    let name: String
    private let process: Process
    private let output = Pipe()
    private let ended = Gate()

    /// Starts it.
    init(_ name: String, _ guarantee: Guarantee, of cluster: EmbeddedKafkaCluster) throws {
        self.name = name
        self.process = Process()
        self.process.executableURL = URL(filePath: BuiltCommand.path(of: "group-member"))
        self.process.arguments = [
            "--servers", cluster.bootstrapServers.joined(separator: ","), "--group", "g", "--name", name,
            "--guarantee", guarantee.rawValue, "--from", "in", "--to", "out",
        ]
        self.process.standardOutput = self.output
        self.process.terminationHandler = { [ended] _ in ended.open() }
        try self.process.run()
    }

    /// Sends it a signal.
    func send(_ signal: Int32) {
        kill(self.process.processIdentifier, signal)
    }

    /// Kills it, as a machine that loses its power does.
    func crash() async {
        self.send(SIGKILL)
        await self.ended.wait()
    }

    /// Ends it as a service is ended, and expects that it does so.
    ///
    /// - Returns: the lines that it wrote.
    @discardableResult
    func stop(sourceLocation: SourceLocation = #_sourceLocation) async throws -> [String] {
        self.send(SIGTERM)
        try await withDeadline(.seconds(60), "the end of the member \(self.name)") { await self.ended.wait() }
        #expect(self.process.terminationReason == .exit, "\(self.name)", sourceLocation: sourceLocation)
        #expect(self.process.terminationStatus == 0, "\(self.name)", sourceLocation: sourceLocation)
        let text = String(decoding: try self.output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        return text.split(separator: "\n").map(String.init)
    }
}
