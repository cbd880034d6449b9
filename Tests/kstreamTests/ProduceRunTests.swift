import EmbeddedKafka
import KafkaClient
import Subprocess
import Synchronization
import Testing

@testable import kstream

@Suite(.timeLimit(.minutes(2)))
struct ProduceRunTests {
    @Test func `lines are sent in their order and come back as they were`() async throws {
        let cluster = try await TestCluster("produce")
        let lines = ["first", "", " spaces ", "carriage return\r", "ünïcode"] + (0..<20_000).map { "line \($0)" }
        let produced = try await cluster.run("produce", input: lines.joined(separator: "\n"))
        #expect(produced.status == 0)
        #expect(produced.output == "")
        #expect(produced.errors == "\(cluster.topic): 20,005 delivered\n")
        let consumed = try await cluster.run("consume", "--exit-at-end")
        #expect(consumed.status == 0)
        // Not the arrays themselves: a failure would print them all.
        let isSame = consumed.lines == lines
        #expect(isSame)
        #expect(consumed.errors == "")
    }

    @Test func `no line is nothing to do`() async throws {
        let cluster = try await TestCluster("empty")
        let produced = try await cluster.run("produce")
        #expect(produced.status == 0)
        #expect(produced.errors == "\(cluster.topic): 0 delivered\n")
    }

    @Test func `keys are split off, and a line without one is said and not sent`() async throws {
        let cluster = try await TestCluster("keys")
        let produced = try await cluster.run("produce", "--key-separator", "=", input: "a=1\nb\nc=2=3\n")
        #expect(produced.status == 4)
        #expect(
            produced.errors == """
                line 2: not delivered: it has no key separator, so it was not sent
                \(cluster.topic): 2 delivered, 1 not delivered

                """
        )
        let consumed = try await cluster.run("consume", "--exit-at-end", "--key-separator", " -> ")
        #expect(consumed.lines == ["a -> 1", "c -> 2=3"])
    }

    @Test func `a record that is too large is said with its line, and the others are sent`() async throws {
        let cluster = try await TestCluster("large")
        let input = "a\n\(String(repeating: "x", count: 2_000_000))\nb\n"
        let produced = try await cluster.run("produce", input: input)
        #expect(produced.status == 4)
        #expect(produced.errors.hasPrefix("line 2: not delivered: "))
        #expect(produced.errors.hasSuffix("\(cluster.topic): 2 delivered, 1 not delivered\n"))
    }

    @Test func `a line beyond the limit of lines is said, and the lines around it are sent`() async throws {
        let cluster = try await TestCluster("endless")
        let input = "a\n\(String(repeating: "x", count: 17 << 20))\nb\n"
        let produced = try await cluster.run("produce", input: input)
        #expect(produced.status == 4)
        #expect(
            produced.errors == """
                line 2: not delivered: it is longer than 16,777,216 bytes, so it was not sent
                \(cluster.topic): 2 delivered, 1 not delivered

                """
        )
        let consumed = try await cluster.run("consume", "--exit-at-end")
        #expect(consumed.lines == ["a", "b"])
    }

    @Test func `nothing delivered is a failure, and only the first complaints are written`() async throws {
        let cluster = try await TestCluster("none")
        let neighbours = try await cluster.run("produce", "--key-separator", "=", input: "a\nb\nc\n")
        #expect(neighbours.status == 1)
        #expect(neighbours.errors.hasPrefix("lines 1 to 3: not delivered: "))
        #expect(neighbours.errors.hasSuffix("0 delivered, 3 not delivered\n"))
        let scattered = String(repeating: "no key\na=b\n", count: 100)
        let produced = try await cluster.run("produce", "--key-separator", "=", input: scattered)
        #expect(produced.status == 4)
        #expect(produced.errors.split(separator: "\n").count == 21)
        #expect(produced.errors.hasSuffix("100 delivered, 100 not delivered (not all are listed)\n"))
    }

    @Test func `a line is sent while the input stays open, and an interrupt ends the wait`() async throws {
        let cluster = try await TestCluster("open")
        var configuration = KafkaConsumer.Configuration(bootstrapServers: cluster.cluster.bootstrapServers)
        configuration.fetchMaxWait = .milliseconds(20)
        let seen = Mutex<[String]>([])
        let result = try await Subprocess.run(
            Command.executable,
            arguments: ["produce", cluster.topic, "-b", cluster.servers, "--key-separator", "="],
            environment: Command.environment(),
            input: .inputWriter,
            output: .discarded,
            error: .sequence
        ) { execution in
            _ = try await execution.standardInputWriter.write("a=typed\n")
            let partition = KafkaTopicPartition(topic: cluster.topic, partition: 0)
            try await withKafkaConsumer(configuration, assigned: [partition: .beginning], logger: .silent) { consumer in
                for try await record in consumer.records {
                    seen.withLock { $0.append(record.valueString ?? "") }
                    break
                }
            }
            // The next line is looked at when the one before is acknowledged.
            _ = try await execution.standardInputWriter.write("no key\n")
            var errors = ""
            // Ends with the command. The input would be closed when this returns, and be its end instead.
            for try await chunk in execution.standardError {
                let wasTold = errors.contains("\n")
                errors += chunk.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
                if !wasTold, errors.contains("\n") { try execution.send(signal: .interrupt) }
            }
            #expect(
                errors == """
                    line 2: not delivered: it has no key separator, so it was not sent
                    \(cluster.topic): 1 delivered, 1 not delivered
                    interrupted

                    """
            )
        }
        #expect(seen.withLock { $0 } == ["typed"])
        #expect(result.terminationStatus == .exited(130))
    }
}
