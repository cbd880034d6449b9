#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Types of JSON values, with whole numbers apart from others.
struct InstanceTypes: OptionSet, Sendable, Hashable {
    let rawValue: UInt8

    static let null = Self(rawValue: 1)
    static let boolean = Self(rawValue: 2)
    static let integer = Self(rawValue: 4)
    static let fraction = Self(rawValue: 8)
    static let string = Self(rawValue: 16)
    static let array = Self(rawValue: 32)
    static let object = Self(rawValue: 64)
    static let number: Self = [.integer, .fraction]
    static let all: Self = [.null, .boolean, .number, .string, .array, .object]

    init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Reads the value of `type`; `nil` for what is none.
    init?(_ value: JSONValue) {
        let names = value.string.map { [$0] } ?? value.strings
        guard let names, !names.isEmpty else { return nil }
        var types: Self = []
        for name in names {
            guard let type = Self.names.first(where: { $0.name == name })?.types else { return nil }
            types.formUnion(type)
        }
        self = types
    }

    /// The type of a value.
    init(of value: JSONValue) {
        switch value {
        case .null: self = .null
        case .boolean: self = .boolean
        case .number(let number): self = number.isWhole ? .integer : .fraction
        case .string: self = .string
        case .array: self = .array
        case .object: self = .object
        }
    }

    /// The types one by one, each as the value of `type`, numbers together.
    var each: [JSONValue] {
        var values = Self.names.filter { $0.types != .number && $0.types != .integer && self.contains($0.types) }
            .map { JSONValue.string($0.name) }
        if self.contains(.fraction) {
            values.append(.string("number"))
        } else if self.contains(.integer) {
            values.append(.string("integer"))
        }
        return values
    }

    private static let names: [(name: String, types: Self)] = [
        ("null", .null), ("boolean", .boolean), ("number", .number), ("integer", .integer), ("string", .string),
        ("array", .array), ("object", .object),
    ]
}

extension InstanceTypes: CustomStringConvertible {
    /// `string or null`
    var description: String { self.each.compactMap(\.string).joined(separator: " or ") }
}

extension Decimal {
    /// Whether it has no fraction.
    var isWhole: Bool { self.exponent >= 0 || !"\(self)".contains(".") }

    /// The number, where it is whole and 64 bits hold it.
    var int64: Int64? { Int64("\(self)") }
}
