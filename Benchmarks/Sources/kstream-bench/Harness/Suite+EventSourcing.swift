extension Suite {
    /// A projection against a loop of inserts, with transactions of the same size.
    func projections() throws -> [Row] {
        try self.withWorkers(topics: ["project"]) { _, ours, _, topic in
            var round = Round(work: .fillWithEvents, topic: topic("project").name, partitions: self.sizes.partitions)
            round.records = self.sizes.projected
            _ = try ours.run(round)
            let measured = try self.interleave(["ours", "plain"]) { kind in
                round.work = kind == "ours" ? .project : .insertPlainly
                return try ours.run(round)
            }
            return [self.row("projection", "records/s", atLeast: 0.65, measured["ours"], measured["plain"])]
        }
    }

    /// The event store against a transaction for each event.
    func appends() throws -> [Row] {
        try self.withWorkers(topics: []) { _, ours, _, _ in
            var round = Round(work: .appendOne, topic: "", partitions: 0)
            round.records = self.sizes.appends
            let measured = try self.interleave(["one", "many", "plain"]) { kind in
                round.work = kind == "one" ? .appendOne : kind == "many" ? .appendMany : .appendPlainly
                return try ours.run(round)
            }
            return [
                self.row("append-one", "appends/s", atLeast: 0.3, measured["one"], measured["plain"]),
                self.row("append-many", "appends/s", atLeast: 2, measured["many"], measured["plain"]),
            ]
        }
    }

    /// Reading an entity of many events against a query, a decoder and a loop.
    func replays() throws -> [Row] {
        try self.withWorkers(topics: []) { _, ours, _, _ in
            var round = Round(work: .replayEntity, topic: "", partitions: 0)
            round.records = self.sizes.replayedEvents
            let measured = try self.interleave(["ours", "plain"]) { kind in
                round.work = kind == "ours" ? .replayEntity : .replayPlainly
                return try ours.run(round)
            }
            guard Set(measured.values.joined().map(\.checksum)).count == 1 else {
                throw BenchFailure(description: "the two sides did not come to the same state")
            }
            return [self.row("replay", "events/s", atLeast: 0.5, measured["ours"], measured["plain"])]
        }
    }

    /// Entities on Kafka against a processor without memory that sends as many records.
    func entityCommands() throws -> [Row] {
        let suffixes = ["", "-out"]
        return try self.withWorkers(topics: suffixes.map { "commands\($0)" }) { _, ours, _, topic in
            var round = Round(work: .fillWithEvents, topic: topic("commands").name, partitions: self.sizes.partitions)
            round.records = self.sizes.events
            _ = try ours.run(round)
            let measured = try self.interleave(["ours", "processor"]) { kind in
                round.work = kind == "ours" ? .handleCommands : .processExactlyOnce
                return try ours.run(round)
            }
            return [self.row("entity-commands", "commands/s", atLeast: 0.5, measured["ours"], measured["processor"])]
        }
    }

    /// What entities need in memory.
    func entityMemory() throws -> [Row] {
        try self.withWorkers(topics: ["deposits", "deposits-commands"]) { _, ours, _, topic in
            var round = Round(work: .fillWithDeposits, topic: topic("deposits").name, partitions: self.sizes.partitions)
            round.records = self.sizes.entities
            _ = try ours.run(round)
            round.work = .restoreEntities
            let measurement = try ours.run(round)
            progress(
                "entity-memory: \(round.records) entities restored in \(measurement.seconds) s, "
                    + "\(Int(measurement.median) / 1_000_000) MB"
            )
            return [
                Row(
                    "entity-memory",
                    unit: "bytes/entity",
                    comparison: .valueAtMost,
                    budget: 200,
                    ours: [measurement],
                    reference: [measurement],
                    figure: { $0.median / Double($0.records) }
                )
            ]
        }
    }

    private func row(
        _ name: String,
        _ unit: String,
        atLeast budget: Double,
        _ ours: [Measurement]?,
        _ reference: [Measurement]?
    ) -> Row {
        Row(
            name,
            unit: unit,
            comparison: .ratioAtLeast,
            budget: budget,
            ours: ours ?? [],
            reference: reference ?? [],
            figure: \.recordsPerSecond
        )
    }
}
