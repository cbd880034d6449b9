/// An amount of money: an exact number of thousandths of a pound, never floating point.
///
/// Thousandths, because the data has prices of a tenth of a penny. In JSON it is the bare integer.
public struct Money: Sendable, Hashable, Comparable {
    /// The amount in thousandths of a pound: 2550 is £2.55.
    public var thousandths: Int64

    /// Makes an amount from thousandths of a pound.
    public init(thousandths: Int64) {
        self.thousandths = thousandths
    }

    /// Reads a decimal number of pounds with up to three decimals: `2.55`, `-11062.06`, `7`.
    ///
    /// - Parameter text: ASCII digits, at most one leading `-`, and a decimal point only between digits.
    /// - Returns: `nil` for any other form, and for amounts that 64 bits don't hold.
    public init?(pounds text: some Collection<UInt8>) {
        let isNegative = text.first == UInt8(ascii: "-")
        var thousandths: Int64 = 0
        var wholeDigits = 0
        var decimals: Int?
        for byte in isNegative ? text.dropFirst() : text[...] {
            if byte == UInt8(ascii: "."), decimals == nil, wholeDigits > 0 {
                decimals = 0
                continue
            }
            guard let next = thousandths.appending(digit: byte, isNegative: isNegative) else { return nil }
            thousandths = next
            if let count = decimals { decimals = count + 1 } else { wholeDigits += 1 }
        }
        guard wholeDigits > 0, decimals != 0, decimals ?? 0 <= 3 else { return nil }
        for _ in (decimals ?? 0)..<3 {
            guard let next = thousandths.appending(digit: UInt8(ascii: "0"), isNegative: isNegative) else { return nil }
            thousandths = next
        }
        self.thousandths = thousandths
    }

    /// Whether the left amount is smaller.
    public static func < (left: Money, right: Money) -> Bool { left.thousandths < right.thousandths }

    /// The amount times a quantity.
    /// - Returns: `nil` when 64 bits don't hold it.
    public func times(_ quantity: Int64) -> Money? {
        let (product, overflows) = self.thousandths.multipliedReportingOverflow(by: quantity)
        return overflows ? nil : Money(thousandths: product)
    }

    /// The sum of amounts, exact whatever the order of the additions.
    /// - Returns: `nil` when 64 bits don't hold the sum.
    public static func sum(of amounts: some Sequence<Money>) -> Money? {
        // 2^64 amounts of 64 bits fit into 128: the sum itself can't overflow.
        let sum = amounts.reduce(into: Int128(0)) { $0 += Int128($1.thousandths) }
        return Int64(exactly: sum).map(Money.init(thousandths:))
    }

    /// The amount without its sign.
    /// - Returns: `nil` for the one amount whose opposite 64 bits don't hold.
    public var absolute: Money? {
        Int64(exactly: self.thousandths.magnitude).map(Money.init(thousandths:))
    }
}

extension Money: CustomStringConvertible {
    /// The amount in pounds with three decimals, `-11062.060`.
    public var description: String { Self.pounds(Int128(self.thousandths)) }

    /// Thousandths as pounds with three decimals; for sums that are wider than one amount.
    package static func pounds(_ thousandths: Int128) -> String {
        let magnitude = thousandths.magnitude
        let fraction = String(magnitude % 1000)
        let padding = String(repeating: "0", count: 3 - fraction.count)
        return (thousandths < 0 ? "-" : "") + "\(magnitude / 1000).\(padding)\(fraction)"
    }
}

extension Money: Codable {
    /// Reads the integer.
    public init(from decoder: any Decoder) throws {
        self.thousandths = try decoder.singleValueContainer().decode(Int64.self)
    }

    /// Writes the integer.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.thousandths)
    }
}

extension Int64 {
    /// Reads an optional `-` and one or more ASCII digits; `nil` for any other form and for what 64 bits don't hold.
    init?(decimal text: some Collection<UInt8>) {
        let isNegative = text.first == UInt8(ascii: "-")
        let digits = isNegative ? text.dropFirst() : text[...]
        guard !digits.isEmpty else { return nil }
        var value: Int64 = 0
        for byte in digits {
            guard let next = value.appending(digit: byte, isNegative: isNegative) else { return nil }
            value = next
        }
        self = value
    }

    /// The number with one more ASCII digit, counted away from zero on the side of its sign, so that the smallest
    /// number can be read too.
    fileprivate func appending(digit: UInt8, isNegative: Bool) -> Int64? {
        guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
        let value = Int64(digit - UInt8(ascii: "0"))
        let (shifted, shiftOverflows) = self.multipliedReportingOverflow(by: 10)
        let (sum, sumOverflows) = shifted.addingReportingOverflow(isNegative ? -value : value)
        return shiftOverflows || sumOverflows ? nil : sum
    }
}
