import CMeasurement

extension Suite {
    private static let batches = "batches"
    private static let records = "records"
    private static let reference = "reference"

    /// Reading what is already fetched: the client's own cost.
    func consumeFetched() throws -> [Row] {
        try self.consume(isFetchedFirst: true, suffix: "") { ours, reference, round in
            guard self.isSelected("allocations-per-record") else { return [] }
            guard measurement_allocations_supported() else {
                progress("allocations-per-record: allocations are counted with glibc only")
                return []
            }
            var round = round
            round.countsAllocations = true
            return [
                Row(
                    "allocations-per-record",
                    unit: "allocations",
                    comparison: .differenceAtMost,
                    budget: 0,
                    ours: [try ours.run(round)],
                    reference: [try reference.run(round)],
                    figure: { Double($0.allocations) / Double($0.records) }
                )
            ]
        }
    }

    /// Reading while librdkafka fetches: mostly the broker's cost.
    func consumeEndToEnd() throws -> [Row] {
        try self.consume(isFetchedFirst: false, suffix: "-end-to-end") { _, _, _ in [] }
    }

    private func consume(
        isFetchedFirst: Bool,
        suffix: String,
        _ others: (_ ours: Worker, _ reference: Worker, _ round: Round) throws -> [Row]
    ) throws -> [Row] {
        try self.withWorkers(topics: ["consume"]) { broker, ours, reference, topic in
            try broker.fill(topic("consume"), recordsPerPartition: self.sizes.recordsPerPartition)
            var round = Round(work: .consumeBatches, topic: topic("consume").name, partitions: self.sizes.partitions)
            round.records = self.sizes.consumes
            round.isFetchedFirst = isFetchedFirst
            var kinds = [Self.reference]
            if self.isSelected("consume-batches" + suffix) { kinds.append(Self.batches) }
            if self.isSelected("consume-records" + suffix) { kinds.append(Self.records) }

            let measured = try self.interleave(kinds) { kind in
                round.work = kind == Self.records ? .consumeRecords : .consumeBatches
                return try (kind == Self.reference ? reference : ours).run(round)
            }
            try self.check(measured, isFetchedFirst: isFetchedFirst)
            round.work = .consumeBatches
            return self.rows(measured, suffix: suffix) + (try others(ours, reference, round))
        }
    }

    private func rows(_ measured: [String: [Measurement]], suffix: String) -> [Row] {
        let reference = measured[Self.reference] ?? []
        return [(Self.batches, 0.85), (Self.records, 0.8)].compactMap { kind, budget in
            guard let ours = measured[kind] else { return nil }
            return Row(
                "consume-\(kind)\(suffix)",
                unit: "records/s",
                comparison: .ratioAtLeast,
                budget: budget,
                ours: ours,
                reference: reference,
                figure: \.recordsPerSecond
            )
        }
    }

    /// Whether all rounds saw the same records, and whether those were there already.
    private func check(_ measured: [String: [Measurement]], isFetchedFirst: Bool) throws {
        guard Set(measured.values.joined().map(\.checksum)).count == 1 else {
            throw BenchFailure(description: "the two sides did not read the same records")
        }
        guard isFetchedFirst else { return }
        let allowed = self.sizes.consumes / Round.batchSize / 20 + 1
        for (kind, rounds) in measured where rounds.contains(where: { $0.shortBatches > allowed }) {
            progress("consume-batches: a round of \(kind) had not fetched everything when it started to read")
        }
    }
}
