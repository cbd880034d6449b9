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
    private let output = Collected<String>()
    private let ended = Gate()
    private let fellSilent = Gate()

    /// Starts it.
    init(_ name: String, _ guarantee: Guarantee, of cluster: EmbeddedKafkaCluster) throws {
        self.name = name
        self.process = Process()
        self.process.executableURL = URL(filePath: BuiltCommand.path(of: "group-member"))
        self.process.arguments = [
            "--servers", cluster.bootstrapServers.joined(separator: ","), "--group", "g", "--name", name,
            "--guarantee", guarantee.rawValue, "--from", "in", "--to", "out",
        ]
        let pipe = Pipe()
        self.process.standardOutput = pipe
        // A line is short enough to be written and read as a whole.
        pipe.fileHandleForReading.readabilityHandler = { [output, fellSilent] handle in
            let data = handle.availableData
            for line in String(decoding: data, as: UTF8.self).split(separator: "\n") { output.append(String(line)) }
            guard data.isEmpty else { return }
            handle.readabilityHandler = nil
            fellSilent.open()
        }
        self.process.terminationHandler = { [ended] _ in ended.open() }
        try self.process.run()
    }

    /// What it wrote so far.
    var lines: [String] { self.output.elements }

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
    func stop(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        self.send(SIGTERM)
        try await withDeadline(.seconds(60), "the end of the member \(self.name)") { await self.ended.wait() }
        #expect(self.process.terminationReason == .exit, "\(self.name)", sourceLocation: sourceLocation)
        #expect(self.process.terminationStatus == 0, "\(self.name)", sourceLocation: sourceLocation)
        try await withDeadline(.seconds(20), "all that it wrote") { await self.fellSilent.wait() }
    }
}
