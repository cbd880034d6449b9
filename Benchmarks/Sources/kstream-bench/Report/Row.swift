import Foundation

/// One result: ours, the reference's, and what the budget asks for.
struct Row {
    /// What is compared with the budget.
    enum Comparison: String {
        /// Ours divided by the reference's, which must reach the budget.
        case ratioAtLeast = "ratio at least"
        /// Ours divided by the reference's, which must not exceed the budget.
        case ratioAtMost = "ratio at most"
        /// Ours alone, which must not exceed the budget.
        case valueAtMost = "value at most"
        /// Ours less the reference's, which must not exceed the budget by more than a hundredth.
        case differenceAtMost = "difference at most"
    }

    var name: String
    var unit: String
    var comparison: Comparison
    var budget: Double
    /// The median of our rounds.
    var ours: Double
    /// The median of the reference's rounds.
    var reference: Double
    /// The same comparison for each round by itself.
    var rounds: [Double]
    /// Our processor time for a record as a ratio to the reference's, from the medians.
    var cpu: Double

    init(
        _ name: String,
        unit: String,
        comparison: Comparison,
        budget: Double,
        ours: [Measurement],
        reference: [Measurement],
        figure: (Measurement) -> Double
    ) {
        self.name = name
        self.unit = unit
        self.comparison = comparison
        self.budget = budget
        self.ours = ours.map(figure).median
        self.reference = reference.map(figure).median
        self.rounds =
            comparison == .valueAtMost
            ? ours.map(figure) : zip(ours, reference).map { comparison.value(figure($0), figure($1)) }
        self.cpu = ours.map(\.cpuPerRecord).median / reference.map(\.cpuPerRecord).median
    }

    /// The ratio, or the difference or the value where the budget is one.
    var ratio: Double { self.comparison.value(self.ours, self.reference) }

    var isMet: Bool {
        switch self.comparison {
        case .ratioAtLeast: self.ratio >= self.budget
        case .ratioAtMost, .valueAtMost: self.ratio <= self.budget
        // A batch has a few allocations of its own, which its records share.
        case .differenceAtMost: self.ratio <= self.budget + 0.01
        }
    }
}

extension Row.Comparison {
    fileprivate func value(_ ours: Double, _ reference: Double) -> Double {
        switch self {
        case .ratioAtLeast, .ratioAtMost: ours / reference
        case .differenceAtMost: ours - reference
        case .valueAtMost: ours
        }
    }
}

extension Measurement {
    var recordsPerSecond: Double { Double(self.records) / self.seconds }

    fileprivate var cpuPerRecord: Double { self.cpuSeconds / Double(max(1, self.records)) }
}

extension [Double] {
    fileprivate var median: Double {
        let sorted = self.sorted()
        guard !sorted.isEmpty else { return .nan }
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
