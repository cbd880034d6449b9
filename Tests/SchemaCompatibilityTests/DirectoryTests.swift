import Foundation
import SchemaCompatibility
import Testing

/// Files of a directory, what is said of them, and what no file may do to the comparison.
@Suite struct DirectoryTests {
    private static let event = #"{"type": "object", "properties": {"a": {"type": "string"}}}"#

    @Test func filesThatAreGoneAndNew() throws {
        let one = ["a.json": Self.event]
        let two = ["a.json": Self.event, "folder/b.json": Self.event]
        #expect(try compare(one, two, mode: .full).findings.isEmpty)
        #expect(try compare(two, one, mode: .forward).findings.isEmpty)
        let findings = try compare(two, one, mode: .backward).findings
        #expect(findings.map(\.file) == ["folder/b.json"])
        #expect(findings.map(\.verdict) == [.incompatible])
        // A file of definitions is nothing that anybody reads.
        let definitions = #"{"$id": "https://example.com/c.json", "$defs": {"c": {"type": "string"}}}"#
        #expect(try compare(["c.json": definitions], [:], mode: .full).findings.isEmpty)
        #expect(try compare([:], [:], mode: .full).findings.isEmpty)
    }

    @Test func otherFilesAreLetBe() throws {
        #expect(try compare(["a.yaml": "a: 1", "b.txt": "b"], ["a.yaml": "- 2"], mode: .full).findings.isEmpty)
    }

    @Test(arguments: [
        "common.json#/$defs/id", "./common.json#/$defs/id", "../schemas/common.json#/$defs/id",
        "https://example.com/schemas/common.json#/$defs/id", "common.json#id",
    ])
    func referencesToOtherFiles(_ reference: String) throws {
        func files(_ type: String) -> [String: String] {
            [
                "event.json": """
                {"$id": "https://example.com/schemas/event.json", "properties": {"id": {"$ref": "\(reference)"}}}
                """,
                "common.json": """
                {"$id": "https://example.com/schemas/common.json", "$defs": {"id": {"$anchor": "id", "type": "\(type)"}}}
                """,
            ]
        }
        #expect(try compare(files("string"), files("string"), mode: .full).findings.isEmpty)
        #expect(try compare(files("integer"), files("number"), mode: .backward).findings.isEmpty)
        let findings = try compare(files("number"), files("integer"), mode: .backward).findings
        #expect(findings.map(\.file) == ["common.json"])
        #expect(findings.map(\.pointer) == ["/$defs/id/type"])
    }

    @Test func referencesByPath() throws {
        let files = ["a/b/event.json": #"{"$ref": "../common.json"}"#, "a/common.json": #"{"type": "string"}"#]
        var changed = files
        changed["a/common.json"] = #"{"type": "null"}"#
        let findings = try compare(files, changed, mode: .backward).findings
        #expect(findings.map(\.file) == ["a/common.json"])
    }

    @Test func sentencesNameThePlace() throws {
        let old = #"{"properties": {"a/b": {"type": "string"}, "c": {}}}"#
        let new = #"{"properties": {"a/b": {"type": "null"}, "c": {}}, "required": ["c"]}"#
        #expect(
            try compare(["e.json": old], ["e.json": new], mode: .backward).findings.map(\.description) == [
                "e.json#/properties/a~1b/type: incompatible (backward): The type string is not accepted by the new schema, "
                    + "and allowed by the old one.",
                "e.json#/required: incompatible (backward): The new schema requires the member `c`, and the old one does "
                    + "not.",
            ]
        )
        #expect(
            try compare(["e.json": old], ["e.json": new], mode: .forward).findings.map(\.description) == [
                "e.json#/properties/a~1b/type: incompatible (forward): The old schema does not accept null, which the "
                    + "new one allows."
            ]
        )
    }

    @Test func aTypeOfEventThatIsGone() throws {
        func document(_ types: [String]) -> String {
            let definitions = types.map { #""\#($0)": \#(RuleTests.event($0))"# }
            let references = types.map { ##"{"$ref": "#/$defs/\##($0)"}"## }
            return
                #"{"oneOf": [\#(references.joined(separator: ","))], "$defs": {\#(definitions.joined(separator: ","))}}"#
        }
        let report = try compare(
            ["e.json": document(["A", "B", "C"])],
            ["e.json": document(["C", "A"])],
            mode: .backward
        )
        #expect(
            report.findings.map(\.description) == [
                "e.json#/oneOf: incompatible (backward): No alternative of the new schema accepts what the old one has at "
                    + "e.json#/$defs/B."
            ]
        )
    }

    @Test func aMemberOfOneTypeOfEvent() throws {
        let old = #"{"oneOf": [\#(RuleTests.event("A")), \#(RuleTests.event("B"))]}"#
        let new = #"{"oneOf": [\#(RuleTests.event("A")), \#(RuleTests.event("B", required: #", "x""#))]}"#
        let findings = try compare(["e.json": old], ["e.json": new], mode: .backward).findings
        #expect(findings.map(\.pointer) == ["/oneOf/1/required"])
        #expect(findings.map(\.verdict) == [.incompatible])
    }

    // MARK: Files that are not as they should be

    @Test(
        arguments: [
            "", "{", "null", "[]", "7", #""text""#, "1e999", #"{"minimum": 1e999}"#, "\u{FEFF}{}", #"{"a": "\ud800"}"#,
            String(repeating: "[", count: 100_000), String(repeating: #"{"not":"#, count: 5_000),
            String(repeating: #"{"not":"#, count: 400) + "true" + String(repeating: "}", count: 400),
            String(repeating: #"{"items":"#, count: 400) + "{}" + String(repeating: "}", count: 400),
            String(repeating: #"{"allOf":["#, count: 200) + "{}" + String(repeating: "]}", count: 200),
            #"{"allOf": 1, "anyOf": {"a": 1}, "properties": [], "$defs": 7, "items": [], "$id": 1, "$ref": {}}"#,
            #"{"type": [], "enum": {}, "required": [1], "minLength": -1, "maxItems": "a", "multipleOf": 0, "pattern": 1}"#,
            ##"{"$ref": "#", "not": {"$ref": "#/not"}, "properties": {"a": {"$ref": "#/properties/a"}}}"##,
            ##"{"$ref": "other.json#/%", "allOf": [{"$ref": "#/~2"}, {"$ref": "%%#x"}, {"$ref": "/../../.."}]}"##,
        ]
    )
    func anyFile(_ text: String) throws {
        for other in [Self.event, "{}", "true", #"{"const": {"a": [null, 1, "b"]}}"#, text + " "] {
            for (old, new) in [(text, other), (other, text)] {
                // Whatever the verdict is, there is one.
                _ = try compare(["a.json": old], ["a.json": new], mode: .full)
            }
        }
    }

    @Test func whatIsNoJSONCannotBeTold() throws {
        for (old, new) in [("{", "{}"), ("{}", "{"), ("{", "{")] {
            #expect(Verdict(try compare(["a.json": old], ["a.json": new], mode: .backward)) == .unknown)
        }
        #expect(Verdict(try compare([:], ["a.json": "{"], mode: .backward)) == .unknown)
    }

    @Test(.timeLimit(.minutes(1)))
    func whatWouldTakeForever() throws {
        // Each definition refers to the next one many times; and choices multiply.
        func document(_ last: String, choices: Int) -> String {
            let definitions = (0..<30).map { index in
                let next = index == 29 ? last : ##"{"$ref": "#/$defs/d\##(index + 1)"}"##
                return #""d\#(index)": {"properties": {"a": \#(next), "b": \#(next), "c": \#(next)}}"#
            }
            let choice = (0..<choices).map {
                #"{"oneOf": [{"minimum": \#($0)}, {"maximum": \#($0)}, {"const": \#($0)}]}"#
            }
            return ##"{"$ref": "#/$defs/d0", "allOf": [\##(choice.joined(separator: ","))], "##
                + #""$defs": {\#(definitions.joined(separator: ","))}}"#
        }
        let old = document(#"{"type": "integer"}"#, choices: 0)
        let new = document(#"{"type": "string"}"#, choices: 0)
        #expect(Verdict(try compare(["a.json": old], ["a.json": new], mode: .backward)) == .incompatible)
        let choices = document(#"{"type": "integer"}"#, choices: 40)
        let others = document(#"{"type": "number"}"#, choices: 41)
        #expect(Verdict(try compare(["a.json": choices], ["a.json": others], mode: .full)) != .compatible)
    }

    @Test func aDirectoryThatIsNotThere() {
        #expect(throws: (any Error).self) { try SchemaDirectory(path: "/nowhere/schemas") }
        #expect(throws: (any Error).self) { try SchemaDirectory(path: #filePath) }
    }
}
