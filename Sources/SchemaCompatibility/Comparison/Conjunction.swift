/// Schemas that all hold for the same data: what is known of it.
///
/// What they refer to (`$ref`) and consist of (`allOf`) is among them. Alternatives are not, until one of them is chosen
/// by ``choosing(_:of:)``. So is nothing that `not` and conditions say: the data is thought of as more than it can be, never as
/// less.
struct Conjunction {
    /// Where references are looked up.
    let directory: SchemaDirectory
    /// All that hold.
    private(set) var schemas: [SchemaNode] = []
    /// References that lead nowhere, and schemas that are none.
    private(set) var broken: [SchemaNode] = []
    /// What it was made of, or the alternative that was chosen last.
    private(set) var focus: SchemaNode?
    private var known: Set<String> = []
    private var chosen: Set<String> = []

    /// Makes a conjunction; without any schema it is everything.
    init(_ nodes: [SchemaNode], in directory: SchemaDirectory) {
        self.directory = directory
        self.focus = nodes.first
        self.add(nodes)
    }

    /// What makes it what it is, in one version of a directory.
    var identity: String { self.known.union(self.chosen).sorted().joined(separator: " ") }

    /// The same, with one more.
    func adding(_ node: SchemaNode) -> Conjunction {
        var copy = self
        copy.add([node])
        return copy
    }

    private mutating func add(_ nodes: [SchemaNode]) {
        var waiting = nodes
        // No recursion, since references may be many, and may go in circles.
        while let node = waiting.popLast() {
            guard self.known.insert(node.identity).inserted else { continue }
            switch node.value {
            case .boolean:
                self.schemas.append(node)
            case .object(let members):
                self.schemas.append(node)
                if members["$id"] != nil, !node.pointer.isEmpty {
                    self.broken.append(node.keyword("$id") ?? node)
                }
                if let reference = node.keyword("$ref") {
                    let target = reference.value.string.flatMap { self.directory.resolve($0, from: node.file) }
                    if let target { waiting.append(target) } else { self.broken.append(reference) }
                }
                waiting += node.alternatives(of: "allOf")
            default:
                self.broken.append(node)
            }
        }
    }

    // MARK: Alternatives

    /// A keyword with alternatives of which none is chosen yet.
    var openChoice: SchemaNode? {
        for schema in self.schemas {
            for name in ["oneOf", "anyOf"] {
                guard let keyword = schema.keyword(name), let elements = keyword.value.array, !elements.isEmpty,
                    !self.chosen.contains(keyword.identity)
                else { continue }
                return keyword
            }
        }
        return nil
    }

    /// What it is in the case of one alternative.
    func choosing(_ alternative: SchemaNode, of keyword: SchemaNode) -> Conjunction {
        var copy = self
        copy.chosen.insert(keyword.identity)
        copy.focus = alternative
        if let reference = alternative.value.object?["$ref"]?.string,
            let target = self.directory.resolve(reference, from: alternative.file)
        {
            copy.focus = target
        }
        copy.add([alternative])
        return copy
    }

    // MARK: What is known of values

    /// The types that the data may have.
    var types: InstanceTypes {
        var types = InstanceTypes.all
        for schema in self.schemas {
            if schema.value == .boolean(false) { return [] }
            if let own = schema.value.object?["type"].flatMap({ InstanceTypes($0) }) { types.formIntersection(own) }
        }
        guard let values = self.listedValues else { return types }
        return types.intersection(values.reduce(into: []) { $0.formUnion(InstanceTypes(of: $1)) })
    }

    /// The only values that the data may have, where they are named: some of them may be ruled out by something else.
    var listedValues: [JSONValue]? {
        var values: [JSONValue]?
        for schema in self.schemas {
            guard let members = schema.value.object else { continue }
            for list in [members["const"].map { [$0] }, members["enum"]?.array] {
                guard let list else { continue }
                let allowed = Set(list)
                values = values.map { $0.filter(allowed.contains) } ?? list
            }
        }
        return values
    }

    /// The values of a keyword in all the schemas that have it.
    func values(of keyword: String) -> [JSONValue] {
        self.schemas.compactMap { $0.value.object?[keyword] }
    }

    // MARK: What is known of members and elements

    /// The names of members that must be there.
    var required: Set<String> {
        self.values(of: "required").reduce(into: []) { $0.formUnion($1.strings ?? []) }
    }

    /// The names of members that are described, or must be there.
    var memberNames: Set<String> {
        self.schemas.reduce(into: self.required) { $0.formUnion($1.schemas(of: "properties").keys) }
    }

    /// What is known of a member.
    ///
    /// - Returns: `nil` when whoever writes does not know of it, and so does not write it.
    func member(_ name: String) -> Conjunction? {
        let isNamed = self.memberNames.contains(name)
        guard isNamed || self.writesOtherMembers else { return nil }
        return Conjunction(
            self.schemas.compactMap { schema in
                schema.schemas(of: "properties")[name]
                    ?? (schema.keyword("patternProperties") == nil ? schema.keyword("additionalProperties") : nil)
            },
            in: self.directory
        )
    }

    /// What is known of members that are not named; `nil` when there are none.
    var otherMembers: Conjunction? {
        guard self.writesOtherMembers else { return nil }
        let rules = self.schemas.compactMap { schema in
            schema.keyword("patternProperties") == nil ? schema.keyword("additionalProperties") : nil
        }
        return Conjunction(rules, in: self.directory)
    }

    /// Whether there are patterns for names, which are not looked at.
    var hasMemberPatterns: Bool { self.schemas.contains { $0.keyword("patternProperties") != nil } }

    /// Whether members may be there that are not named: where a rule for them says so, or where nothing names any.
    private var writesOtherMembers: Bool {
        var namesAny = false
        for schema in self.schemas {
            guard let members = schema.value.object else { continue }
            for rule in ["additionalProperties", "unevaluatedProperties"] {
                guard let value = members[rule] else { continue }
                if value == .boolean(false) { namesAny = true } else { return true }
            }
            if members["patternProperties"] != nil { return true }
            namesAny = namesAny || members["properties"] != nil
        }
        return !namesAny
    }

    /// What is known of elements: of those that stand at some index, and of all others.
    var elements: [Conjunction] {
        let first = self.schemas.map { $0.alternatives(of: "prefixItems") }
        let count = first.map(\.count).max() ?? 0
        return (0...count).map { index in
            Conjunction(
                zip(self.schemas, first).compactMap { schema, first in
                    if index < first.count { return first[index] }
                    // An array of schemas, as it was before 2020-12, is not looked at.
                    guard let items = schema.keyword("items"), items.value.array == nil else { return nil }
                    return items
                },
                in: self.directory
            )
        }
    }
}
