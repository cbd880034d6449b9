/// Types and lists of values.
extension SchemaComparison {
    /// The values that the data can have, where they are listed, or only few anyway.
    func values(of data: Conjunction) -> [JSONValue]? {
        let types = data.types
        let simple: InstanceTypes = [.null, .boolean]
        var values = data.listedValues
        if values == nil, !types.isEmpty, types.isSubset(of: simple) {
            values =
                (types.contains(.null) ? [.null] : [])
                + (types.contains(.boolean) ? [.boolean(false), .boolean(true)] : [])
        }
        let check = ValueCheck(directory: data.directory)
        return values?.filter { check.accepts($0, by: data) != .no }
    }

    func compare(_ values: [JSONValue], with schema: SchemaNode) -> [SchemaFinding] {
        let check = ValueCheck(directory: self.reader)
        var refused: [JSONValue] = []
        var unknown: [JSONValue] = []
        for value in values {
            switch check.accepts(value, by: schema) {
            case .yes: continue
            case .no: refused.append(value)
            case .unknown: unknown.append(value)
            }
        }
        // The place is that of the list, where there is one: it is what has changed.
        let place = ["enum", "const", "type"].compactMap { schema.keyword($0) }.first ?? schema
        var findings: [SchemaFinding] = []
        if !refused.isEmpty {
            let sentence =
                "The \(self.direction.reader) schema does not accept \(Self.list(refused)), which the "
                + "\(self.direction.writer) one allows."
            findings.append(self.finding(.incompatible, at: place, sentence))
        }
        if !unknown.isEmpty {
            let sentence = "Whether the \(self.direction.reader) schema accepts \(Self.list(unknown)) can't be told."
            findings.append(self.finding(.unknown, at: place, sentence))
        }
        return findings
    }

    func compare(_ data: Conjunction, withValueRule keyword: String, _ rule: SchemaNode) -> [SchemaFinding] {
        let values: [JSONValue]
        switch keyword {
        case "type":
            guard let types = InstanceTypes(rule.value) else { return [self.malformed(rule)] }
            let refused = data.types.subtracting(types)
            guard !refused.isEmpty else { return [] }
            let what = refused == .fraction && types.contains(.integer) ? "number with a fraction" : "\(refused)"
            let sentence =
                "The type \(what) is not accepted by the \(self.direction.reader) schema, and allowed by the "
                + "\(self.direction.writer) one."
            return [self.finding(.incompatible, at: rule, sentence)]
        case "enum":
            guard let list = rule.value.array else { return [self.malformed(rule)] }
            values = list
        default:
            values = [rule.value]
        }
        let sentence =
            "The \(self.direction.reader) schema accepts \(Self.list(values)) only, and the "
            + "\(self.direction.writer) one other values too."
        return [self.finding(.incompatible, at: rule, sentence)]
    }

    private static func list(_ values: [JSONValue]) -> String {
        let shown = values.prefix(8).map(\.description).joined(separator: ", ")
        return values.isEmpty ? "nothing" : shown + (values.count > 8 ? ", ..." : "")
    }

    // MARK: Data that can't be

    /// Whether nothing can be valid by all of the schemas.
    func isImpossible(_ data: Conjunction, depth: Int = 0) -> Bool {
        guard depth < 8 else { return false }
        if data.types.isEmpty { return true }
        if let values = self.values(of: data) { return values.isEmpty }
        guard data.types == .object else { return false }
        return data.required.contains { name in
            data.member(name).map { self.isImpossible($0, depth: depth + 1) } ?? false
        }
    }

    /// Whether it is certain that nothing is valid by both.
    func areDisjoint(_ data: Conjunction, _ other: Conjunction, depth: Int = 0) -> Bool {
        guard depth < 8 else { return false }
        if self.isImpossible(data) || self.isImpossible(other) { return true }
        if data.types.isDisjoint(with: other.types) { return true }
        if let values = self.values(of: data) {
            let check = ValueCheck(directory: other.directory)
            return values.allSatisfy { check.accepts($0, by: other) == .no }
        }
        if let values = self.values(of: other) {
            let check = ValueCheck(directory: data.directory)
            return values.allSatisfy { check.accepts($0, by: data) == .no }
        }
        guard data.types.intersection(other.types) == .object else { return false }
        // A member that one of them demands, and that can't be what both want.
        return data.required.union(other.required).sorted().contains { name in
            guard let own = data.member(name), let others = other.member(name) else { return false }
            return self.areDisjoint(own, others, depth: depth + 1)
        }
    }
}
