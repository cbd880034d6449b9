extension Suite {
    /// Batches of 1,000, as many without acknowledgement on both sides.
    func produceBatches() throws -> [Row] {
        let measured = try self.produce(
            [.init(side: .ours, work: .produceBatches), .reference(.produceBatches)],
            factor: 2
        )
        return [
            self.rate("produce-batches", budget: 0.85, ours: measured[0], reference: measured[1])
        ]
    }

    /// Single records: 10,000 awaiting tasks and receipts, both against C's plain produce.
    func produceSingly() throws -> [Row] {
        let measured = try self.produce(
            [
                .init(side: .ours, work: .tasks), .init(side: .ours, work: .receipts), .reference(.produce),
            ],
            factor: 2
        )
        return [
            self.rate("tasks-10000", budget: 0.25, ours: measured[0], reference: measured[2]),
            self.rate("receipts", budget: 0.5, ours: measured[1], reference: measured[2]),
        ]
    }

    /// One record at a time, without linger.
    func sendAwaited() throws -> [Row] {
        let measured = try self.produce([.init(side: .ours, work: .latency), .reference(.latency)], factor: 3)
        return [
            Row(
                "send-median",
                unit: "us",
                comparison: .ratioAtMost,
                budget: 1.1,
                ours: measured[0],
                reference: measured[1],
                figure: \.median
            ),
            Row(
                "send-p99",
                unit: "us",
                comparison: .ratioAtMost,
                budget: 1.5,
                ours: measured[0],
                reference: measured[1],
                figure: \.percentile99
            ),
        ]
    }

    /// Transactions of 100 records, one after the other.
    func transactions() throws -> [Row] {
        let measured = try self.produce(
            [.init(side: .ours, work: .transactions), .reference(.transactions)],
            factor: 1
        )
        return [
            Row(
                "transactions-100",
                unit: "transactions/s",
                comparison: .ratioAtLeast,
                budget: 0.85,
                ours: measured[0],
                reference: measured[1],
                figure: { $0.recordsPerSecond / Double(Round.transactionSize) }
            )
        ]
    }

    /// One side's kind of work.
    private struct Kind {
        var side: WorkerCommand.Side
        var work: Round.Work

        static func reference(_ work: Round.Work) -> Kind { Kind(side: .reference, work: work) }

        var name: String { "\(self.side.rawValue)-\(self.work.rawValue)" }
    }

    /// Measures kinds of work by turns, each on a topic of its own: brokers drop what is old beyond some megabytes.
    ///
    /// - Parameter factor: how many times the suite's rounds; what is short or unsteady gets more.
    private func produce(_ kinds: [Kind], factor: Int) throws -> [[Measurement]] {
        try self.withWorkers(topics: kinds.map(\.name)) { _, ours, reference, topic in
            let measured = try self.interleave(kinds.map(\.name), factor: factor) { name in
                let kind = kinds.first { $0.name == name } ?? kinds[0]
                let round = Round(
                    work: kind.work,
                    topic: topic(name).name,
                    partitions: self.sizes.partitions,
                    records: self.records(of: kind.work)
                )
                return try (kind.side == .ours ? ours : reference).run(round)
            }
            return kinds.map { measured[$0.name] ?? [] }
        }
    }

    private func records(of work: Round.Work) -> Int {
        switch work {
        case .latency: self.sizes.awaitedSends
        case .transactions: self.sizes.transactions * Round.transactionSize
        default: self.sizes.sends
        }
    }

    private func rate(_ name: String, budget: Double, ours: [Measurement], reference: [Measurement]) -> Row {
        Row(
            name,
            unit: "records/s",
            comparison: .ratioAtLeast,
            budget: budget,
            ours: ours,
            reference: reference,
            figure: \.recordsPerSecond
        )
    }
}
