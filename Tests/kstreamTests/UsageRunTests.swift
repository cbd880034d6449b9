import CommandLineSupport
import EmbeddedKafka
import Foundation
import Subprocess
import Testing

@testable import KafkaClient
@testable import kstream

@Suite(.timeLimit(.minutes(2)))
struct UsageRunTests {
    @Test(
        arguments: [
            [], ["--help"], ["help", "consume"], ["produce", "--help"], ["consume", "--help"], ["seek", "--help"],
        ]
    )
    func `help is data and status 0`(arguments: [String]) async throws {
        let outcome = try await Command.run(arguments)
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("USAGE:"))
        #expect(outcome.errors == "")
    }

    @Test(arguments: ["produce", "consume", "seek"])
    func `help has an example`(verb: String) async throws {
        let outcome = try await Command.run([verb, "--help"])
        #expect(outcome.output.contains("  kstream \(verb) "))
    }

    @Test(
        arguments: [
            ["unknown"], ["produce"], ["produce", "t"], ["produce", "a b", "-b", "x:1"], ["produce", "t", "-b", ""],
            ["produce", "t", "-b", "localhost:http"], ["produce", "t", "-b", "x:1", "--key-separator", ""],
            ["produce", "t", "-b", "x:1", "-X", "no.such.property=1"], ["produce", "t", "-b", "x:1", "-X", "novalue"],
            ["consume", "t", "-b", "x:1", "--from", "yesterday"], ["consume", "t", "-b", "x:1", "--count", "0"],
            ["consume", "t", "-b", "x:1", "--count", "-1"], ["consume", "t", "-b", "x:1", "--timeout", "0"],
            ["consume", "t", "-b", "x:1", "--timeout", "nan"], ["consume", "t", "-b", "x:1", "--timeout", "1e300"],
            ["consume", "t", "-b", "x:1", "--group", ""], ["consume", "t", "-b", "x:1", "--group", "g", "--from", "5"],
            ["consume", "t", "-b", "x:1", "--group", "g", "--partition", "0"],
            ["consume", "t", "-b", "x:1", "--json", "--key-separator", "="],
            ["consume", "t", "-b", "x:1", "--from", "99999999999999999999"],
            ["seek", "g", "t", "-b", "x:1"], ["seek", "g", "t", "-b", "x:1", "--to", "1:2"],
            ["seek", "g", "-b", "x:1", "--to", "start"], ["seek", "", "t", "-b", "x:1", "--to", "start"],
        ]
    )
    func `a wrong command line is status 2 and says why`(arguments: [String]) async throws {
        let outcome = try await Command.run(arguments)
        #expect(outcome.status == 2)
        #expect(outcome.output == "")
        #expect(outcome.errors.hasPrefix("error: "))
    }

    @Test(
        arguments: [
            (["consume", "t", "--count", "-1"], "--count must be at least 1, not -1."),
            (["consume", "t", "--partition", "-1"], "--partition must be 0 or above, not -1"),
            (["seek", "g", "t", "--to", "start", "--partition", "-2"], "--partition must be 0 or above, not -2"),
            (["produce", "t", "--timeout", "-1"], "--timeout must be above 0 and at most 3600 seconds, not -1.0."),
            (["consume", "t", "--from", "3:1"], "--from 3:1 ends before it begins"),
            (["consume", "t", "--key-separator", ""], "--key-separator must not be empty."),
            (["consume", ""], "a topic's name can't be empty."),
            (["produce", "a b"], "a topic's name has only the characters a-z A-Z 0-9 . _ -, and not \" \"."),
            (["consume", "t", "--group", ""], "a group's name can't be empty."),
            (["seek", "", "t", "--to", "start"], "a group's name can't be empty."),
            (["consume", "t", "-X", "group.id=g"], "-X group.id can't be set: use --group."),
            (
                ["seek", "g", "t", "--to", "end", "-X", "group.id=h"],
                "-X group.id can't be set: the group is the first"
            ),
            (["produce", "t", "-X", "log.queue=false"], "-X log.queue can't be set: "),
        ]
    )
    func `a wrong value is said in the words of the command line`(arguments: [String], reason: String) async throws {
        let outcome = try await Command.run(arguments + ["-b", "x:1"])
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains(reason))
    }

    /// The client refuses properties that it depends on in words for programs, with names of its Swift options.
    @Test func `every property that the client depends on has words for the command line`() throws {
        let consumer = try KafkaConsumer.Configuration(bootstrapServers: ["x:1"], group: "g").makeProperties().owned
        #expect(Set(consumer.keys) == Set(ConnectionOptions.reservedByConsumers.keys))
        #expect(Set(consumer.keys) == Set(SeekCommand.reservedProperties.keys))
        let producer = try KafkaProducer.Configuration(bootstrapServers: ["x:1"]).makeProperties().owned
        #expect(Set(producer.keys) == Set(ConnectionOptions.reservedByProducers.keys))
    }

    @Test func `the version is that of the changelog`() async throws {
        let outcome = try await Command.run(["--version"])
        #expect(outcome.status == 0)
        #expect(outcome.output == "kstream \(toolkitVersion)\n")
        #expect(outcome.errors == "")
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let changelog = try String(contentsOf: folder.appending(path: "CHANGELOG.md"), encoding: .utf8)
        let releases = changelog.matches(of: /(?m)^## \[(\d+\.\d+\.\d+)\]/)
        #expect(releases.first.map { String($0.1) } ?? "0.1.0" == toolkitVersion)
    }

    @Test(arguments: [["produce", "t"], ["consume", "t"], ["seek", "g", "t", "--to", "start"]])
    func `a broker that hangs is named`(arguments: [String]) async throws {
        let server = try SilentServer()
        let outcome = try await Command.run(arguments + ["-b", server.address, "--timeout", "1"])
        #expect(outcome.status == 3)
        #expect(outcome.errors.contains("no broker answered within 1.0 seconds: no answer from \(server.address)"))
    }

    @Test(
        arguments: [
            ["produce", "t"], ["consume", "t"], ["consume", "t", "--group", "g"], ["seek", "g", "t", "--to", "start"],
        ]
    )
    func `a broker that is not there is status 3 within the time-out`(arguments: [String]) async throws {
        var outcome: CommandOutcome?
        let duration = try await ContinuousClock().measure {
            outcome = try await Command.run(arguments + ["-b", "127.0.0.1:1", "--timeout", "1"])
        }
        #expect(outcome?.status == 3)
        #expect(outcome?.output == "")
        #expect(outcome?.errors.contains("127.0.0.1:1") == true)
        #expect(outcome?.errors.split(separator: "\n").count == 1)
        #expect(duration < .seconds(50))
    }

    @Test func `the environment names the brokers, and the option wins`() async throws {
        let cluster = try await TestCluster("environment", records: [.value("here")])
        let arguments = ["consume", cluster.topic, "--exit-at-end"]
        let byEnvironment = try await Command.run(
            arguments,
            environment: ["KSTREAM_BOOTSTRAP_SERVERS": cluster.servers]
        )
        #expect(byEnvironment.lines == ["here"])
        let byOption = try await Command.run(
            arguments + ["-b", cluster.servers],
            environment: ["KSTREAM_BOOTSTRAP_SERVERS": "127.0.0.1:1"]
        )
        #expect(byOption.lines == ["here"])
    }

    @Test(arguments: [["produce"], ["consume"], ["seek", "g"]])
    func `a topic that is not there is said`(verb: [String]) async throws {
        var configuration = EmbeddedKafkaCluster.Configuration()
        configuration.createsTopicsAutomatically = false
        let options = verb.first == "seek" ? ["--to", "start"] : []
        let outcome = try await withEmbeddedKafka(configuration) { cluster in
            try await Command.run(verb + ["absent", "-b", cluster.bootstrapServers[0]] + options)
        }
        #expect(outcome.status == 1)
        #expect(outcome.errors == "error: there is no topic absent here. Create it, or check its name.\n")
    }
}
