import Foundation
import SchemaCompatibility
import Testing

struct SchemaCompatibilityTests {
    /// A change, and what is wrong with it for new readers (backward) and for old ones (forward).
    struct Change: Sendable, CustomTestStringConvertible {
        var name: String
        var old: String
        var new: String
        var backward: [String] = []
        var forward: [String] = []

        var testDescription: String { self.name }
    }

    static let changes: [Change] = [
        Change(name: "nothing", old: #"{"type":"object"}"#, new: #"{"type":"object"}"#),
        Change(
            name: "words",
            old: #"{"title":"A","type":"string","examples":["x"]}"#,
            new: #"{"description":"B","type":"string","$comment":"c","default":"y"}"#
        ),
        Change(
            name: "an optional member",
            old: #"{"type":"object","properties":{"a":{"type":"string"}}}"#,
            new: #"{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"}}}"#
        ),
        Change(
            name: "a required member",
            old: #"{"type":"object","required":["a"],"properties":{"a":{}}}"#,
            new: #"{"type":"object","required":["a","b"],"properties":{"a":{},"b":{}}}"#,
            backward: [#"the member "b" is required now"#]
        ),
        Change(
            name: "another type",
            old: #"{"properties":{"a":{"type":"string"}}}"#,
            new: #"{"properties":{"a":{"type":"integer"}}}"#,
            backward: ["#/properties/a: a value of the type string is no longer allowed"],
            forward: ["#/properties/a: a value of the type integer is no longer allowed"]
        ),
        Change(
            name: "a wider type",
            old: #"{"type":"integer"}"#,
            new: #"{"type":["number","null"]}"#,
            forward: ["a value of the type null, number is no longer allowed"]
        ),
        Change(
            name: "one value more",
            old: #"{"enum":["a","b"]}"#,
            new: #"{"enum":["a","b","c"]}"#,
            forward: [#"the value "c" is no longer allowed"#]
        ),
        Change(
            name: "a limited value",
            old: #"{"type":"string"}"#,
            new: #"{"const":"a"}"#,
            backward: ["only some values are allowed now"]
        ),
        Change(
            name: "closed",
            old: #"{"type":"object","properties":{"a":{},"b":{}}}"#,
            new: #"{"type":"object","properties":{"a":{}},"additionalProperties":false}"#,
            backward: [
                #"the member "b" is no longer allowed"#, "members that are not described are no longer allowed",
            ]
        ),
        Change(
            name: "other additional members",
            old: #"{"type":"object","additionalProperties":{"type":"string"}}"#,
            new: #"{"type":"object","additionalProperties":{"type":"integer"}}"#,
            backward: ["#/additionalProperties: a value of the type string is no longer allowed"],
            forward: ["#/additionalProperties: a value of the type integer is no longer allowed"]
        ),
        Change(
            name: "elements",
            old: #"{"type":"array","items":{"type":"string"}}"#,
            new: #"{"type":"array","items":{"type":"string","minLength":1},"minItems":1}"#,
            backward: ["`minItems` is 1 now", "#/items: `minLength` is 1 now"]
        ),
        Change(
            name: "numbers",
            old: #"{"type":"integer","minimum":0,"maximum":10}"#,
            new: #"{"type":"integer","exclusiveMinimum":0,"exclusiveMaximum":11}"#,
            backward: ["`exclusiveMinimum` is 0 now"],
            forward: ["`maximum` is 10 now"]
        ),
        Change(
            name: "a coarser step",
            old: #"{"type":"integer","multipleOf":5}"#,
            new: #"{"type":"integer","multipleOf":10}"#,
            backward: ["`multipleOf` is 10 now"]
        ),
        Change(
            name: "a pattern",
            old: #"{"type":"string","pattern":"^a"}"#,
            new: #"{"type":"string","pattern":"^b","format":"uri"}"#,
            backward: ["`pattern` is \"^b\" now", "`format` is \"uri\" now"],
            forward: ["`pattern` is \"^a\" now"]
        ),
        Change(
            name: "limits of types that can't be",
            old: #"{"type":"string"}"#,
            new: #"{"type":"string","minimum":5,"minItems":3,"required":["a"]}"#
        ),
        Change(
            name: "an alternative more",
            old:
                ##"{"oneOf":[{"$ref":"#/$defs/A"}],"$defs":{"A":{"required":["t"],"properties":{"t":{"const":"A"}}}}}"##,
            new:
                ##"{"oneOf":[{"$ref":"#/$defs/A"},{"properties":{"t":{"const":"B"}}}],"$defs":{"A":{"required":["t"],"properties":{"t":{"const":"A"}}}}}"##,
            forward: ["no alternative allows what was allowed (B)"]
        ),
        Change(
            name: "a change within an alternative",
            old:
                #"{"oneOf":[{"properties":{"type":{"const":"A"},"n":{"type":"integer"}}},{"properties":{"type":{"const":"B"}}}]}"#,
            new:
                #"{"oneOf":[{"properties":{"type":{"const":"B"}}},{"properties":{"type":{"const":"A"},"n":{"type":"integer","minimum":0}}}]}"#,
            backward: ["#/oneOf/1/properties/n: `minimum` is 0 now"]
        ),
        Change(
            name: "parts of a whole",
            old: ##"{"allOf":[{"$ref":"#/$defs/a"},{"minLength":2}],"$defs":{"a":{"type":"string"}}}"##,
            new: ##"{"type":"string","minLength":2}"##
        ),
        Change(
            name: "a schema of itself",
            old: ##"{"properties":{"next":{"$ref":"#"}},"required":["v"]}"##,
            new: ##"{"properties":{"next":{"$ref":"#"}},"required":["v","w"]}"##,
            backward: [#"the member "w" is required now"#]
        ),
        Change(name: "nothing allowed", old: "true", new: "false", backward: ["nothing is allowed here any more"]),
        Change(
            name: "what is not understood",
            old: #"{"type":"object"}"#,
            new: #"{"type":"object","if":{"required":["a"]}}"#,
            backward: ["`if` was not there, or not the same"]
        ),
        Change(
            name: "a reference to nothing",
            old: #"{"type":"object"}"#,
            new: ##"{"$ref":"#/$defs/a"}"##,
            backward: ["#/$defs/a is not found"],
            forward: ["#/$defs/a is not found"]
        ),
    ]

    @Test(arguments: changes)
    func aChangeIsJudged(change: Change) throws {
        let compatibility = try Self.compatibility(["a": change.old], ["a": change.new])
        for (mode, expected) in [
            (SchemaCompatibility.Mode.backward, change.backward), (.forward, change.forward),
            (.full, change.backward + change.forward),
        ] {
            let found = compatibility.problems(mode).map(\.description)
            for text in expected { #expect(found.contains { $0.contains(text) }, "\(mode): \(text) in \(found)") }
            for text in found {
                #expect(expected.contains { text.contains($0) }, "\(mode): \(text)")
            }
        }
    }

    @Test func whatIsNotUnderstoodIsTold() throws {
        let compatibility = try Self.compatibility(["a": "{}"], ["a": #"{"not":{"type":"string"}}"#])
        #expect(compatibility.problems(.backward).map(\.isUncertain) == [true])
        #expect(compatibility.problems(.forward).isEmpty)
    }

    @Test func filesReferToEachOther() throws {
        let old = [
            "event": ##"{"properties":{"at":{"$ref":"common.schema.json#/$defs/time"}}}"##,
            "common": #"{"$defs":{"time":{"type":"string"}}}"#,
        ]
        var new = old
        new["common"] = #"{"$defs":{"time":{"type":"string","maxLength":20}}}"#
        #expect(
            try Self.compatibility(old, new).problems(.backward).map(\.description)
                == ["common.schema.json#/$defs/time: `maxLength` is 20 now, and less was asked for before"]
        )
        #expect(try Self.compatibility(old, new).problems(.forward).isEmpty)
        new["event"] = nil
        #expect(
            try Self.compatibility(old, new).problems(.backward).map(\.description)
                == ["event.schema.json: there is no schema of this name to read it by"]
        )
        #expect(try Self.compatibility(new, old).problems(.backward).isEmpty, "one more does no harm")
    }

    @Test(arguments: ["1", "[]", #""x""#, "null", #"{"$ref":7,"type":{},"properties":[],"required":{},"enum":3}"#])
    func nonsenseDoesNotTrap(text: String) throws {
        for mode in SchemaCompatibility.Mode.allCases {
            _ = try Self.compatibility(["a": text], ["a": #"{"type":"object"}"#]).problems(mode)
            _ = try Self.compatibility(["a": text], ["a": text]).problems(mode)
        }
    }

    @Test func manyAlternativesComeToAnEnd() throws {
        let branch = #"{"anyOf":[{"minLength":1},{"minLength":2},{"minLength":3},{"minLength":4}]}"#
        let text = "{\"allOf\":[\(Array(repeating: branch, count: 30).joined(separator: ","))]}"
        let problems = try Self.compatibility(["a": text], ["a": #"{"minLength":9,"type":"string"}"#]).problems(
            .backward
        )
        #expect(problems.contains { $0.isUncertain })
    }

    @Test func aFileThatIsNoJSONIsAnError() throws {
        #expect {
            try Self.compatibility(["a": "{"], ["a": "{}"])
        } throws: { error in
            "\(error)".hasSuffix("a.schema.json is not JSON, or nested too deeply")
        }
        #expect(throws: SchemaDirectory.ReadingError.self) {
            try SchemaDirectory(at: URL(filePath: "/nowhere/\(UUID())"))
        }
    }

    private static func compatibility(_ old: [String: String], _ new: [String: String]) throws -> SchemaCompatibility {
        SchemaCompatibility(old: try self.directory(old), new: try self.directory(new))
    }

    private static func directory(_ files: [String: String]) throws -> SchemaDirectory {
        let folder = FileManager.default.temporaryDirectory.appending(component: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in files {
            try Data(text.utf8).write(to: folder.appending(component: "\(name).schema.json"))
        }
        return try SchemaDirectory(at: folder)
    }
}
