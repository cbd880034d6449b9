#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Objects and arrays.
extension SchemaComparison {
    // MARK: Objects

    mutating func compare(
        _ data: Conjunction,
        withObjectRule keyword: String,
        of schema: SchemaNode,
        depth: Int
    ) -> [SchemaFinding] {
        guard data.types.contains(.object), let rule = schema.keyword(keyword) else { return [] }
        switch keyword {
        case "required":
            return self.compare(data, withRequired: rule)
        case "properties":
            guard rule.value.object != nil else { return [self.malformed(rule)] }
            return self.compare(data, withProperties: schema, depth: depth)
        default:
            return self.compare(data, withOtherMembers: rule, of: schema, depth: depth)
        }
    }

    private func compare(_ data: Conjunction, withRequired rule: SchemaNode) -> [SchemaFinding] {
        guard let names = rule.value.strings else { return [self.malformed(rule)] }
        return Set(names).subtracting(data.required).sorted().map { name in
            let sentence =
                "The \(self.direction.reader) schema requires the member `\(name)`, and the "
                + "\(self.direction.writer) one does not."
            return self.finding(.incompatible, at: rule, sentence)
        }
    }

    private mutating func compare(
        _ data: Conjunction,
        withProperties schema: SchemaNode,
        depth: Int
    ) -> [SchemaFinding] {
        schema.schemas(of: "properties").sorted { $0.key < $1.key }.flatMap { name, property -> [SchemaFinding] in
            guard let member = data.member(name) else { return [] }
            let findings = self.compare(member, with: property, depth: depth)
            guard !findings.isEmpty, data.hasMemberPatterns, !data.memberNames.contains(name) else { return findings }
            let sentence = "Whether data has a member `\(name)`, by `patternProperties`, can't be told."
            return [self.finding(.unknown, at: property, sentence)]
        }
    }

    /// `additionalProperties`: members that its schema does not name.
    private mutating func compare(
        _ data: Conjunction,
        withOtherMembers rule: SchemaNode,
        of schema: SchemaNode,
        depth: Int
    ) -> [SchemaFinding] {
        let named = schema.schemas(of: "properties")
        var findings: [SchemaFinding] = []
        for name in data.memberNames.sorted() where named[name] == nil {
            guard let member = data.member(name), !self.isImpossible(member) else { continue }
            let problems = self.compare(member, with: rule, depth: depth)
            if problems.isEmpty { continue }
            if schema.keyword("patternProperties") != nil {
                let sentence = "Whether `patternProperties` is about the member `\(name)` can't be told."
                findings.append(self.finding(.unknown, at: rule, sentence))
            } else if rule.value == .boolean(false) {
                let sentence =
                    "The \(self.direction.reader) schema does not accept the member `\(name)`, which the "
                    + "\(self.direction.writer) one describes."
                findings.append(self.finding(.incompatible, at: rule, sentence))
            } else {
                findings += problems
            }
        }
        guard let others = data.otherMembers, !self.compare(others, with: rule, depth: depth).isEmpty else {
            return findings
        }
        let isUnknown = data.hasMemberPatterns || schema.keyword("patternProperties") != nil
        let sentence =
            "The \(self.direction.reader) schema has a rule for members that it does not name, and the "
            + "\(self.direction.writer) one allows any."
        return findings + [self.finding(isUnknown ? .unknown : .incompatible, at: rule, sentence)]
    }

    // MARK: Arrays

    mutating func compare(
        _ data: Conjunction,
        withArrayRule keyword: String,
        of schema: SchemaNode,
        depth: Int
    ) -> [SchemaFinding] {
        guard data.types.contains(.array), let rule = schema.keyword(keyword) else { return [] }
        guard keyword == "items" else {
            guard rule.value != .boolean(false), !data.values(of: keyword).contains(.boolean(true)) else { return [] }
            guard rule.value == .boolean(true) else { return [self.malformed(rule)] }
            let sentence =
                "The \(self.direction.reader) schema accepts no element twice, and the \(self.direction.writer) one "
                + "allows that."
            return [self.finding(.incompatible, at: rule, sentence)]
        }
        // The first elements are not its concern; which they are may have changed.
        guard schema.keyword("prefixItems") == nil, rule.value.array == nil else {
            let sentence = "`items` beside other rules for the first elements is not looked into."
            return [self.finding(.unknown, at: rule, sentence)]
        }
        let most = data.values(of: "maxItems").compactMap(\.number).min()
        return data.elements.enumerated().flatMap { index, element -> [SchemaFinding] in
            if let most, most <= Decimal(index) { return [] }
            return self.compare(element, with: rule, depth: depth)
        }
    }
}
