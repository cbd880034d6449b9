import EmbeddedKafka
import Foundation
import TestSupport
import Testing

@testable import KafkaClient

/// A run of the group "g" under load: who its members are, what became of them, and what they copied.
final class MemberRun {
    /// A record of the topic "out".
    struct Copy {
        /// Of the original in the topic "in".
        var offset: Int64
        /// Of the member that copied it.
        var name: String
    }

    static let partitions = 6
    private static let places = (0..<Int32(partitions)).map { KafkaTopicPartition(topic: "in", partition: $0) }

    private(set) var members: [MemberProcess] = []
    private(set) var crashes = 0
    private(set) var departures = 0
    private let guarantee: MemberProcess.Guarantee
    private let cluster: EmbeddedKafkaCluster
    private let load: Load
    private let end = ContinuousClock.now + FaultTests.duration
    /// What members said that have left.
    private var lines: [String] = []
    private var nextNumber = 1

    /// Begins with three members; `body` does to them what it likes. No process outlives the run.
    static func with(
        _ guarantee: MemberProcess.Guarantee,
        _ body: (MemberRun) async throws -> Void
    ) async throws {
        try await withCluster(topics: ["in": Self.partitions, "out": Self.partitions]) { cluster in
            let run = MemberRun(guarantee, cluster: cluster)
            do {
                for _ in 0..<3 { try run.add() }
                try await run.progress(beyond: [:])
                try await body(run)
            } catch {
                for member in run.members { await member.crash() }
                _ = try? await run.load.stop()
                throw error
            }
        }
    }

    private init(_ guarantee: MemberProcess.Guarantee, cluster: EmbeddedKafkaCluster) {
        self.guarantee = guarantee
        self.cluster = cluster
        self.load = Load(to: "in", partitions: Self.partitions, of: cluster)
    }

    /// Whether there is to be more trouble.
    var isOn: Bool { ContinuousClock.now < self.end }

    /// One more comes.
    func add() throws {
        self.members.append(try MemberProcess("member-\(self.nextNumber)", self.guarantee, of: self.cluster))
        self.nextNumber += 1
    }

    /// The oldest leaves as it should.
    func leave() async throws {
        try await self.stopFirst()
        self.departures += 1
    }

    private func stopFirst() async throws {
        let member = self.members.removeFirst()
        try await member.stop()
        self.lines += member.lines
    }

    /// The oldest is killed.
    func crash() async {
        await self.members.removeFirst().crash()
        self.crashes += 1
    }

    /// Where the group stands.
    func committed() async throws -> [KafkaTopicPartition: Int64] {
        let configuration = KafkaAdmin.Configuration(bootstrapServers: self.cluster.bootstrapServers)
        return try await withKafkaAdmin(configuration, logger: CapturedLog().makeLogger()) { admin in
            try await admin.listGroupOffsets("g", for: Self.places).mapValues { try $0.get().offset }
        }
    }

    /// Waits until the group has copied of each partition what can't have been on its way here.
    func progress(beyond offsets: [KafkaTopicPartition: Int64]) async throws {
        try await withKafkaAdmin(
            KafkaAdmin.Configuration(bootstrapServers: self.cluster.bootstrapServers),
            logger: CapturedLog().makeLogger()
        ) { admin in
            try await eventually(within: .seconds(60), "all partitions are copied") {
                let committed = try await admin.listGroupOffsets("g", for: Self.places)
                return try Self.places.allSatisfy { place in
                    try committed[place].map { try $0.get().offset > offsets[place, default: 0] + 2_500 } ?? false
                }
            }
        }
    }

    /// Ends the load, waits until all is copied, and lets the members leave.
    ///
    /// - Returns: what was sent, and what the members said that were not killed.
    func finish() async throws -> (sent: Load.Sent, lines: [String]) {
        let sent = try await self.load.stop()
        try await eventually(within: .seconds(120), "all is copied") {
            let committed = try await self.committed()
            return Self.places.allSatisfy { committed[$0] == Int64(sent.perPartition[Int($0.partition)]) }
        }
        while !self.members.isEmpty { try await self.stopFirst() }
        return (sent, self.lines)
    }

    /// The copies of each partition, in their order.
    func copies(_ isolationLevel: KafkaConsumer.IsolationLevel = .readCommitted) async throws -> [[Copy]] {
        var copies: [[Copy]] = Array(repeating: [], count: Self.partitions)
        for record in try await self.cluster.allRecords(of: "out", partitions: Self.partitions, isolationLevel) {
            let parts = try #require(record.valueString).split(separator: " ")
            try #require(parts.count == 2)
            let offset = try #require(Int64(parts[0]))
            copies[Int(record.partition)].append(Copy(offset: offset, name: String(parts[1])))
        }
        return copies
    }
}
