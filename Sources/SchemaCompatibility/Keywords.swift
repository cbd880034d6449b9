/// The keywords of JSON Schema 2020-12, by what is done with them.
enum Keywords {
    /// They allow and forbid nothing.
    static let annotations: Set<String> = [
        "$schema", "$id", "$anchor", "$dynamicAnchor", "$comment", "$defs", "$vocabulary", "definitions", "title",
        "description", "default", "deprecated", "readOnly", "writeOnly", "examples", "example",
    ]

    /// A number that what is written must reach, and the type of value that it is about.
    static let atLeast = [
        "minLength": "string", "minItems": "array", "minProperties": "object", "minContains": "array",
    ]

    /// A number that what is written must not exceed.
    static let atMost = [
        "maxLength": "string", "maxItems": "array", "maxProperties": "object", "maxContains": "array",
    ]

    /// They must be the same.
    static let equal = [
        "pattern": "string", "format": "string", "contentEncoding": "string", "contentMediaType": "string",
    ]

    /// All that is compared with some understanding.
    static let known: Set<String> = annotations.union(atLeast.keys).union(atMost.keys).union(equal.keys).union([
        "$ref", "type", "enum", "const", "required", "properties", "additionalProperties", "items", "minimum",
        "maximum",
        "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "uniqueItems", "allOf", "anyOf", "oneOf",
    ])

    static let types: Set<String> = ["null", "boolean", "integer", "number", "string", "array", "object"]
}
