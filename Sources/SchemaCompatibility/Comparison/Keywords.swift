/// What is known of the keywords of JSON Schema.
enum Keywords {
    /// Those that say nothing about which data is valid. Keywords that nobody knows are annotations too.
    static let annotations: Set<String> = [
        "title", "description", "examples", "default", "deprecated", "readOnly", "writeOnly", "$comment", "$id",
        "$schema", "$vocabulary", "$anchor", "$defs", "definitions", "contentEncoding", "contentMediaType",
        "contentSchema",
    ]

    /// Those whose value is a schema.
    static let schemas: Set<String> = [
        "additionalProperties", "items", "not", "if", "then", "else", "contains", "propertyNames", "unevaluatedItems",
        "unevaluatedProperties", "additionalItems",
    ]

    /// Those whose value is an object of schemas.
    static let objectsOfSchemas: Set<String> = ["properties", "patternProperties", "dependentSchemas"]

    /// Those whose value is an array of schemas.
    static let arraysOfSchemas: Set<String> = ["allOf", "anyOf", "oneOf", "prefixItems"]

    /// Those that are rules, but are compared by nothing else than whether they are the same in both versions.
    static let opaque: [String] = [
        "not", "if", "then", "else", "contains", "minContains", "maxContains", "propertyNames", "patternProperties",
        "dependentRequired", "dependentSchemas", "dependencies", "unevaluatedItems", "unevaluatedProperties",
        "additionalItems", "prefixItems", "$dynamicRef", "$recursiveRef",
    ]

    /// The types of data that such rules, and others, are about: data of other types they let be.
    static let types: [String: InstanceTypes] = [
        "contains": .array, "minContains": .array, "maxContains": .array, "unevaluatedItems": .array,
        "additionalItems": .array, "prefixItems": .array, "propertyNames": .object, "patternProperties": .object,
        "dependentRequired": .object, "dependentSchemas": .object, "dependencies": .object,
        "unevaluatedProperties": .object,
    ]

    /// Those that mean something only beside others of the same schema, which must be the same then too.
    static let companions: [String: [String]] = [
        "if": ["then", "else"], "then": ["if"], "else": ["if"], "contains": ["minContains", "maxContains"],
        "minContains": ["contains"], "maxContains": ["contains"], "prefixItems": ["items"],
        "additionalItems": ["items"],
        "items": ["prefixItems"], "additionalProperties": ["properties", "patternProperties"],
    ]

    /// Those that mean something only beside all others: schemas with them are the same, or nothing can be told.
    static let contextual: Set<String> = ["unevaluatedItems", "unevaluatedProperties", "$dynamicRef", "$recursiveRef"]
}
