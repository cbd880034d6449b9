/// The text of a progress bar at one moment.
struct ProgressLine {
    var label: String
    var done: Int
    var total: Int?
    var note: String
    var elapsed: Duration
    var isFinished: Bool

    /// The line for a terminal, no longer than the given width.
    func bar(width: Int) -> String {
        let figures = self.figures
        guard let fraction = self.fraction else { return String("\(self.label)  \(figures)".prefix(max(0, width))) }
        let room = min(24, width - self.label.count - figures.count - 6)
        guard room >= 10 else { return String("\(self.label)  \(figures)".prefix(max(0, width))) }
        let filled = Int(Double(room) * fraction)
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: room - filled)
        return "\(self.label)  [\(bar)]  \(figures)"
    }

    /// The line for a log.
    var sentence: String { "\(self.label): \(self.figures)" }

    private var fraction: Double? {
        guard let total = self.total, total > 0 else { return nil }
        return min(1, max(0, Double(self.done) / Double(total)))
    }

    private var seconds: Double {
        Double(self.elapsed.components.seconds) + Double(self.elapsed.components.attoseconds) * 1e-18
    }

    private var figures: String {
        var parts: [String] = []
        if let fraction = self.fraction, let total = self.total {
            parts.append("\(Int(fraction * 100))%")
            parts.append("\(self.done.grouped)/\(total.grouped)")
        } else {
            parts.append(self.done.grouped)
        }
        let rate = self.seconds > 0 ? Double(self.done) / self.seconds : 0
        parts.append("\(Int(min(rate, 1e15)).grouped)/s")
        if self.isFinished {
            parts.append("in \(Self.time(self.seconds))")
        } else if let total = self.total, rate > 0, self.done < total {
            parts.append("\(Self.time(Double(total - self.done) / rate)) left")
        }
        if !self.note.isEmpty { parts.append(self.note) }
        return parts.joined(separator: "  ")
    }

    private static func time(_ seconds: Double) -> String {
        if seconds < 10 { return "\(Double(Int(seconds * 10)) / 10) s" }
        let whole = Int(min(seconds, 359_999_999))
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole / 3600) h \(whole % 3600 / 60) min"
    }
}

extension BinaryInteger {
    /// The number with its digits in groups of three: `1,234,567`.
    package var grouped: String {
        let digits = String(self.magnitude)
        var text = self < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text
    }
}
