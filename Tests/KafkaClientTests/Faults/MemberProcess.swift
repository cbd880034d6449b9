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
    private let process: ChildProcess

    /// Starts it.
    init(_ name: String, _ guarantee: Guarantee, of cluster: EmbeddedKafkaCluster) throws {
        self.name = name
        self.process = try ChildProcess(
            "group-member",
            [
                "--servers", cluster.bootstrapServers.joined(separator: ","), "--group", "g", "--name", name,
                "--guarantee", guarantee.rawValue, "--from", "in", "--to", "out",
            ]
        )
    }

    /// What it wrote so far.
    var lines: [String] { self.process.lines }

    /// Sends it a signal.
    func send(_ signal: Int32) {
        self.process.send(signal)
    }

    /// Kills it, as a machine that loses its power does.
    func crash() async {
        // Nothing outlives that signal.
        try? await self.process.crash()
    }

    /// Ends it as a service is ended, and expects that it does so.
    func stop(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await self.process.stop(SIGTERM)
        #expect(self.process.ending.status == 0, "\(self.name)", sourceLocation: sourceLocation)
    }
}
