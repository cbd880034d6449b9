/// A schema, or a keyword in one, with the place where it is.
struct SchemaNode: Sendable {
    /// The document.
    let file: String
    /// The place in it.
    let pointer: JSONPointer
    /// What is there.
    let value: JSONValue
    /// What tells a schema from others that stand at the same place: those that were made here and are nowhere.
    var variant = ""

    init(file: String, pointer: JSONPointer = JSONPointer(), value: JSONValue, variant: String = "") {
        self.file = file
        self.pointer = pointer
        self.value = value
        self.variant = variant
    }

    /// What makes it what it is, in one version of a directory.
    var identity: String { "\(self.file)#\(self.pointer)\(self.variant)" }

    /// A member or element of it, by its name or index.
    func member(_ name: String, _ value: JSONValue) -> SchemaNode {
        SchemaNode(file: self.file, pointer: self.pointer.appending(name), value: value)
    }

    /// A keyword.
    func keyword(_ name: String) -> SchemaNode? {
        self.value.object?[name].map { self.member(name, $0) }
    }

    /// The members of a keyword whose value is an object of schemas.
    func schemas(of keyword: String) -> [String: SchemaNode] {
        guard let keyword = self.keyword(keyword), let members = keyword.value.object else { return [:] }
        return Dictionary(uniqueKeysWithValues: members.map { ($0.key, keyword.member($0.key, $0.value)) })
    }

    /// The elements of a keyword whose value is an array of schemas.
    func alternatives(of keyword: String) -> [SchemaNode] {
        guard let keyword = self.keyword(keyword), let elements = keyword.value.array else { return [] }
        return elements.enumerated().map { keyword.member("\($0.offset)", $0.element) }
    }

    /// The schema that allows everything, in place of one that is not there.
    func anything() -> SchemaNode {
        SchemaNode(file: self.file, pointer: self.pointer, value: .boolean(true), variant: "(anything)")
    }

    /// A schema that has nothing but one keyword.
    func only(_ keyword: String, _ value: JSONValue) -> SchemaNode {
        SchemaNode(
            file: self.file,
            pointer: self.pointer,
            value: .object([keyword: value]),
            variant: "(\(keyword) \(value))"
        )
    }
}
