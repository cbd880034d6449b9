/// Schemas of which one, or at least one, is to accept the data.
extension SchemaComparison {
    mutating func compare(_ data: Conjunction, withAlternatives rule: SchemaNode, depth: Int) -> [SchemaFinding] {
        let schemas = self.elements(of: rule)
        var results: [[SchemaFinding]] = []
        for (index, schema) in schemas.enumerated() {
            let result = self.compare(data, with: schema, depth: depth)
            guard result.isEmpty else {
                results.append(result)
                continue
            }
            return rule.pointer.last == "oneOf" ? self.others(than: index, of: rule, accepting: data) : []
        }
        // One alternative may take one type, and another the other.
        let types = data.types.each
        if types.count > 1 {
            return types.flatMap { type in
                self.compare(
                    data.adding((data.focus ?? rule).only("type", type)),
                    withAlternatives: rule,
                    depth: depth
                )
            }
        }
        return self.refusal(of: data, by: rule, schemas, results)
    }

    /// Only one alternative of `oneOf` may accept it.
    private func others(than accepting: Int, of rule: SchemaNode, accepting data: Conjunction) -> [SchemaFinding] {
        let overlapping = self.elements(of: rule).enumerated().filter { index, schema in
            index != accepting && !self.areDisjoint(data, Conjunction([schema], in: self.reader))
        }
        guard !overlapping.isEmpty else { return [] }
        let sentence =
            "More than one alternative may accept the same data: "
            + overlapping.map { "\(rule.pointer)/\($0.offset)" }.joined(separator: ", ")
            + " beside \(rule.pointer)/\(accepting)."
        return [self.finding(.unknown, at: rule, sentence)]
    }

    /// What to say where none accepts all of it.
    private func refusal(
        of data: Conjunction,
        by rule: SchemaNode,
        _ schemas: [SchemaNode],
        _ results: [[SchemaFinding]]
    ) -> [SchemaFinding] {
        let possible = zip(schemas, results).filter { schema, _ in
            !self.areDisjoint(data, Conjunction([schema], in: self.reader))
        }
        let place = data.focus.map { "\($0.file)#\($0.pointer)" } ?? "here"
        guard let closest = possible.min(by: { $0.1.count < $1.1.count }) else {
            let sentence =
                "No alternative of the \(self.direction.reader) schema accepts what the "
                + "\(self.direction.writer) one has at \(place)."
            return [self.finding(.incompatible, at: rule, sentence)]
        }
        guard possible.count > 1 else { return closest.1 }
        // Together they may accept what none of them accepts alone.
        let sentence =
            "Whether the alternatives of the \(self.direction.reader) schema accept all that the "
            + "\(self.direction.writer) one has at \(place) can't be told."
        return [self.finding(.unknown, at: rule, sentence)] + closest.1.map(Self.doubted)
    }

    private static func doubted(_ finding: SchemaFinding) -> SchemaFinding {
        var copy = finding
        copy.verdict = .unknown
        return copy
    }
}
