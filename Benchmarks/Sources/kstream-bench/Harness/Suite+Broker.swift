import CMeasurement

/// The embedded broker: how soon it is there, how fast it is beside librdkafka's mock, and what it costs when idle.
extension Suite {
    /// From nothing to the first acknowledged record, and from a cluster that was used to an empty one, in one process.
    func brokerStart() throws -> [Row] {
        try self.withWorkers(topics: [], on: .mock) { _, ours, _, _ in
            let works = ["broker-start": Round.Work.brokerStart, "broker-reset": .brokerReset]
            let kinds = works.keys.filter(self.isSelected).sorted()
            let measured = try self.interleave(kinds, factor: 3) { kind in
                try ours.run(Round(work: works[kind] ?? .brokerStart, topic: "first", partitions: 1))
            }
            return kinds.map { kind in
                Row(
                    kind,
                    unit: "ms",
                    comparison: .valueAtMost,
                    budget: kind == "broker-start" ? 100 : 20,
                    ours: measured[kind] ?? [],
                    reference: [],
                    figure: { $0.seconds * 1000 }
                )
            }
        }
    }

    /// The same work of the same C program on both brokers by turns. There is one copy of the data on each.
    func brokerAgainstMock() throws -> [Row] {
        let topics = ["produce", "fetch", "send"]
        return try self.withWorkers(topics: topics, on: .embedded(nodes: 1)) { embedded, _, onEmbedded, topic in
            try self.withWorkers(topics: topics, on: .mock) { mock, _, onMock, mockTopic in
                try embedded.fill(topic("fetch"), recordsPerPartition: self.sizes.recordsPerPartition)
                try mock.fill(mockTopic("fetch"), recordsPerPartition: self.sizes.recordsPerPartition)
                let works: [(topic: String, work: Round.Work, records: Int)] = [
                    ("produce", .produceBatches, self.sizes.sends),
                    ("fetch", .consumeBatches, self.sizes.consumes),
                    ("send", .latency, self.sizes.awaitedSends),
                ]
                var rows: [Row] = []
                for work in works where self.isSelected(Self.rowName(of: work.work)) {
                    let measured = try self.interleave(["embedded", "mock"]) { kind in
                        let isEmbedded = kind == "embedded"
                        let name = isEmbedded ? topic(work.topic).name : mockTopic(work.topic).name
                        var round = Round(work: work.work, topic: name, partitions: self.sizes.partitions)
                        round.records = work.records
                        return try (isEmbedded ? onEmbedded : onMock).run(round)
                    }
                    rows.append(self.row(of: work.work, measured["embedded"] ?? [], measured["mock"] ?? []))
                }
                return rows
            }
        }
    }

    private static func rowName(of work: Round.Work) -> String {
        switch work {
        case .produceBatches: "broker-produce"
        case .latency: "broker-send-median"
        default: "broker-fetch"
        }
    }

    private func row(of work: Round.Work, _ embedded: [Measurement], _ mock: [Measurement]) -> Row {
        let isTime = work == .latency
        return Row(
            Self.rowName(of: work),
            unit: isTime ? "us" : "records/s",
            comparison: isTime ? .ratioAtMost : .ratioAtLeast,
            budget: 1,
            ours: embedded,
            reference: mock,
            figure: isTime ? \.median : \.recordsPerSecond
        )
    }

    /// Three nodes that clients have used and left.
    func brokerIdle() throws -> [Row] {
        try self.withWorkers(topics: ["idle"], on: .embedded(nodes: 3)) { broker, ours, reference, topic in
            var round = Round(work: .idle, topic: topic("idle").name, partitions: self.sizes.partitions)
            round.seconds = self.sizes.idleSeconds
            try ours.start(round)
            try reference.start(round)
            _ = (try ours.finish(), try reference.finish())
            var measurement = Measurement()
            measurement.seconds = self.sizes.idleSeconds
            let before = try broker.processorTime()
            measurement_wait(measurement.seconds)
            measurement.cpuSeconds = try broker.processorTime() - before
            return [
                Row(
                    "broker-idle",
                    unit: "% of a core",
                    comparison: .valueAtMost,
                    budget: 0.2,
                    ours: [measurement],
                    reference: [],
                    figure: { $0.cpuSeconds / $0.seconds * 100 }
                )
            ]
        }
    }
}
