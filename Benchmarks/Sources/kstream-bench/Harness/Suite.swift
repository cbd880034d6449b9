import Foundation

/// All benchmarks, in groups that share a broker, a worker of each side and the reference's rounds.
struct Suite {
    var sizes: Sizes
    var rounds: Int
    /// What the client is measured on.
    var broker: Broker.Kind
    /// Beginnings of the names of the rows that are wanted; empty for all.
    var selection: [String]
    /// Whether each measurement is told on standard error.
    var isVerbose = false

    /// The names of all rows, in the order of the output.
    static let rowNames = groups.flatMap(\.rows)

    /// Rows that are measured together.
    struct Group: Sendable {
        var rows: [String]
        var run: @Sendable (Suite) throws -> [Row]
    }

    static let groups = [
        Group(rows: ["consume-batches", "consume-records", "allocations-per-record"]) { try $0.consumeFetched() },
        Group(rows: ["consume-batches-end-to-end", "consume-records-end-to-end"]) { try $0.consumeEndToEnd() },
        Group(rows: ["produce-batches"]) { try $0.produceBatches() },
        Group(rows: ["tasks-10000", "receipts"]) { try $0.produceSingly() },
        Group(rows: ["send-median", "send-p99"]) { try $0.sendAwaited() },
        Group(rows: ["transactions-100"]) { try $0.transactions() },
        Group(rows: ["decode-json"]) { try $0.decodeJSON() },
        Group(rows: ["exactly-once"]) { try $0.processors() },
        Group(rows: ["projection"]) { try $0.projections() },
        Group(rows: ["append-one", "append-many"]) { try $0.appends() },
        Group(rows: ["replay"]) { try $0.replays() },
        Group(rows: ["entity-commands"]) { try $0.entityCommands() },
        Group(rows: ["entity-memory"]) { try $0.entityMemory() },
        Group(rows: ["idle"]) { try $0.idle() },
        Group(rows: ["broker-start", "broker-reset"]) { try $0.brokerStart() },
        Group(rows: ["broker-produce", "broker-fetch", "broker-send-median"]) { try $0.brokerAgainstMock() },
        Group(rows: ["broker-idle"]) { try $0.brokerIdle() },
    ]

    func isSelected(_ row: String) -> Bool {
        self.selection.isEmpty || self.selection.contains { row.hasPrefix($0) }
    }

    /// Runs what is selected and hands each result over as it is there.
    func run(_ body: (Row) -> Void) throws {
        for group in Self.groups where group.rows.contains(where: self.isSelected) {
            let start = Date()
            let rows = try group.run(self).filter { self.isSelected($0.name) }
            progress("\(group.rows.joined(separator: ", ")): \(Int(Date().timeIntervalSince(start).rounded())) s")
            rows.forEach(body)
        }
    }

    /// What a reader of the figures needs to know.
    var notes: [String] {
        return [
            "Measured on \(self.broker.note).",
            "ratio: median of ours to median of the reference, over interleaved rounds; "
                + "rounds: the ratios of single rounds; cpu: the ratio of processor time.",
            "consume-batches and consume-records read what is already fetched: they measure the client, "
                + "the end-to-end ones mostly the broker. See Benchmarks/README.md.",
            "The rows of the broker measure the embedded broker (ours) and librdkafka's mock (reference) by the same C program; "
                + "broker-start, broker-reset and broker-idle have no reference.",
        ]
    }

    /// Runs a body with a broker that has some topics, and both workers.
    func withWorkers<R>(
        topics: [String],
        on kind: Broker.Kind? = nil,
        _ body: (_ broker: Broker, _ ours: Worker, _ reference: Worker, _ topic: (String) -> Broker.Topic) throws -> R
    ) throws -> R {
        let prefix = "kstream-bench-\(ProcessInfo.processInfo.processIdentifier)-\(UInt32.random(in: 0...UInt32.max))-"
        func topic(_ name: String) -> Broker.Topic {
            Broker.Topic(name: prefix + name, partitions: self.sizes.partitions)
        }
        let broker = try Broker(kind ?? self.broker, topics: topics.map(topic))
        defer { broker.stop() }
        let ours = try Worker(.ours, broker: broker, isVerbose: self.isVerbose)
        defer { ours.stop() }
        let reference = try Worker(.reference, broker: broker, isVerbose: self.isVerbose)
        defer { reference.stop() }
        return try body(broker, ours, reference, topic)
    }

    /// Measures kinds of work by turns: a round that is thrown away, then `rounds` times `factor` that count.
    ///
    /// The order within a round turns too, so that no side always runs behind the same other one.
    func interleave(
        _ kinds: [String],
        factor: Int = 1,
        _ measure: (_ kind: String) throws -> Measurement
    ) rethrows
        -> [String: [Measurement]]
    {
        var measurements: [String: [Measurement]] = [:]
        for round in 0...self.rounds * factor {
            let first = round % kinds.count
            for kind in kinds[first...] + kinds[..<first] {
                let measurement = try measure(kind)
                if round > 0 { measurements[kind, default: []].append(measurement) }
            }
        }
        return measurements
    }
}
