internal import ArgumentParser
internal import CommandLineSupport
internal import EventStreaming
internal import KafkaClient
internal import Logging

/// A responder in a process of its own, for tests that kill it: replies to each request with the request, and its own name.
@main
struct ResponderProcess: AsyncParsableCommand {
    @Option var servers: String
    @Option var group: String
    @Option var name: String
    @Option var requests: String
    @Option var replies: String
    /// How long each request takes.
    @Option var milliseconds = 20

    static func main() async {
        await CommandRunner.main(Self.self)
    }

    func run() async throws {
        var configuration = ProcessorConfiguration(name: self.group, bootstrapServers: [self.servers])
        configuration.guarantee = .atLeastOnce
        configuration.deadLetters = nil
        configuration.consumer.sessionTimeout = .seconds(6)
        configuration.consumer.heartbeatInterval = .milliseconds(100)
        configuration.producer.linger = .zero
        let requests = Topic<String, String>(self.requests, key: .string, value: .string)
        let replies = Topic<String, String>(self.replies, key: .string, value: .string)
        let silent = Logger(label: self.name) { _ in SwiftLogNoOpLogHandler() }
        let responder = Responder(configuration, answering: requests, on: replies, logger: silent) { request in
            try await Task.sleep(for: .milliseconds(self.milliseconds))
            return "\(try request.value) \(self.name)"
        }
        try await responder.run()
    }
}
