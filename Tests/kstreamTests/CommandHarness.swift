import EmbeddedKafka
import Foundation
import KafkaClient
import Logging
import Subprocess
import TestSupport

#if canImport(System)
import System
#else
import SystemPackage
#endif

/// What a run of the built `kstream` came to.
struct CommandOutcome: Sendable {
    /// The exit status, or the negative of the signal that ended it.
    var status: Int32
    var output: String
    var errors: String

    /// By line feeds alone, since a carriage return and a line feed are one `Character`.
    var lines: [String] {
        self.output.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
            .map { String(decoding: $0, as: UTF8.self) }
    }
}

/// The built `kstream`.
enum Command {
    static let executable = Executable.path(.init(BuiltCommand.path(of: "kstream")))

    /// Runs it to its end, with nothing in its environment that concerns it but what is given.
    static func run(
        _ arguments: [String],
        input: [UInt8] = [],
        environment: [Environment.Key: String] = [:]
    ) async throws -> CommandOutcome {
        let result = try await Subprocess.run(
            self.executable,
            arguments: Arguments(arguments),
            environment: self.environment(environment),
            input: .array(input),
            output: .string(limit: 64 << 20),
            error: .string(limit: 1 << 20)
        )
        return CommandOutcome(
            status: result.terminationStatus.number,
            output: result.standardOutput,
            errors: result.standardError
        )
    }

    static func environment(_ values: [Environment.Key: String] = [:]) -> Environment {
        var updates: [Environment.Key: String?] = ["KSTREAM_BOOTSTRAP_SERVERS": nil]
        for (key, value) in values { updates[key] = value }
        return .inherit.updating(updates)
    }
}

extension TerminationStatus {
    var number: Int32 {
        switch self {
        case .exited(let code): code
        case .signaled(let signal): -signal
        }
    }
}

/// One cluster for all tests; each has topics and groups of its own.
struct TestCluster: Sendable {
    private static let shared = Task {
        let cluster = try EmbeddedKafkaCluster()
        try await cluster.start()
        return cluster
    }

    let cluster: EmbeddedKafkaCluster
    let topic: String
    let group: String

    /// Makes a topic with records, all of one partition unless said otherwise.
    init(_ name: String, partitions: Int = 1, records: [KafkaProducerRecord] = []) async throws {
        self.cluster = try await Self.shared.value
        let name = "\(name)-\(UUID().uuidString)"
        self.topic = name
        self.group = "group-\(name)"
        try await self.cluster.createTopic(name, partitions: partitions)
        try await self.send(records)
    }

    func send(_ records: [KafkaProducerRecord]) async throws {
        guard !records.isEmpty else { return }
        let configuration = KafkaProducer.Configuration(bootstrapServers: self.cluster.bootstrapServers)
        try await withKafkaProducer(configuration, logger: .silent) { producer in
            let placed = records.map { record in
                var record = record
                record.topic = self.topic
                return record
            }
            for result in try await producer.send(contentsOf: placed) { _ = try result.get() }
        }
    }

    var servers: String { self.cluster.bootstrapServers.joined(separator: ",") }

    /// Runs a verb on this topic.
    func run(_ verb: String, _ arguments: String..., input: String = "") async throws -> CommandOutcome {
        try await Command.run([verb, self.topic, "-b", self.servers] + arguments, input: Array(input.utf8))
    }

    /// Runs `seek` on this topic and group.
    func seek(_ arguments: String...) async throws -> CommandOutcome {
        try await Command.run(["seek", self.group, self.topic, "-b", self.servers] + arguments)
    }
}

extension Logger {
    /// For the clients of tests.
    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

extension KafkaProducerRecord {
    /// A record with a value; its topic is filled in by the cluster.
    static func value(_ value: String, partition: Int32 = 0) -> KafkaProducerRecord {
        KafkaProducerRecord(topic: "", partition: partition, value: value)
    }
}
