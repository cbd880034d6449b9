import KafkaMockCluster
import Subprocess
import Testing

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
        let arguments = ["consume", cluster.topic, "--exit-at-end", "--timeout", "2"]
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
        let cluster = try await TestCluster("unknown")
        cluster.cluster.setTopicError(cluster.topic, .unknownTopicOrPartition)
        let options = verb.first == "seek" ? ["--to", "start"] : []
        let outcome = try await Command.run(verb + [cluster.topic, "-b", cluster.servers] + options)
        #expect(outcome.status == 1)
        #expect(outcome.errors == "error: there is no topic \(cluster.topic) here. Create it, or check its name.\n")
    }
}
