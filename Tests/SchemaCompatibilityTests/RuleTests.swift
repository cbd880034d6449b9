import SchemaCompatibility
import Testing

/// A change of a schema, and what it means for readers of old and of new data.
struct Change: Sendable, CustomTestStringConvertible {
    let old: String
    let new: String
    let backward: Verdict
    let forward: Verdict

    init(_ old: String, _ new: String, _ backward: Verdict, _ forward: Verdict) {
        self.old = old
        self.new = new
        self.backward = backward
        self.forward = forward
    }

    var testDescription: String { "\(self.old) -> \(self.new)" }
}

/// Each rule of JSON Schema, made narrower and wider: narrower breaks readers of old data, wider those of new data.
@Suite struct RuleTests {
    @Test(arguments: values + numbers + texts + objects + arrays + alternatives + references + opaque)
    func verdict(_ change: Change) throws {
        func verdict(_ mode: CompatibilityMode) throws -> Verdict {
            Verdict(try compare(["a.json": change.old], ["a.json": change.new], mode: mode))
        }
        #expect(try verdict(.backward) == change.backward)
        #expect(try verdict(.forward) == change.forward)
        let both = [change.backward, change.forward]
        let full: Verdict =
            both.contains(.incompatible) ? .incompatible : both.contains(.unknown) ? .unknown : .compatible
        #expect(try verdict(.full) == full)
    }

    static let values = [
        Change(#"{"type": "string"}"#, #"{"type": "string"}"#, .compatible, .compatible),
        Change(#"{"type": "string"}"#, #"{"type": ["string", "null"]}"#, .compatible, .incompatible),
        Change(#"{"type": ["null", "string"]}"#, #"{"type": ["string", "null"]}"#, .compatible, .compatible),
        Change(#"{"type": "integer"}"#, #"{"type": "number"}"#, .compatible, .incompatible),
        Change(#"{"type": "string"}"#, #"{"type": "integer"}"#, .incompatible, .incompatible),
        Change(#"{}"#, #"{"type": "string"}"#, .incompatible, .compatible),
        Change(#"true"#, #"{}"#, .compatible, .compatible),
        Change(#"{"type": "string"}"#, #"true"#, .compatible, .incompatible),
        Change(#"{"type": "string"}"#, #"false"#, .incompatible, .compatible),
        Change(#"{"enum": ["a", "b"]}"#, #"{"enum": ["b", "a", "c"]}"#, .compatible, .incompatible),
        Change(#"{"enum": ["a", "b"]}"#, #"{"enum": ["b", "a"]}"#, .compatible, .compatible),
        Change(#"{"enum": ["a"]}"#, #"{"const": "a"}"#, .compatible, .compatible),
        Change(#"{"enum": ["a", 1]}"#, #"{"type": "string"}"#, .incompatible, .incompatible),
        Change(#"{"enum": ["a", 1], "type": "string"}"#, #"{"enum": ["a"]}"#, .compatible, .compatible),
        Change(#"{"const": 1}"#, #"{"const": 1.0}"#, .compatible, .compatible),
        Change(#"{"const": 1}"#, #"{"const": 2}"#, .incompatible, .incompatible),
        Change(#"{"const": "abc"}"#, #"{"type": "string", "maxLength": 3}"#, .compatible, .incompatible),
        Change(
            #"{"const": {"a": [1]}}"#,
            #"{"properties": {"a": {"items": {"minimum": 2}}}}"#,
            .incompatible,
            .incompatible
        ),
        Change(#"{"type": "boolean"}"#, #"{"enum": [true, false]}"#, .compatible, .compatible),
        Change(#"{"type": "boolean"}"#, #"{"const": true}"#, .incompatible, .compatible),
        // Annotations.
        Change(
            #"{"type": "string", "title": "a", "description": "b", "examples": ["c"], "default": "d", "$comment": "e"}"#,
            #"{"type": "string", "deprecated": true, "x-own": 1, "$id": "https://example.com/f"}"#,
            .compatible,
            .compatible
        ),
        Change(
            #"{"properties": {"title": {"type": "string"}}, "not": {"title": "a"}}"#,
            #"{"properties": {"title": {"type": "null"}}, "not": {"title": "b"}}"#,
            .incompatible,
            .incompatible
        ),
    ]

    static let numbers = [
        Change(#"{"minimum": 1}"#, #"{"minimum": 0}"#, .compatible, .incompatible),
        Change(#"{"maximum": 1}"#, #"{"maximum": 2}"#, .compatible, .incompatible),
        Change(#"{"minimum": 1}"#, #"{}"#, .compatible, .incompatible),
        Change(#"{"type": "string", "minimum": 1}"#, #"{"type": "string"}"#, .compatible, .compatible),
        Change(#"{"exclusiveMinimum": 0}"#, #"{"minimum": 0}"#, .compatible, .incompatible),
        Change(#"{"exclusiveMaximum": 0}"#, #"{"maximum": 0}"#, .compatible, .incompatible),
        Change(
            #"{"type": "integer", "exclusiveMinimum": 0}"#,
            #"{"type": "integer", "minimum": 1}"#,
            .compatible,
            .compatible
        ),
        Change(
            #"{"type": "integer", "exclusiveMaximum": 3}"#,
            #"{"type": "integer", "maximum": 2}"#,
            .compatible,
            .compatible
        ),
        Change(#"{"minimum": 9223372036854775807}"#, #"{"minimum": 9223372036854775806}"#, .compatible, .incompatible),
        Change(#"{"multipleOf": 6}"#, #"{"multipleOf": 3}"#, .compatible, .incompatible),
        Change(#"{"multipleOf": 0.3}"#, #"{"multipleOf": 0.1}"#, .compatible, .incompatible),
        Change(#"{"type": "integer"}"#, #"{"type": "integer", "multipleOf": 0.5}"#, .compatible, .compatible),
        Change(#"{"type": "integer"}"#, #"{"type": "integer", "multipleOf": 2}"#, .incompatible, .compatible),
        Change(#"{"exclusiveMinimum": true}"#, #"{"exclusiveMinimum": false}"#, .unknown, .unknown),
    ]

    static let texts = [
        Change(#"{"minLength": 2}"#, #"{"minLength": 1}"#, .compatible, .incompatible),
        Change(#"{"type": "string"}"#, #"{"type": "string", "minLength": 0}"#, .compatible, .compatible),
        Change(#"{"maxLength": 2}"#, #"{"maxLength": 3}"#, .compatible, .incompatible),
        Change(#"{"type": "string", "pattern": "^a"}"#, #"{"type": "string"}"#, .compatible, .incompatible),
        Change(#"{"type": "string", "pattern": "^a"}"#, #"{"type": "string", "pattern": "a"}"#, .unknown, .unknown),
        Change(#"{"type": "string", "format": "uri"}"#, #"{"type": "string"}"#, .compatible, .incompatible),
        Change(#"{"format": "uri"}"#, #"{"format": "uri-reference"}"#, .compatible, .unknown),
        Change(#"{"format": "date"}"#, #"{"format": "date-time"}"#, .unknown, .unknown),
        Change(#"{"enum": ["a"]}"#, #"{"enum": ["a"], "pattern": "a"}"#, .unknown, .compatible),
    ]

    static let objects = [
        // A member that need not be there.
        Change(
            #"{"type": "object", "properties": {"a": {"type": "string"}}}"#,
            #"{"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}"#,
            .compatible,
            .compatible
        ),
        Change(
            #"{"type": "object", "properties": {"a": {}}, "additionalProperties": false}"#,
            #"{"type": "object", "properties": {"a": {}, "b": {}}, "additionalProperties": false}"#,
            .compatible,
            .incompatible
        ),
        Change(
            #"{"type": "object", "properties": {"a": {}}}"#,
            #"{"type": "object", "properties": {"a": {}}, "additionalProperties": false}"#,
            .compatible,
            .compatible
        ),
        // What is open may have anything.
        Change(
            #"{"properties": {"a": {}}, "additionalProperties": true}"#,
            #"{"properties": {"a": {}, "b": {"type": "string"}}, "additionalProperties": true}"#,
            .incompatible,
            .compatible
        ),
        Change(
            #"{"type": "object"}"#,
            #"{"type": "object", "properties": {"a": {"type": "null"}}}"#,
            .incompatible,
            .compatible
        ),
        Change(
            #"{"properties": {}, "additionalProperties": {"type": "integer"}}"#,
            #"{"properties": {}, "additionalProperties": {"type": "number"}}"#,
            .compatible,
            .incompatible
        ),
        Change(
            #"{"properties": {"a": {"type": "string"}}}"#,
            #"{"properties": {}, "additionalProperties": {"type": "integer"}}"#,
            .incompatible,
            .incompatible
        ),
        Change(
            #"{"properties": {}, "additionalProperties": {"type": "integer"}}"#,
            #"{"properties": {"a": {"type": "integer"}}, "additionalProperties": {"type": "integer"}}"#,
            .compatible,
            .compatible
        ),
        // Members that must be there.
        Change(
            #"{"type": "object", "properties": {"a": {}}}"#,
            #"{"type": "object", "properties": {"a": {}}, "required": ["a"]}"#,
            .incompatible,
            .compatible
        ),
        Change(
            #"{"type": "object", "properties": {"a": {}}, "required": ["a"]}"#,
            #"{"type": "object", "properties": {}}"#,
            .compatible,
            .incompatible
        ),
        Change(
            #"{"properties": {}, "required": ["a"]}"#,
            #"{"properties": {"a": {"type": "string"}}, "required": ["a"]}"#,
            .incompatible,
            .compatible
        ),
        Change(#"{"required": ["a", "b"]}"#, #"{"required": ["b", "a"]}"#, .compatible, .compatible),
        Change(#"{"required": ["a", "b"]}"#, #"{"minProperties": 2}"#, .compatible, .incompatible),
        Change(#"{"maxProperties": 2}"#, #"{"maxProperties": 3}"#, .compatible, .incompatible),
        // What is within.
        Change(
            #"{"properties": {"a": {"properties": {"b/~": {"maximum": 1}}}}}"#,
            #"{"properties": {"a": {"properties": {"b/~": {"maximum": 2}}}}}"#,
            .compatible,
            .incompatible
        ),
        Change(
            #"{"properties": {"a": false}}"#,
            #"{"properties": {"a": {"type": "string"}}}"#,
            .compatible,
            .incompatible
        ),
    ]

    static let arrays = [
        Change(#"{"type": "array", "items": {"type": "integer"}}"#, #"{"type": "array"}"#, .compatible, .incompatible),
        Change(#"{"items": {"type": "integer"}}"#, #"{"items": {"type": "number"}}"#, .compatible, .incompatible),
        Change(#"{"minItems": 1}"#, #"{"minItems": 0}"#, .compatible, .incompatible),
        Change(#"{"maxItems": 1}"#, #"{"maxItems": 2}"#, .compatible, .incompatible),
        Change(#"{"maxItems": 0}"#, #"{"maxItems": 0, "items": false}"#, .compatible, .compatible),
        Change(#"{"uniqueItems": true}"#, #"{"uniqueItems": false}"#, .compatible, .incompatible),
        Change(
            #"{"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "integer"}}"#,
            #"{"type": "array", "items": {"type": ["integer", "string"]}}"#,
            .compatible,
            .unknown
        ),
        Change(
            #"{"prefixItems": [{}], "items": false}"#,
            #"{"prefixItems": [{}], "items": false}"#,
            .compatible,
            .compatible
        ),
        Change(#"{"prefixItems": [true]}"#, #"{"prefixItems": [true, true]}"#, .unknown, .unknown),
    ]

    static let alternatives = [
        Change(
            #"{"oneOf": [{"type": "string"}]}"#,
            #"{"oneOf": [{"type": "string"}, {"type": "null"}]}"#,
            .compatible,
            .incompatible
        ),
        Change(
            #"{"type": ["string", "null"]}"#,
            #"{"anyOf": [{"type": "null"}, {"type": "string"}]}"#,
            .compatible,
            .compatible
        ),
        Change(#"{"type": "string"}"#, #"{"oneOf": [{"type": "string"}, {"minLength": 1}]}"#, .unknown, .incompatible),
        Change(#"{"type": "string"}"#, #"{"anyOf": [{"maxLength": 1}, {"minLength": 2}]}"#, .unknown, .incompatible),
        Change(
            #"{"allOf": [{"minimum": 1}, {"maximum": 2}]}"#,
            #"{"minimum": 1, "maximum": 2}"#,
            .compatible,
            .compatible
        ),
        Change(#"{"allOf": [{"minimum": 1}, {"maximum": 2}]}"#, #"{"minimum": 0}"#, .compatible, .incompatible),
        // Types of events, told apart by a member.
        Change(events(a: "", b: ""), events(a: #","x":{"type":"string"}"#, b: ""), .compatible, .compatible),
        Change(
            #"{"type": "object", "oneOf": [\#(event("A"))]}"#,
            #"{"type": "object", "oneOf": [\#(event("A")), \#(event("B"))]}"#,
            .compatible,
            .incompatible
        ),
        Change(
            #"{"oneOf": [\#(event("A", required: #","x""#)), \#(event("B"))]}"#,
            #"{"oneOf": [\#(event("B")), \#(event("A"))]}"#,
            .compatible,
            .incompatible
        ),
        // A name that is an alternative now.
        Change(#"{"const": "a"}"#, #"{"oneOf": [{"const": "a"}, {"const": "b"}]}"#, .compatible, .incompatible),
    ]

    static func event(_ type: String, properties: String = "", required: String = "") -> String {
        #"{"type":"object","required":["type"\#(required)],"properties":{"type":{"const":"\#(type)"}\#(properties)}}"#
    }

    static func events(a: String, b: String) -> String {
        #"{"oneOf": [\#(event("A", properties: a)), \#(event("B", properties: b))]}"#
    }

    static let references = [
        Change(
            ##"{"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}}"##,
            ##"{"type": "string"}"##,
            .compatible,
            .compatible
        ),
        Change(
            ##"{"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}}"##,
            ##"{"$ref": "#/$defs/a", "$defs": {"a": {"type": ["string", "null"]}}}"##,
            .compatible,
            .incompatible
        ),
        Change(
            ##"{"$ref": "#name", "$defs": {"a": {"$anchor": "name", "type": "string"}}}"##,
            ##"{"$ref": "#/$defs/a%7E0~1", "$defs": {"a~0/": {"type": "integer"}, "a~/": {"type": "string"}}}"##,
            .compatible,
            .compatible
        ),
        // Definitions that nothing refers to.
        Change(
            ##"{"$defs": {"a": {"type": "string"}}}"##,
            ##"{"$defs": {"a": {"type": "null"}}}"##,
            .compatible,
            .compatible
        ),
        Change(##"{"$ref": "#/$defs/a"}"##, ##"{"$ref": "#/$defs/b"}"##, .unknown, .unknown),
        // Circles.
        Change(tree(#"{"type": "integer"}"#), tree(#"{"type": "integer", "title": "a"}"#), .compatible, .compatible),
        Change(tree(#"{"type": "integer"}"#), tree(#"{"type": "number"}"#), .compatible, .incompatible),
        Change(##"{"$ref": "#"}"##, ##"{"allOf": [{"$ref": "#"}]}"##, .compatible, .compatible),
    ]

    static func tree(_ value: String) -> String {
        ##"{"type":"object","properties":{"value":\##(value),"children":{"type":"array","items":{"$ref":"#"}}}}"##
    }

    static let opaque = [
        Change(#"{"not": {"const": 1}}"#, #"{"not": {"const": 1, "title": "a"}}"#, .compatible, .compatible),
        Change(#"{"not": {"const": 1}}"#, #"{"not": {"const": 2}}"#, .unknown, .unknown),
        Change(#"{"type": "string", "not": {"const": 1}}"#, #"{"type": "string"}"#, .compatible, .unknown),
        Change(#"{"if": {"minimum": 1}, "then": true}"#, #"{"if": {"minimum": 1}, "then": false}"#, .unknown, .unknown),
        Change(#"{"contains": {"const": 1}}"#, #"{}"#, .compatible, .unknown),
        Change(#"{"type": "string", "contains": {}}"#, #"{"type": "string"}"#, .compatible, .compatible),
        Change(#"{"unevaluatedProperties": false}"#, #"{"unevaluatedProperties": false}"#, .compatible, .compatible),
        Change(
            #"{"unevaluatedProperties": false, "properties": {"a": {}}}"#,
            #"{"unevaluatedProperties": false, "properties": {"a": {}, "b": {}}}"#,
            .unknown,
            .unknown
        ),
        Change(
            #"{"patternProperties": {"^a": {"type": "string"}}}"#,
            #"{"patternProperties": {"^a": {"type": "string"}}, "properties": {"b": {"type": "null"}}}"#,
            .unknown,
            .compatible
        ),
        // What is no schema.
        Change(#"{"type": "string"}"#, #"{"type": "text"}"#, .unknown, .incompatible),
        Change(#"{"type": "string"}"#, #"7"#, .unknown, .incompatible),
        Change(#"{"required": "a"}"#, #"{"required": ["a"]}"#, .incompatible, .unknown),
        Change(#"{"oneOf": {}}"#, #"{"oneOf": []}"#, .incompatible, .unknown),
    ]
}
