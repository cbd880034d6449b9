import KafkaClient
import Subprocess
import Testing

@testable import kstream

@Suite(.timeLimit(.minutes(2)))
struct ConsumeRunTests {
    @Test func `JSON tells tombstones, headers, null keys and bytes apart`() async throws {
        let time = KafkaTimestamp(millisecondsSince1970: 1_700_000_000_000)
        let cluster = try await TestCluster(
            "json",
            records: [
                .init(topic: "", partition: 0, key: "k", value: nil, timestamp: time),
                .init(topic: "", partition: 0, key: nil, value: [], timestamp: time),
                .init(
                    topic: "",
                    partition: 0,
                    key: [0xC3],
                    value: Array("\"quoted\"".utf8),
                    headers: [.init(key: "h", value: "1"), .init(key: "h", value: nil)],
                    timestamp: time
                ),
            ]
        )
        let consumed = try await cluster.run("consume", "--exit-at-end", "--json")
        #expect(consumed.status == 0)
        let start = #"{"topic":"\#(cluster.topic)","partition":0,"offset":"#
        #expect(
            consumed.lines == [
                start + #"0,"timestamp":1700000000000,"key":"k","value":null,"headers":[]}"#,
                start + #"1,"timestamp":1700000000000,"key":null,"value":"","headers":[]}"#,
                start + #"2,"timestamp":1700000000000,"keyBase64":"ww==","value":"\"quoted\"","#
                    + #""headers":[{"key":"h","value":"1"},{"key":"h","value":null}]}"#,
            ]
        )
    }

    @Test(
        arguments: [
            (["--exit-at-end"], ["0", "1", "2", "3", "4"]),
            (["--from", "start", "--count", "2"], ["0", "1"]),
            (["--from", "3", "--exit-at-end"], ["3", "4"]),
            (["--from", "+3", "--exit-at-end"], ["3", "4"]),
            (["--from", "-2", "--exit-at-end"], ["3", "4"]),
            (["--from", "-100", "--exit-at-end"], ["0", "1", "2", "3", "4"]),
            (["--from", "1:3"], ["1", "2"]),
            (["--from", "-2:end"], ["3", "4"]),
            (["--from", "1:3", "--count", "1"], ["1"]),
            (["--exit-at-end", "--count", "100"], ["0", "1", "2", "3", "4"]),
        ] as [([String], [String])]
    )
    func `what is asked for is shown, and no more`(arguments: [String], expected: [String]) async throws {
        let cluster = try await TestCluster("from", records: (0..<5).map { .value("\($0)") })
        let consumed = try await Command.run(["consume", cluster.topic, "-b", cluster.servers] + arguments)
        #expect(consumed.status == 0)
        #expect(consumed.lines == expected)
        #expect(consumed.errors == "")
    }

    @Test func `all partitions are read to their ends, those without records too`() async throws {
        let cluster = try await TestCluster(
            "partitions",
            partitions: 5,
            records: (0..<3000).map { .value("\($0)", partition: Int32($0 % 4)) }
        )
        let all = try await cluster.run("consume", "--exit-at-end")
        #expect(all.lines.compactMap { Int($0) }.sorted() == Array(0..<3000))
        let two = try await cluster.run("consume", "--exit-at-end", "--partition", "1", "--partition", "4")
        #expect(two.lines == (0..<750).map { "\($0 * 4 + 1)" })
    }

    @Test func `an offset that is not in the log is said`() async throws {
        let cluster = try await TestCluster("outside", records: [.value("only")])
        let consumed = try await cluster.run("consume", "--from", "7", "--exit-at-end")
        #expect(consumed.status == 5)
        #expect(
            consumed.errors == """
                note: \(cluster.topic)[0] holds offsets 0 to 1: it is read from 1
                \(cluster.topic): there is no record to show

                """
        )
    }

    @Test func `no record is status 5`() async throws {
        let cluster = try await TestCluster("nothing", partitions: 3)
        let consumed = try await cluster.run("consume", "--exit-at-end")
        #expect(consumed.status == 5)
        #expect(consumed.output == "")
    }

    @Test func `a reader that closes the pipe ends it quietly`() async throws {
        let cluster = try await TestCluster(
            "closed",
            records: (0..<10_000).map { _ in .value(String(repeating: "x", count: 200)) }
        )
        for arguments in [["--exit-at-end"], ["--json"]] {
            let result = try await Subprocess.run(
                Command.executable,
                arguments: Arguments(["consume", cluster.topic, "-b", cluster.servers] + arguments),
                environment: Command.environment(),
                input: .none,
                output: .sequence,
                error: .string(limit: 1 << 20)
            ) { execution in
                for try await _ in execution.standardOutput { break }
            }
            #expect(result.terminationStatus == .exited(0))
            #expect(result.standardError == "")
        }
    }

    @Test func `following shows records as they come, until an interrupt`() async throws {
        let cluster = try await TestCluster("follow", records: [.value("before")])
        let result = try await Subprocess.run(
            Command.executable,
            arguments: ["consume", cluster.topic, "-b", cluster.servers],
            environment: Command.environment(),
            input: .none,
            output: .sequence,
            error: .string(limit: 1 << 20)
        ) { execution in
            var seen = ""
            for try await chunk in execution.standardOutput {
                seen += chunk.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
                if seen == "before\n" { try await cluster.send([.value("after")]) }
                if seen == "before\nafter\n" { try execution.send(signal: .terminate) }
            }
            #expect(seen == "before\nafter\n")
        }
        #expect(result.terminationStatus == .exited(0))
        #expect(result.standardError == "")
    }

    @Test func `a group goes on where it stood, to the record`() async throws {
        let cluster = try await TestCluster("member", records: (0..<5).map { .value("\($0)") })
        let arguments = ["consume", cluster.topic, "-b", cluster.servers, "--group", cluster.group]
        let first = try await Command.run(arguments + ["--count", "2"])
        #expect(first.status == 0)
        #expect(first.lines == ["0", "1"])
        // A slow join is said before.
        #expect(first.errors.hasSuffix("committed for the group \(cluster.group): \(cluster.topic)[0] 2\n"))
        let second = try await Command.run(arguments + ["--exit-at-end"])
        #expect(second.status == 0)
        #expect(second.lines == ["2", "3", "4"])
    }
}
