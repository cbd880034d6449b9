/// Compares a schema that something is written by with one that it is read by.
///
/// What is written satisfies all of several schemas (`allOf`, and what stands beside a `$ref`); a rule of the reader holds when
/// one of these brings it about. Alternatives of the writer are gone through one by one; of those of the reader one must do.
struct SchemaComparison {
    typealias Problem = SchemaCompatibility.Problem

    private struct Pair: Hashable {
        var written: Set<Schema>
        var read: Schema
    }

    /// Schemas that refer to themselves, and many alternatives within each other, must come to an end.
    private static let maxSteps = 2_000

    private let writer: SchemaDirectory
    private let reader: SchemaDirectory
    /// What is being compared, or was: within itself it holds.
    private var visited: Set<Pair> = []
    private var steps = 0

    init(writer: SchemaDirectory, reader: SchemaDirectory) {
        self.writer = writer
        self.reader = reader
    }

    mutating func problems(_ written: Schema, _ read: Schema) -> [Problem] {
        self.problems([written], read)
    }

    private mutating func problems(_ written: [Schema], _ read: Schema) -> [Problem] {
        self.steps += 1
        guard self.steps < Self.maxSteps else {
            return [self.problem(read, "there are too many alternatives to compare", isUncertain: true)]
        }
        let pair = Pair(written: Set(written), read: read)
        guard self.visited.insert(pair).inserted else { return [] }
        // What was found wrong once is found again elsewhere.
        defer { self.visited.remove(pair) }

        switch read.value {
        case .bool(true): return []
        case .object(let members) where members.isEmpty: return []
        case .bool(false):
            let isNothing = written.contains { $0.value == .bool(false) }
            return isNothing ? [] : [self.problem(read, "nothing is allowed here any more")]
        case .object: break
        default: return [self.problem(read, "this is no schema", isUncertain: true)]
        }
        let conjuncts: [Schema]
        switch self.flattened(written) {
        case .success(let schemas): conjuncts = schemas
        case .failure(let failure): return [failure.problem]
        }
        if conjuncts.contains(where: { $0.value == .bool(false) }) { return [] }
        if let alternatives = self.alternatives(of: conjuncts) {
            return alternatives.flatMap { self.problems($0, read) }
        }
        return self.compare(Writing(conjuncts), read)
    }

    // MARK: The writer

    private struct Unresolved: Error {
        var problem: Problem
    }

    /// All that holds at the same time: references and `allOf` are taken apart.
    private func flattened(_ schemas: [Schema]) -> Result<[Schema], Unresolved> {
        var flat: [Schema] = []
        var rest = schemas
        var references: Set<Schema> = []
        while let schema = rest.popLast() {
            if let reference = schema["$ref"]?.string {
                guard let target = self.writer.target(of: reference, in: schema.file) else {
                    return .failure(
                        Unresolved(problem: self.problem(schema, "\(reference) is not found", isUncertain: true))
                    )
                }
                if references.insert(target).inserted { rest.append(target) }
            }
            rest += schema.list("allOf") ?? []
            if !flat.contains(schema) { flat.append(schema) }
        }
        return .success(flat)
    }

    /// The first alternatives that what is written has, each with all that holds besides.
    private func alternatives(of conjuncts: [Schema]) -> [[Schema]]? {
        for (index, schema) in conjuncts.enumerated() {
            for keyword in ["oneOf", "anyOf"] {
                guard let branches = schema.list(keyword), var members = schema.value.object else { continue }
                members[keyword] = nil
                // Taken apart already.
                members["$ref"] = nil
                members["allOf"] = nil
                var others = conjuncts
                others[index].value = .object(members)
                return branches.map { others + [$0] }
            }
        }
        return nil
    }

    // MARK: The reader

    private mutating func compare(_ written: Writing, _ read: Schema) -> [Problem] {
        var problems: [Problem] = []
        if let reference = read["$ref"]?.string {
            guard let target = self.reader.target(of: reference, in: read.file) else {
                return [self.problem(read, "\(reference) is not found", isUncertain: true)]
            }
            problems += self.problems(written.schemas, target)
        }
        for schema in read.list("allOf") ?? [] { problems += self.problems(written.schemas, schema) }
        for keyword in ["anyOf", "oneOf"] {
            if let branches = read.list(keyword) { problems += self.compare(written, read, keyword, branches) }
        }
        problems += self.compareTypes(written, read)
        problems += self.compareValues(written, read)
        problems += self.compareNumbers(written, read)
        problems += self.compareSame(written, read)
        if written.types.contains("object") { problems += self.compareMembers(written, read) }
        if written.types.contains("array"), let items = read["items"] {
            problems += self.problems(written.parts("items"), read.part("items", value: items))
        }
        for (keyword, value) in read.value.object ?? [:] where !Keywords.known.contains(keyword) {
            guard !written.schemas.contains(where: { $0[keyword] == value }) else { continue }
            problems.append(
                self.problem(
                    read,
                    "`\(keyword)` was not there, or not the same: what it allows is not known",
                    isUncertain: true
                )
            )
        }
        return problems
    }

    /// One of the reader's alternatives must do.
    private mutating func compare(
        _ written: Writing,
        _ read: Schema,
        _ keyword: String,
        _ branches: [Schema]
    ) -> [Problem] {
        var best: [Problem]?
        for branch in branches {
            let problems = self.problems(written.schemas, branch)
            if problems.isEmpty { return [] }
            if self.isMeant(branch, for: written), best.map({ problems.count < $0.count }) ?? true { best = problems }
        }
        if let best { return best }
        let value = written.discriminator.map { " (\($0))" } ?? ""
        return [self.problem(read.part(keyword, value: .null), "no alternative allows what was allowed\(value)")]
    }

    /// Whether an alternative is the one for what is written, going by members that have one value each.
    private func isMeant(_ branch: Schema, for written: Writing) -> Bool {
        let target = branch["$ref"]?.string.flatMap { self.reader.target(of: $0, in: branch.file) } ?? branch
        return (target["properties"]?.object ?? [:]).allSatisfy { name, schema in
            guard let value = schema.object?["const"], let values = Writing(written.member(name)).values else {
                return true
            }
            return values.contains(value)
        }
    }

    private func compareTypes(_ written: Writing, _ read: Schema) -> [Problem] {
        guard let allowed = Writing.types(named: read["type"]) else { return [] }
        let refused = written.types.filter { !allowed.contains($0) && !($0 == "integer" && allowed.contains("number")) }
        guard !refused.isEmpty else { return [] }
        return [
            self.problem(read, "a value of the type \(refused.sorted().joined(separator: ", ")) is no longer allowed")
        ]
    }

    private func compareValues(_ written: Writing, _ read: Schema) -> [Problem] {
        guard let allowed = Writing.values(of: read) else { return [] }
        guard let values = written.values else {
            return [self.problem(read, "only some values are allowed now")]
        }
        return values.filter { !allowed.contains($0) }.map(\.description).sorted().map {
            self.problem(read, "the value \($0) is no longer allowed")
        }
    }

    private func compareNumbers(_ written: Writing, _ read: Schema) -> [Problem] {
        var problems: [Problem] = []
        func check(_ keyword: String, _ type: String, _ isMet: (Double) -> Bool) {
            guard let limit = read[keyword], let number = limit.number, written.mayBe(type), !isMet(number) else {
                return
            }
            problems.append(self.problem(read, "`\(keyword)` is \(limit) now, and less was asked for before"))
        }
        for (keyword, type) in Keywords.atLeast {
            check(keyword, type) { limit in limit <= 0 || written.numbers(keyword).contains { $0 >= limit } }
        }
        for (keyword, type) in Keywords.atMost {
            check(keyword, type) { limit in written.numbers(keyword).contains { $0 <= limit } }
        }
        check("minimum", "number") { limit in
            written.numbers("minimum").contains { $0 >= limit }
                || written.numbers("exclusiveMinimum").contains { $0 >= limit }
        }
        check("maximum", "number") { limit in
            written.numbers("maximum").contains { $0 <= limit }
                || written.numbers("exclusiveMaximum").contains { $0 <= limit }
        }
        check("exclusiveMinimum", "number") { limit in
            written.numbers("exclusiveMinimum").contains { $0 >= limit }
                || written.numbers("minimum").contains { $0 > limit }
        }
        check("exclusiveMaximum", "number") { limit in
            written.numbers("exclusiveMaximum").contains { $0 <= limit }
                || written.numbers("maximum").contains { $0 < limit }
        }
        check("multipleOf", "number") { step in
            step > 0 && written.numbers("multipleOf").contains { ($0 / step).rounded() == $0 / step }
        }
        return problems
    }

    private func compareSame(_ written: Writing, _ read: Schema) -> [Problem] {
        var problems: [Problem] = []
        for (keyword, type) in Keywords.equal {
            guard let value = read[keyword], written.mayBe(type) else { continue }
            if !written.schemas.contains(where: { $0[keyword] == value }) {
                problems.append(self.problem(read, "`\(keyword)` is \(value) now, and was not before"))
            }
        }
        if read["uniqueItems"]?.bool == true, written.mayBe("array"),
            !written.schemas.contains(where: { $0["uniqueItems"]?.bool == true })
        {
            problems.append(self.problem(read, "elements have to be different now"))
        }
        return problems
    }

    private mutating func compareMembers(_ written: Writing, _ read: Schema) -> [Problem] {
        var problems: [Problem] = []
        for name in (read["required"]?.array ?? []).compactMap(\.string) where !written.required.contains(name) {
            problems.append(self.problem(read, "the member \"\(name)\" is required now"))
        }
        let described = read["properties"]?.object ?? [:]
        for (name, value) in described.sorted(by: { $0.key < $1.key }) {
            // One that was not described was not used.
            guard written.names.contains(name) else { continue }
            problems += self.problems(written.member(name), read.part("properties", name, value: value))
        }
        guard let additional = read["additionalProperties"], additional != .bool(true) else { return problems }
        let place = read.part("additionalProperties", value: additional)
        // Members by patterns are not looked into.
        if read["patternProperties"] != nil {
            return problems + [self.problem(read, "`patternProperties` is not understood", isUncertain: true)]
        }
        for name in written.names.subtracting(described.keys).sorted() {
            if additional == .bool(false) {
                problems.append(self.problem(read, "the member \"\(name)\" is no longer allowed"))
            } else {
                problems += self.problems(written.member(name), place)
            }
        }
        if additional == .bool(false) {
            if !written.isClosed {
                problems.append(self.problem(read, "members that are not described are no longer allowed"))
            }
        } else {
            problems += self.problems(written.parts("additionalProperties"), place)
        }
        return problems
    }

    private func problem(_ schema: Schema, _ message: String, isUncertain: Bool = false) -> Problem {
        Problem(file: schema.file, pointer: schema.pointer, message: message, isUncertain: isUncertain)
    }
}
