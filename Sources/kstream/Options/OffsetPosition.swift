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

    var description: String { self.upper.map { "\(self.lower):\($0)" } ?? "\(self.lower)" }
}
