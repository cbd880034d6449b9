/// Compares what is known of data with a schema that is to accept all of it.
///
/// It follows the schema of the reader. Where the data is one of several alternatives, each is looked at by itself; where
/// its values are listed, each is tried.
struct SchemaComparison {
    let writer: SchemaDirectory
    let reader: SchemaDirectory
    let direction: CompatibilityDirection
    /// What is being compared: within it the same needs no look again, so that references may go in circles.
    private var open: Set<[String]> = []
    /// How much may still be looked at.
    private var budget = 20_000
    private static let maxDepth = 100

    init(writer: SchemaDirectory, reader: SchemaDirectory, direction: CompatibilityDirection) {
        self.writer = writer
        self.reader = reader
        self.direction = direction
    }

    /// What of the data the schema does not, or may not, accept.
    mutating func compare(_ data: Conjunction, with schema: SchemaNode, depth: Int = 0) -> [SchemaFinding] {
        guard depth < Self.maxDepth else {
            return [self.finding(.unknown, at: schema, "The schemas are nested too deeply to be compared.")]
        }
        self.budget -= 1
        guard self.budget > 0 else {
            return [self.finding(.unknown, at: schema, "The schemas are too intricate to be compared.")]
        }
        let pair = [data.identity, schema.identity]
        guard self.open.insert(pair).inserted else { return [] }
        defer { self.open.remove(pair) }

        if data.schemas.contains(where: { self.areEqual($0, schema) }) { return [] }
        guard !self.isImpossible(data) else { return [] }
        switch schema.value {
        case .boolean(true):
            return []
        case .boolean(false):
            return [
                self.finding(.incompatible, at: schema, "The \(self.direction.reader) schema accepts nothing here.")
            ]
        case .object(let members):
            return self.broken(data) + self.compare(data, with: schema, members, depth: depth + 1)
        default:
            return [self.finding(.unknown, at: schema, "What stands here is no schema.")]
        }
    }

    private mutating func compare(
        _ data: Conjunction,
        with schema: SchemaNode,
        _ members: [String: JSONValue],
        depth: Int
    ) -> [SchemaFinding] {
        // What is the same in both versions holds for every alternative: no need to look at each.
        let rules = members.keys.filter { !Keywords.annotations.contains($0) }.sorted()
            .filter { keyword in !data.schemas.contains { self.areEqual(keyword, of: $0, schema) } }
        guard !rules.isEmpty else { return [] }
        if let values = self.values(of: data) {
            return self.compare(values, with: schema)
        }
        if let choice = data.openChoice {
            return self.elements(of: choice).flatMap {
                self.compare(data.choosing($0, of: choice), with: schema, depth: depth)
            }
        }
        return rules.flatMap { self.compare(data, with: $0, of: schema, depth: depth) }
    }

    private mutating func compare(
        _ data: Conjunction,
        with keyword: String,
        of schema: SchemaNode,
        depth: Int
    ) -> [SchemaFinding] {
        guard let rule = schema.keyword(keyword) else { return [] }
        switch keyword {
        case "$ref":
            guard let target = rule.value.string.flatMap({ self.reader.resolve($0, from: schema.file) }) else {
                return [self.finding(.unknown, at: rule, "The reference \(rule.value) leads nowhere.")]
            }
            return self.compare(data, with: target, depth: depth)
        case "allOf":
            guard rule.value.array != nil else { return [self.malformed(rule)] }
            return schema.alternatives(of: keyword).flatMap { self.compare(data, with: $0, depth: depth) }
        case "anyOf", "oneOf":
            guard rule.value.array != nil else { return [self.malformed(rule)] }
            return self.compare(data, withAlternatives: rule, depth: depth)
        case "type", "const", "enum":
            return self.compare(data, withValueRule: keyword, rule)
        case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf":
            return self.compare(data, withNumberRule: keyword, rule)
        case "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties":
            return self.compare(data, withSizeRule: keyword, rule)
        case "pattern", "format":
            return self.compare(data, withTextRule: keyword, rule)
        case "required", "properties", "additionalProperties":
            return self.compare(data, withObjectRule: keyword, of: schema, depth: depth)
        case "items", "uniqueItems":
            return self.compare(data, withArrayRule: keyword, of: schema, depth: depth)
        case _ where Keywords.opaque.contains(keyword):
            return self.compare(data, withOpaque: keyword, rule)
        default:
            return []
        }
    }

    // MARK: What cannot be looked into

    private func compare(_ data: Conjunction, withOpaque keyword: String, _ rule: SchemaNode) -> [SchemaFinding] {
        if let types = Keywords.types[keyword], types.isDisjoint(with: data.types) { return [] }
        return [
            self.finding(
                .unknown,
                at: rule,
                "`\(keyword)` is not as in the \(self.direction.writer) schema, and its meaning is not looked into."
            )
        ]
    }

    private func broken(_ data: Conjunction) -> [SchemaFinding] {
        data.broken.map { node in
            let sentence =
                switch node.pointer.last {
                case "$ref": "The reference \(node.value) of the \(self.direction.writer) schema leads nowhere."
                case "$id": "A schema within another has an address of its own (`$id`), which is not looked into."
                default: "What stands here in the \(self.direction.writer) version is no schema."
                }
            return self.finding(.unknown, at: node, sentence)
        }
    }

    // MARK: Helpers

    func finding(_ verdict: SchemaFinding.Verdict, at node: SchemaNode, _ sentence: String) -> SchemaFinding {
        SchemaFinding(
            verdict: verdict,
            direction: self.direction,
            file: node.file,
            pointer: "\(node.pointer)",
            sentence: sentence
        )
    }

    /// For a keyword whose value is not what it must be.
    func malformed(_ rule: SchemaNode) -> SchemaFinding {
        let keyword = rule.pointer.last
        return self.finding(.unknown, at: rule, "\(rule.value) is no value for `\(keyword)`.")
    }

    /// The alternatives of a keyword.
    func elements(of keyword: SchemaNode) -> [SchemaNode] {
        (keyword.value.array ?? []).enumerated().map { keyword.member("\($0.offset)", $0.element) }
    }

    private mutating func areEqual(_ written: SchemaNode, _ read: SchemaNode) -> Bool {
        var equality = SchemaEquality(self.writer, self.reader)
        defer { self.budget -= equality.steps }
        return equality.areEqual(written, read)
    }

    /// Whether a keyword says the same, with those that it means something with.
    private mutating func areEqual(_ keyword: String, of written: SchemaNode, _ read: SchemaNode) -> Bool {
        guard !Keywords.contextual.contains(keyword) else { return false }
        let companions = Keywords.companions[keyword] ?? []
        for name in [keyword] + companions {
            if name != keyword, written.keyword(name) == nil, read.keyword(name) == nil { continue }
            var equality = SchemaEquality(self.writer, self.reader)
            defer { self.budget -= equality.steps }
            guard equality.areEqual(name, of: written, read) else { return false }
        }
        return true
    }
}
