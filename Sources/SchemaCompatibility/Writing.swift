/// What is known of a value that satisfies all of several schemas.
struct Writing {
    let schemas: [Schema]
    /// The types that it may have.
    let types: Set<String>
    /// The values that it may be, where these are known.
    let values: Set<JSON>?
    /// The members that an object has in any case.
    let required: Set<String>
    /// The members that are described.
    let names: Set<String>

    init(_ schemas: [Schema]) {
        self.schemas = schemas
        var types = Keywords.types
        var values: Set<JSON>?
        for schema in schemas {
            if let own = Self.types(named: schema["type"]) { types.formIntersection(own) }
            if let own = Self.values(of: schema) { values = values.map { $0.intersection(own) } ?? own }
        }
        if let values { types.formIntersection(values.reduce(into: Set<String>()) { $0.formUnion($1.types) }) }
        self.types = types
        self.values = values
        self.required = schemas.reduce(into: []) { names, schema in
            names.formUnion((schema["required"]?.array ?? []).compactMap(\.string))
        }
        self.names = schemas.reduce(into: []) { $0.formUnion(($1["properties"]?.object ?? [:]).keys) }
    }

    /// The types that a `type` names; a whole number is a number. `nil` where it names none.
    static func types(named value: JSON?) -> Set<String>? {
        guard let value else { return nil }
        var types = Set((value.array ?? [value]).compactMap(\.string))
        if types.contains("number") { types.insert("integer") }
        return types
    }

    /// The values that a schema lists; `nil` where it lists none.
    static func values(of schema: Schema) -> Set<JSON>? {
        if let value = schema["const"] { return [value] }
        return schema["enum"]?.array.map { Set($0) }
    }

    /// Whether a value of a type is possible.
    func mayBe(_ type: String) -> Bool {
        self.types.contains(type) || type == "number" && self.types.contains("integer")
    }

    /// What the schemas have under a keyword that is a number.
    func numbers(_ keyword: String) -> [Double] { self.schemas.compactMap { $0[keyword]?.number } }

    /// What holds of all elements, or of all members that are not described.
    func parts(_ keyword: String) -> [Schema] {
        let parts = self.schemas.compactMap { schema in schema[keyword].map { schema.part(keyword, value: $0) } }
        return parts.isEmpty ? self.anything : parts
    }

    /// What holds of a member that is described.
    func member(_ name: String) -> [Schema] {
        self.schemas.compactMap { schema in
            schema["properties"]?.object?[name].map { schema.part("properties", name, value: $0) }
        }
    }

    /// Whether there are no other members than those that are described.
    var isClosed: Bool { self.schemas.contains { $0["additionalProperties"] == .bool(false) } }

    /// A word that tells which of several alternatives it is.
    var discriminator: String? {
        self.schemas.compactMap { schema in
            (schema["properties"]?.object ?? [:]).values.lazy.compactMap { $0.object?["const"]?.string }.first
        }.first
    }

    private var anything: [Schema] {
        self.schemas.first.map { [Schema(value: .bool(true), file: $0.file, pointer: $0.pointer)] } ?? []
    }
}
