import EmbeddedKafka
import EventStreaming
import Foundation
import KafkaClient
import Synchronization
import TestSupport
import Testing

@testable import OrderPipeline

/// The whole pipeline on a cluster: services, topics and read model. Each test has a cluster of its own.
@Suite("Replay")
struct ReplayTests {
    @Test("every case comes to the totals worked out by hand", .timeLimit(.minutes(1)))
    func everyCase() async throws {
        let outcome = try await withPipelineCluster { cluster in
            try await Replay(cluster: cluster, logger: .silent).run(try Fixtures.everyCase())
        }
        #expect(outcome.totals == Fixtures.everyCaseTotals)
    }

    @Test("repeated commands change nothing", .timeLimit(.minutes(1)))
    func repeatedCommands() async throws {
        let commands = try Fixtures.everyCase()
        let outcome = try await withPipelineCluster { cluster in
            try await Replay(cluster: cluster, logger: .silent).run(commands + commands.reversed() + commands)
        }
        #expect(outcome.totals == Fixtures.everyCaseTotals)
    }

    @Test("the excerpt comes to what the Python script says", .timeLimit(.minutes(1)))
    func excerpt() async throws {
        let book = try await OrderBook(reading: OrderFile(path: Fixtures.excerpt))
        let outcome = try await withPipelineCluster { cluster in
            try await Replay(cluster: cluster, logger: .silent).run(book.commands)
        }
        let expected = try ParsedTotals(json: try Data(contentsOf: URL(filePath: Fixtures.excerptTotals)))
        #expect(try ParsedTotals(json: Data(outcome.totals.json.utf8)) == expected)
    }

    @Test("a second replay on the same cluster counts its own orders", .timeLimit(.minutes(1)))
    func secondReplay() async throws {
        try await withPipelineCluster { cluster in
            for _ in 0..<2 {
                let outcome = try await Replay(cluster: cluster, logger: .silent).run(try Fixtures.everyCase())
                #expect(outcome.totals == Fixtures.everyCaseTotals)
            }
        }
    }

    @Test("a replay on a shared cluster counts its own orders", .timeLimit(.minutes(1)))
    func sharedCluster() async throws {
        let commands = try Fixtures.everyCase()
        try await withPipelineCluster { cluster in
            // The same orders, asked for by somebody else, and by nobody in particular.
            try await withKafkaProducer(cluster.producer(clientID: "test"), logger: .silent) { producer in
                for replay in ["other", nil] {
                    for command in commands { _ = try await producer.send(Replay.record(of: command, replay: replay)) }
                }
            }
            let outcome = try await Replay(cluster: cluster, logger: .silent).run(Array(commands.prefix(3)))
            var expected = RevenueReadModel()
            for command in commands.prefix(3) { expected.settle(command) }
            #expect(outcome.totals == expected.totals)
        }
    }

    @Test(
        "records that are no messages of their topic hold up nothing, and are dead letters",
        .timeLimit(.minutes(1)),
        arguments: [ProcessingGuarantee.exactlyOnce, .atLeastOnce]
    )
    func foreignRecords(guarantee: ProcessingGuarantee) async throws {
        let values: [[UInt8]?] = [nil, [], [0xFF], Array("{}".utf8), Array(#"{"type":"Other"}"#.utf8)]
        try await withPipelineCluster { cluster in
            try await withKafkaProducer(cluster.producer(clientID: "test"), logger: .silent) { producer in
                for topic in PipelineTopic.allCases {
                    for value in values {
                        _ = try await producer.send(.init(topic: topic.rawValue, key: "1", value: value))
                    }
                }
            }
            // No order waits for these records: the services run until their letters are there, too.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for service in PipelineService.allCases {
                    let processor = service.processor(on: cluster, guarantee: guarantee, logger: .silent)
                    group.addTask { try await processor.run() }
                }
                var replay = Replay(cluster: cluster, logger: .silent)
                replay.runsServices = false
                let outcome = try await replay.run(try Fixtures.everyCase())
                #expect(outcome.totals == Fixtures.everyCaseTotals)
                // Two services read the payments.
                for (topic, readers) in [(PipelineTopic.commands, 1), (.orders, 1), (.payments, 2), (.shipping, 1)] {
                    let letters = try await self.deadLetters(of: topic, count: values.count * readers, in: cluster)
                    for value in values {
                        #expect(letters.count { $0 == value } == readers, "\(topic): \(value ?? [])")
                    }
                }
                group.cancelAll()
                try await group.waitForAll()
            }
        }
    }

    /// The values of a topic's dead letters.
    private func deadLetters(
        of topic: PipelineTopic,
        count: Int,
        in cluster: PipelineCluster
    ) async throws -> [[UInt8]?] {
        let name = try #require(topic.deadLetters)
        return try await withKafkaConsumer(cluster.consumer(group: "test"), logger: .silent) { consumer in
            let places = (0..<PipelineCluster.partitions).map {
                (KafkaTopicPartition(topic: name, partition: Int32($0)), KafkaOffset.beginning)
            }
            try await consumer.assign(Dictionary(uniqueKeysWithValues: places))
            var values: [[UInt8]?] = []
            for try await record in consumer.records {
                let letter = try #require(DeadLetter(headers: record.headers))
                #expect(letter.topic == topic.rawValue)
                values.append(record.value)
                if values.count == count { break }
            }
            return values
        }
    }

    @Test("a replay that stands still says what is missing", .timeLimit(.minutes(1)))
    func stalled() async throws {
        try await withEmbeddedPipelineCluster { embedded in
            // The groups never form: nothing can happen in however long a time.
            let coordinatorNotAvailable: Int16 = 15
            _ = try await embedded.faults.add(.init(.joinGroup, .error(coordinatorNotAvailable), times: nil))
            var replay = Replay(cluster: .init(bootstrapServers: embedded.bootstrapServers), logger: .silent)
            // Time enough for all to have begun.
            replay.stallLimit = .seconds(5)
            await #expect {
                try await replay.run(try Fixtures.everyCase())
            } throws: { error in
                guard case .stalled(_, 0, 15, let examples, let idle)? = error as? PipelineError else { return false }
                return examples.first == "1 waits for a decision on the command"
                    && idle.prefix(2) == ["order-pipeline.orders", "order-pipeline.payments"] && idle.count == 4
                    && "\(error)".contains("order-pipeline.shipping have got no partitions yet")
            }
        }
    }

    @Test("a cancelled replay ends at once and has committed what it did", .timeLimit(.minutes(1)))
    func cancelled() async throws {
        let commits = CommitLog()
        let book = try await OrderBook(reading: OrderFile(path: Fixtures.excerpt))
        try await withPipelineCluster { cluster in
            let replay = Replay(cluster: cluster, commits: commits, logger: .silent)
            // Enough work that it is not done before it is cancelled.
            let commands = book.commands.flatMap { command in
                (0..<20).map { copy in command.renumbered { $0 + "\(copy)" } }
            }
            let running = Mutex<Task<Void, any Error>?>(nil)
            let begin = Gate()
            let task = Task {
                await begin.wait()
                _ = try await replay.run(commands) { done in
                    if done > 4_000 { running.withLock { $0 }?.cancel() }
                }
            }
            running.withLock { $0 = task }
            begin.open()
            await #expect(throws: CancellationError.self) { try await task.value }

            // What it says to have committed is what the broker has.
            let group = PipelineCluster.group("orders")
            let entries = commits.entries.filter { $0.group == group }
            #expect(entries.contains { $0.partition.topic == PipelineTopic.commands.rawValue && $0.offset > 0 })
            try await withKafkaConsumer(cluster.consumer(group: group), logger: .silent) { consumer in
                let committed = try await consumer.committedOffsets(for: entries.map(\.partition))
                #expect(committed == Dictionary(uniqueKeysWithValues: entries.map { ($0.partition, $0.offset) }))
            }
        }
    }

    @Test("a cluster that is not there is an error of the client", .timeLimit(.minutes(1)))
    func unreachable() async throws {
        let cluster = PipelineCluster(bootstrapServers: ["127.0.0.1:1"])
        await #expect {
            try await Replay(cluster: cluster, logger: .silent).run(try Fixtures.everyCase())
        } throws: { error in
            (error as? KafkaError)?.code == .brokerUnreachable
        }
    }

    @Test("no commands, no cluster, no totals")
    func nothing() async throws {
        let cluster = PipelineCluster(bootstrapServers: ["127.0.0.1:1"])
        let outcome = try await Replay(cluster: cluster, logger: .silent).run([])
        #expect(outcome.totals == Totals())
    }
}
