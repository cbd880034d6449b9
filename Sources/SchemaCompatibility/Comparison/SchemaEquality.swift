/// Whether schemas of two versions say the same, annotations aside, with all that they refer to.
struct SchemaEquality {
    let left: SchemaDirectory
    let right: SchemaDirectory
    /// Pairs of schemas at the ends of references that are, or are being, compared.
    private var seen: Set<[String]> = []
    /// How many schemas were looked at.
    private(set) var steps = 0
    private static let maxDepth = 600

    init(_ left: SchemaDirectory, _ right: SchemaDirectory) {
        self.left = left
        self.right = right
    }

    /// Whether two schemas say the same.
    mutating func areEqual(_ left: SchemaNode, _ right: SchemaNode, depth: Int = 0) -> Bool {
        self.steps += 1
        guard depth < Self.maxDepth else { return false }
        guard let members = left.value.object, let others = right.value.object else { return left.value == right.value }
        let keywords = Set(members.keys).subtracting(Keywords.annotations)
        guard keywords == Set(others.keys).subtracting(Keywords.annotations) else { return false }
        // An address of its own changes what references within mean.
        guard members["$id"] == others["$id"] || left.pointer.isEmpty && right.pointer.isEmpty else {
            return false
        }
        for keyword in keywords where !self.areEqual(keyword, of: left, right, depth: depth + 1) { return false }
        return true
    }

    /// Whether a keyword says the same in two schemas; not in those that don't have it.
    mutating func areEqual(_ keyword: String, of left: SchemaNode, _ right: SchemaNode, depth: Int = 0) -> Bool {
        guard let one = left.keyword(keyword), let other = right.keyword(keyword) else { return false }
        if keyword == "$ref" { return self.leadToEqual(one, other, depth: depth) }
        if Keywords.schemas.contains(keyword), one.value.array == nil {
            return self.areEqual(one, other, depth: depth)
        }
        if Keywords.objectsOfSchemas.contains(keyword), one.value.object != nil, other.value.object != nil {
            let schemas = left.schemas(of: keyword)
            let others = right.schemas(of: keyword)
            guard schemas.keys == others.keys || Set(schemas.keys) == Set(others.keys) else { return false }
            for (name, schema) in schemas {
                guard let other = others[name], self.areEqual(schema, other, depth: depth + 1) else { return false }
            }
            return true
        }
        if Keywords.arraysOfSchemas.contains(keyword), one.value.array != nil, other.value.array != nil {
            let schemas = left.alternatives(of: keyword)
            let others = right.alternatives(of: keyword)
            guard schemas.count == others.count else { return false }
            for (schema, other) in zip(schemas, others) where !self.areEqual(schema, other, depth: depth + 1) {
                return false
            }
            return true
        }
        if ["enum", "required", "type"].contains(keyword), let list = one.value.array, let other = other.value.array {
            return Set(list) == Set(other)
        }
        return one.value == other.value
    }

    private mutating func leadToEqual(_ left: SchemaNode, _ right: SchemaNode, depth: Int) -> Bool {
        guard let reference = left.value.string, let other = right.value.string,
            let target = self.left.resolve(reference, from: left.file),
            let otherTarget = self.right.resolve(other, from: right.file)
        else { return false }
        // Nothing in a circle makes a difference but what is on it.
        guard self.seen.insert([target.identity, otherTarget.identity]).inserted else { return true }
        return self.areEqual(target, otherTarget, depth: depth)
    }
}
