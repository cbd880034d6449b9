internal import ArgumentParser
internal import KafkaClient

/// A place in a partition's log, as written on the command line: `start`, `end`, `N`, `+N` or `-N`.
///
/// It is one grammar for all commands.
enum OffsetPosition: ExpressibleByArgument, Hashable, CustomStringConvertible {
    /// `start`: the oldest record that the log still holds.
    case start
    /// `end`: behind the newest record.
    case end
    /// `N`: the record with this offset.
    case absolute(Int64)
    /// `+N`: this many records behind the oldest.
    case afterStart(Int64)
    /// `-N`: this many records before the end.
    case beforeEnd(Int64)

    init?(argument: String) {
        switch argument {
        case "start": self = .start
        case "end": self = .end
        default:
            let digits = argument.first == "+" || argument.first == "-" ? argument.dropFirst() : argument[...]
            // `Int64` alone would take a second sign.
            guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let number = Int64(digits)
            else { return nil }
            switch argument.first {
            case "+": self = .afterStart(number)
            case "-": self = .beforeEnd(number)
            default: self = .absolute(number)
            }
        }
    }

    var description: String {
        switch self {
        case .start: "start"
        case .end: "end"
        case .absolute(let offset): "\(offset)"
        case .afterStart(let count): "+\(count)"
        case .beforeEnd(let count): "-\(count)"
        }
    }

    /// The same place in one way of writing it.
    fileprivate var normalized: OffsetPosition {
        switch self {
        case .afterStart(0): .start
        case .beforeEnd(0): .end
        default: self
        }
    }

    /// The offset in a log with these ends. It may lie outside of them; a count beyond all numbers is held at their end.
    func offset(in watermarks: KafkaWatermarks) -> Int64 {
        switch self {
        case .start: return watermarks.low
        case .end: return watermarks.high
        case .absolute(let offset): return offset
        case .afterStart(let count):
            let (sum, overflows) = watermarks.low.addingReportingOverflow(count)
            return overflows ? .max : sum
        case .beforeEnd(let count): return watermarks.high - count
        }
    }
}

/// A part of a partition's log: a position to begin at, or `A:B`, which ends before B.
struct OffsetRange: ExpressibleByArgument, Hashable, CustomStringConvertible {
    var lower: OffsetPosition
    var upper: OffsetPosition?

    init(from lower: OffsetPosition, to upper: OffsetPosition? = nil) {
        self.lower = lower
        self.upper = upper
    }

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let lower = OffsetPosition(argument: String(parts[0])) else { return nil }
        self.init(from: lower)
        if parts.count == 2 {
            guard let upper = OffsetPosition(argument: String(parts[1])) else { return nil }
            self.upper = upper
        }
    }

    /// Whether the range ends before it begins in every log there can be. An empty one (`3:3`) is none of these.
    var isImpossible: Bool {
        guard let upper = self.upper?.normalized else { return false }
        let lower = self.lower.normalized
        guard lower != upper else { return false }
        switch (lower, upper) {
        case (_, .start), (_, .absolute(0)): return true
        case (.absolute(let first), .absolute(let last)): return first > last
        case (.afterStart(let first), .afterStart(let last)): return first > last
        case (.beforeEnd(let first), .beforeEnd(let last)): return first < last
        case (.end, .beforeEnd): return true
        default: return false
        }
    }

    var description: String { self.upper.map { "\(self.lower):\($0)" } ?? "\(self.lower)" }
}
