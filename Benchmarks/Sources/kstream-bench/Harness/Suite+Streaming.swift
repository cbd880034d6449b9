extension Suite {
    /// Typed messages against a decoder and a loop, both in Swift.
    func decodeJSON() throws -> [Row] {
        try self.withWorkers(topics: ["decode"]) { _, ours, _, topic in
            var round = Round(work: .fillWithEvents, topic: topic("decode").name, partitions: self.sizes.partitions)
            round.records = self.sizes.events
            _ = try ours.run(round)
            let measured = try self.interleave([Self.messages, Self.plain]) { kind in
                round.work = kind == Self.messages ? .decodeMessages : .decodePlainly
                return try ours.run(round)
            }
            guard Set(measured.values.joined().map(\.checksum)).count == 1 else {
                throw BenchFailure(description: "the two sides did not read the same events")
            }
            return [
                Row(
                    "decode-json",
                    unit: "records/s",
                    comparison: .ratioAtLeast,
                    budget: 0.7,
                    ours: measured[Self.messages] ?? [],
                    reference: measured[Self.plain] ?? [],
                    figure: \.recordsPerSecond
                )
            ]
        }
    }

    /// A processor exactly once against the same one at least once.
    func processors() throws -> [Row] {
        try self.withWorkers(topics: ["process", "process-out"]) { _, ours, _, topic in
            var round = Round(work: .fillWithEvents, topic: topic("process").name, partitions: self.sizes.partitions)
            round.records = self.sizes.events
            _ = try ours.run(round)
            let measured = try self.interleave([Self.exactlyOnce, Self.atLeastOnce]) { kind in
                round.work = kind == Self.exactlyOnce ? .processExactlyOnce : .processAtLeastOnce
                return try ours.run(round)
            }
            return [
                Row(
                    "exactly-once",
                    unit: "records/s",
                    comparison: .ratioAtLeast,
                    budget: 0.7,
                    ours: measured[Self.exactlyOnce] ?? [],
                    reference: measured[Self.atLeastOnce] ?? [],
                    figure: \.recordsPerSecond
                )
            ]
        }
    }

    private static let messages = "messages"
    private static let plain = "plain"
    private static let exactlyOnce = "exactly once"
    private static let atLeastOnce = "at least once"
}
