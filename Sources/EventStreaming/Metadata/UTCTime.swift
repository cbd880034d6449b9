#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// A moment in UTC, to the millisecond, from the year 1 to the year 9999.
///
/// In JSON it is an RFC 3339 string, written with `Z`: `2010-12-01T08:26:00Z`.
public struct UTCTime: Sendable, Hashable, Comparable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    public let millisecondsSince1970: Int64

    /// Makes a moment of milliseconds since 1970-01-01T00:00:00Z.
    /// - Returns: `nil` before the year 1 and after the year 9999.
    public init?(millisecondsSince1970: Int64) {
        guard Self.range.contains(millisecondsSince1970) else { return nil }
        self.millisecondsSince1970 = millisecondsSince1970
    }

    /// Reads `2010-12-01T08:26:00Z`, as RFC 3339 has it: with decimals of a second, of which milliseconds are kept, and with
    /// another offset than `Z`.
    /// - Returns: `nil` for any other form and for moments that don't exist.
    public init?(rfc3339 text: some Collection<UInt8>) {
        var bytes = Array(text)
        guard bytes.count >= 20, let offset = Self.takeOffset(from: &bytes), bytes.count >= 19 else { return nil }
        var milliseconds = 0
        if bytes.count > 19 {
            let decimals = bytes[20...]
            guard bytes[19] == UInt8(ascii: "."), (1...9).contains(decimals.count), Self.number(decimals) != nil,
                let value = Self.number(decimals.prefix(3))
            else { return nil }
            milliseconds = [100, 10, 1][min(decimals.count, 3) - 1] * value
        }
        // Small letters are allowed (RFC 3339, section 5.6).
        if bytes[10] == UInt8(ascii: "t") { bytes[10] = UInt8(ascii: "T") }
        guard let local = Self(dateTime: bytes[..<19], separator: UInt8(ascii: "T"), milliseconds: milliseconds) else {
            return nil
        }
        self.init(millisecondsSince1970: local.millisecondsSince1970 - Int64(offset) * 60_000)
    }

    /// Removes `Z`, `+02:00` or `-02:00` from the end; the answer is in minutes.
    private static func takeOffset(from bytes: inout [UInt8]) -> Int? {
        if let last = bytes.last, last == UInt8(ascii: "Z") || last == UInt8(ascii: "z") {
            bytes.removeLast()
            return 0
        }
        let offset = Array(bytes.suffix(6))
        guard offset[0] == UInt8(ascii: "+") || offset[0] == UInt8(ascii: "-"), offset[3] == UInt8(ascii: ":"),
            let hours = Self.number(offset[1...2]), let minutes = Self.number(offset[4...5]), hours < 24, minutes < 60
        else { return nil }
        bytes.removeLast(6)
        return (offset[0] == UInt8(ascii: "+") ? 1 : -1) * (hours * 60 + minutes)
    }

    /// From the first to the last millisecond that can be written.
    private static let range = Int64(-62_135_596_800_000)...Int64(253_402_300_799_999)

    /// Reads `2010-12-01 08:26:00` as UTC, the form of the Online Retail data.
    /// - Returns: `nil` for any other form and for moments that don't exist.
    public init?(dateTime text: some Collection<UInt8>) {
        self.init(dateTime: Array(text)[...], separator: UInt8(ascii: " "), milliseconds: 0)
    }

    /// - Parameter bytes: Date and time to the second, 19 bytes counted from index 0.
    private init?(dateTime bytes: ArraySlice<UInt8>, separator: UInt8, milliseconds: Int) {
        let dash = UInt8(ascii: "-")
        let colon = UInt8(ascii: ":")
        guard bytes.count == 19, bytes[4] == dash, bytes[7] == dash, bytes[10] == separator, bytes[13] == colon,
            bytes[16] == colon, let year = Self.number(bytes[0..<4]), let month = Self.number(bytes[5..<7]),
            let day = Self.number(bytes[8..<10]), let hour = Self.number(bytes[11..<13]),
            let minute = Self.number(bytes[14..<16]), let second = Self.number(bytes[17..<19]),
            year >= 1, (1...12).contains(month), day >= 1, day <= Self.days(inMonth: month, of: year),
            hour < 24, minute < 60, second < 60
        else { return nil }
        let days = Self.days(before: year) + (1..<month).reduce(0) { $0 + Self.days(inMonth: $1, of: year) } + day - 1
        let seconds = (days - Self.days(before: 1970)) * 86_400 + hour * 3600 + minute * 60 + second
        self.millisecondsSince1970 = Int64(seconds * 1000 + milliseconds)
    }

    /// The time of the system's clock.
    public static var now: UTCTime {
        // No clock is set beyond the year 9999, or nothing would work.
        UTCTime(millisecondsSince1970: Int64(Date().timeIntervalSince1970 * 1000)) ?? .distantFuture
    }

    private static let distantFuture = UTCTime(unchecked: range.upperBound)

    private init(unchecked milliseconds: Int64) {
        self.millisecondsSince1970 = milliseconds
    }

    /// The moment so much later, to the millisecond; the first or last one that can be written where there is none.
    public func advanced(by duration: Duration) -> UTCTime {
        let (seconds, attoseconds) = duration.components
        let milliseconds = Int128(seconds) * 1000 + Int128(attoseconds / 1_000_000_000_000_000)
        let sum = Int128(self.millisecondsSince1970) + milliseconds
        let clamped = min(max(sum, Int128(Self.range.lowerBound)), Int128(Self.range.upperBound))
        return UTCTime(unchecked: Int64(clamped))
    }

    /// Whether the left moment is earlier.
    public static func < (left: UTCTime, right: UTCTime) -> Bool {
        left.millisecondsSince1970 < right.millisecondsSince1970
    }

    /// The calendar month, `2010-12`.
    public var month: String { String(self.description.prefix(7)) }

    // MARK: Calendar

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        var value = 0
        for byte in digits {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return value
    }

    private static func isLeap(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    private static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 2: self.isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 0001-01-01 to the first day of the year (Gregorian calendar).
    private static func days(before year: Int) -> Int {
        let past = year - 1
        return past * 365 + past / 4 - past / 100 + past / 400
    }
}

extension UTCTime: CustomStringConvertible {
    /// The moment as RFC 3339; milliseconds only where there are any.
    public var description: String {
        // Counted from 0001-01-01, so that nothing is negative.
        let milliseconds = Int(self.millisecondsSince1970) + Self.days(before: 1970) * 86_400_000
        var day = milliseconds / 86_400_000
        var year = day / 366 + 1
        while Self.days(before: year + 1) <= day { year += 1 }
        day -= Self.days(before: year)
        var month = 1
        while day >= Self.days(inMonth: month, of: year) {
            day -= Self.days(inMonth: month, of: year)
            month += 1
        }
        let second = milliseconds / 1000 % 86_400
        let date = "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day + 1, 2))"
        let time = [second / 3600, second / 60 % 60, second % 60].map { Self.padded($0, 2) }.joined(separator: ":")
        let rest = milliseconds % 1000
        return "\(date)T\(time)" + (rest == 0 ? "" : ".\(Self.padded(rest, 3))") + "Z"
    }

    private static func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension UTCTime: Codable {
    /// Reads the RFC 3339 string.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let time = UTCTime(rfc3339: text.utf8) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "expected a time such as 2010-12-01T08:26:00Z"
            )
        }
        self = time
    }

    /// Writes the RFC 3339 string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.description)
    }
}
