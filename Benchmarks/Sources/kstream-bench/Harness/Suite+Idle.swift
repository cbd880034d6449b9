extension Suite {
    /// A producer and a consumer of each side that have nothing to do, at the same time.
    func idle() throws -> [Row] {
        try self.withWorkers(topics: ["ours", "reference"]) { _, ours, reference, topic in
            var round = Round(work: .idle, topic: topic("ours").name, partitions: self.sizes.partitions)
            round.seconds = self.sizes.idleSeconds
            try ours.start(round)
            round.topic = topic("reference").name
            try reference.start(round)
            return [
                Row(
                    "idle",
                    unit: "% of a core",
                    comparison: .ratioAtMost,
                    budget: 1.25,
                    ours: [try ours.finish()],
                    reference: [try reference.finish()],
                    figure: { $0.cpuSeconds / $0.seconds * 100 }
                )
            ]
        }
    }
}
