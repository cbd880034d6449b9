#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// A limit of a range of numbers, on the side that is looked at.
private struct Limit {
    var value: Decimal
    /// Whether the limit itself is beyond the range.
    var isExclusive: Bool
}

/// Numbers, sizes and texts.
extension SchemaComparison {
    // MARK: Numbers

    func compare(_ data: Conjunction, withNumberRule keyword: String, _ rule: SchemaNode) -> [SchemaFinding] {
        let types = data.types.intersection(.number)
        guard !types.isEmpty else { return [] }
        guard let number = rule.value.number else { return [self.malformed(rule)] }
        if keyword == "multipleOf" { return self.compare(data, types, withMultiplesOf: number, rule) }
        // Upper limits are looked at as lower ones, upside down.
        let sign: Decimal = keyword.hasSuffix("inimum") ? 1 : -1
        let names = sign == 1 ? ["minimum", "exclusiveMinimum"] : ["maximum", "exclusiveMaximum"]
        var limits: [Limit] = []
        for (index, name) in names.enumerated() {
            for value in data.values(of: name).compactMap(\.number) {
                limits.append(Self.limit(value * sign, isExclusive: index == 1, types))
            }
        }
        let wanted = Self.limit(number * sign, isExclusive: keyword.hasPrefix("exclusive"), types)
        let isKept = limits.contains { limit in
            limit.value > wanted.value || limit.value == wanted.value && (limit.isExclusive || !wanted.isExclusive)
        }
        guard !isKept else { return [] }
        return [self.narrower(rule, keyword, number)]
    }

    /// The limit; for whole numbers always one that is within the range.
    private static func limit(_ value: Decimal, isExclusive: Bool, _ types: InstanceTypes) -> Limit {
        guard types == .integer, isExclusive, value.isWhole else {
            return Limit(value: value, isExclusive: isExclusive)
        }
        return Limit(value: value + 1, isExclusive: false)
    }

    private func compare(
        _ data: Conjunction,
        _ types: InstanceTypes,
        withMultiplesOf number: Decimal,
        _ rule: SchemaNode
    ) -> [SchemaFinding] {
        guard number > 0 else { return [self.malformed(rule)] }
        var divisors = data.values(of: "multipleOf").compactMap(\.number)
        if types == .integer { divisors.append(1) }
        let results = divisors.map { $0.isMultiple(of: number) }
        if results.contains(.yes) { return [] }
        guard !results.contains(.unknown), divisors.count < 2 || types == .integer && divisors.count < 3 else {
            let sentence = "Whether all data are multiples of \(number) can't be told."
            return [self.finding(.unknown, at: rule, sentence)]
        }
        return [self.narrower(rule, "multipleOf", number)]
    }

    // MARK: Sizes

    func compare(_ data: Conjunction, withSizeRule keyword: String, _ rule: SchemaNode) -> [SchemaFinding] {
        let type: InstanceTypes =
            keyword.hasSuffix("Length") ? .string : keyword.hasSuffix("Items") ? .array : .object
        guard data.types.contains(type) else { return [] }
        guard let number = rule.value.number, number >= 0 else { return [self.malformed(rule)] }
        let known = data.values(of: keyword).compactMap(\.number)
        let isKept: Bool
        if keyword.hasPrefix("min") {
            let least = keyword == "minProperties" ? Decimal(data.required.count) : 0
            isKept = (known.max() ?? 0) >= number || least >= number
        } else {
            isKept = known.min().map { $0 <= number } ?? false
        }
        return isKept ? [] : [self.narrower(rule, keyword, number)]
    }

    private func narrower(_ rule: SchemaNode, _ keyword: String, _ number: Decimal) -> SchemaFinding {
        let sentence =
            "The \(self.direction.reader) schema has `\(keyword)` \(number), and the \(self.direction.writer) one "
            + "allows data that breaks it."
        return self.finding(.incompatible, at: rule, sentence)
    }

    // MARK: Texts

    func compare(_ data: Conjunction, withTextRule keyword: String, _ rule: SchemaNode) -> [SchemaFinding] {
        guard data.types.contains(.string) else { return [] }
        guard let wanted = rule.value.string else { return [self.malformed(rule)] }
        let known = data.values(of: keyword).compactMap(\.string)
        let isKept = known.contains {
            $0 == wanted || keyword == "format" && Self.widerFormats[$0, default: []].contains(wanted)
        }
        guard !isKept else { return [] }
        guard known.isEmpty else {
            let sentence =
                "Whether every text with the `\(keyword)` \(Self.quoted(known)) of the \(self.direction.writer) schema "
                + "has \(Self.quoted([wanted])) too can't be told."
            return [self.finding(.unknown, at: rule, sentence)]
        }
        let sentence =
            "The \(self.direction.reader) schema has the `\(keyword)` \(Self.quoted([wanted])), and the "
            + "\(self.direction.writer) one has none."
        return [self.finding(.incompatible, at: rule, sentence)]
    }

    private static func quoted(_ texts: [String]) -> String {
        texts.map { JSONValue.string($0).description }.joined(separator: ", ")
    }

    /// What every text of a format is as well (JSON Schema 2020-12, Validation, section 7.3).
    private static let widerFormats: [String: Set<String>] = [
        "email": ["idn-email"],
        "hostname": ["idn-hostname"],
        "uri": ["uri-reference", "iri", "iri-reference"],
        "uri-reference": ["iri-reference"],
        "iri": ["iri-reference"],
    ]
}
