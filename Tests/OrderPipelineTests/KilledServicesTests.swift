import EventStreaming
import Foundation
import KafkaClient
import TestSupport
import Testing

@testable import OrderPipeline

/// The services in processes of their own, which are killed at random moments of a replay, on a broker that keeps its data in
/// files.
///
/// `KSTREAM_KILLS` says how often (`make faults` takes 50), `KSTREAM_ORDERS` names a file of orders to replay; without it
/// the excerpt is replayed several times over, under other numbers.
@Suite("Services that are killed", .serialized, .timeLimit(.minutes(15)))
struct KilledServicesTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let kills = Self.environment["KSTREAM_KILLS"].flatMap { Int($0) } ?? 6

    @Test("exactly once, nothing is lost and nothing is done twice")
    func exactlyOnce() async throws {
        let outcome = try await self.replay(.exactlyOnce)
        print(outcome.report)
        #expect(outcome.kills == Self.kills)
        #expect(outcome.repeatedIDs == 0)
        // A few kills may all come between two transactions.
        if Self.kills >= 50 { #expect(outcome.abortedTransactions > 0, "some were killed with a transaction open") }
    }

    @Test("at least once, nothing is lost, and what was done twice has the same id twice")
    func atLeastOnce() async throws {
        let outcome = try await self.replay(.atLeastOnce)
        print(outcome.report)
        #expect(outcome.kills == Self.kills)
        #expect(outcome.repeatedIDs > 0)
        #expect(outcome.abortedTransactions == 0)
    }

    // MARK: A replay

    private struct Outcome {
        var guarantee: ProcessingGuarantee
        var invoices: Int
        var kills = 0
        var records = 0
        var repeatedIDs = 0
        var abortedTransactions = 0
        var abortedRecords = 0

        var report: String {
            """
            \(self.guarantee): \(self.invoices) invoices, \(self.kills) services killed; \(self.records) committed records, \
            \(self.repeatedIDs) with an id that was there before; \(self.abortedTransactions) transactions with \
            \(self.abortedRecords) records aborted
            """
        }
    }

    private func replay(_ guarantee: ProcessingGuarantee) async throws -> Outcome {
        let commands = try await self.commands()
        var plain = PlainPass(limit: nil)
        for command in commands { plain.add(command) }
        var outcome = Outcome(guarantee: guarantee, invoices: plain.totals.invoices)
        try await Fixtures.withFolder { folder in
            let broker = try ChildProcess(
                "kstream",
                ["broker", "--port", "0", "--data", folder],
                discardsStandardError: true
            )
            defer { broker.send(SIGKILL) }
            try await eventually("the broker says where it is") { !broker.lines.isEmpty }
            let cluster = PipelineCluster(bootstrapServers: [broker.lines[0]])
            try await self.makeTopics(on: cluster)
            let services = try ServiceProcesses(cluster, guarantee)
            defer { services.killAll() }

            let completed = Collected<Int>()
            var replay = Replay(cluster: cluster, logger: .silent)
            replay.runsServices = false
            replay.stallLimit = .seconds(60)
            async let result = replay.run(commands) { completed.append($0) }
            outcome.kills = try await self.kill(services, Self.kills, of: outcome.invoices) {
                completed.elements.last ?? 0
            }
            #expect(try await result.totals == plain.totals)
            try await services.stopAll()
            for topic in PipelineTopic.allCases where topic != .commands {
                let records = try await self.records(of: topic, on: cluster, .readCommitted)
                let ids = records.compactMap { EventMetadata(headers: $0.headers)?.id }
                #expect(ids.count == records.count, "\(topic): every record has metadata")
                outcome.records += records.count
                outcome.repeatedIDs += ids.count - Set(ids).count
                let all = try await self.records(of: topic, on: cluster, .readUncommitted)
                outcome.abortedRecords += all.count - records.count
            }
            for name in PipelineTopic.allCases.compactMap(\.deadLetters) {
                #expect(try await self.records(named: name, on: cluster, .readUncommitted).isEmpty)
            }
            try await broker.stop(SIGTERM)
            outcome.abortedTransactions = try AbortMarkers(inDataOf: folder).transactions
        }
        return outcome
    }

    /// Kills services at random moments of the replay, and starts each again at once.
    private func kill(
        _ services: ServiceProcesses,
        _ count: Int,
        of total: Int,
        completed: @Sendable () -> Int
    ) async throws -> Int {
        for number in 0..<count {
            // Spread over the replay: each within a part of its own.
            let part = Double(number) + Double.random(in: 0..<1)
            let mark = Int(part / Double(count) * Double(total) * 0.95)
            try await eventually(within: .seconds(120), "\(mark) of \(total) are completed") { completed() >= mark }
            await Self.pause(.milliseconds(Int.random(in: 0..<60)))
            try await services.killOneAndStartItAgain()
        }
        return count
    }

    private static func pause(_ duration: DispatchTimeInterval) async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().asyncAfter(deadline: .now() + duration) { continuation.resume() }
        }
    }

    private func commands() async throws -> [OrderCommand] {
        if let path = Self.environment["KSTREAM_ORDERS"] {
            return try await OrderBook(reading: OrderFile(path: path)).commands
        }
        let commands = try await OrderBook(reading: OrderFile(path: Fixtures.excerpt)).commands
        let copies = max(4, Self.kills / 2)
        return (1...copies).flatMap { copy in commands.map { command in command.renumbered { "\($0)\(copy)" } } }
    }

    private func makeTopics(on cluster: PipelineCluster) async throws {
        try await withKafkaAdmin(.init(bootstrapServers: cluster.bootstrapServers), logger: .silent) { admin in
            let topics = PipelineTopic.allNames.map {
                KafkaNewTopic($0, partitions: PipelineCluster.partitions)
            }
            for result in try await admin.createTopics(topics).values { try result.get() }
        }
    }

    private func records(
        of topic: PipelineTopic,
        on cluster: PipelineCluster,
        _ isolationLevel: KafkaConsumer.IsolationLevel
    ) async throws -> [KafkaRecord] {
        try await self.records(named: topic.rawValue, on: cluster, isolationLevel)
    }

    private func records(
        named topic: String,
        on cluster: PipelineCluster,
        _ isolationLevel: KafkaConsumer.IsolationLevel
    ) async throws -> [KafkaRecord] {
        var configuration = KafkaConsumer.Configuration(bootstrapServers: cluster.bootstrapServers)
        configuration.isolationLevel = isolationLevel
        configuration.reportsEndOfPartition = true
        let places = (0..<PipelineCluster.partitions).map {
            (KafkaTopicPartition(topic: topic, partition: Int32($0)), KafkaOffset.beginning)
        }
        return try await withKafkaConsumer(
            configuration,
            assigned: Dictionary(uniqueKeysWithValues: places),
            logger: .silent
        ) { consumer in
            var records: [KafkaRecord] = []
            var ended: Set<KafkaTopicPartition> = []
            for try await batch in consumer.batches {
                records += batch.map { $0.detached() }
                ended.formUnion(batch.endOfPartitions.keys)
                if ended.count == places.count { break }
            }
            return records
        }
    }
}

/// The three services, each in a process of its own.
private final class ServiceProcesses {
    private let cluster: PipelineCluster
    private let guarantee: ProcessingGuarantee
    private var processes: [PipelineService: ChildProcess] = [:]

    init(_ cluster: PipelineCluster, _ guarantee: ProcessingGuarantee) throws {
        self.cluster = cluster
        self.guarantee = guarantee
        for service in PipelineService.allCases { try self.start(service) }
    }

    private func start(_ service: PipelineService) throws {
        let guarantee = self.guarantee == .exactlyOnce ? "exactly-once" : "at-least-once"
        self.processes[service] = try ChildProcess(
            "order-pipeline",
            [
                "service", service.rawValue, "--instance", "only", "--guarantee", guarantee, "-b",
                self.cluster.bootstrapServers[0],
            ]
        )
    }

    func killOneAndStartItAgain() async throws {
        guard let (service, process) = self.processes.randomElement() else { return }
        #expect(process.isRunning, "\(service) did not end by itself")
        try await process.crash()
        try self.start(service)
    }

    func stopAll() async throws {
        for (service, process) in self.processes {
            try await process.stop(SIGINT)
            #expect(process.ending.status == 130, "\(service)")
        }
    }

    func killAll() {
        for process in self.processes.values { process.send(SIGKILL) }
    }
}
