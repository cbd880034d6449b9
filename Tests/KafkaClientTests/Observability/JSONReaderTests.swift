import Testing

@testable import KafkaClient

/// The reader of librdkafka's statistics takes JSON and nothing else, and no bytes make it trap.
struct JSONReaderTests {
    private func integer(_ text: String) throws -> Int64 {
        var reader = JSONReader(Array(text.utf8))
        let value = try reader.integer()
        try reader.end()
        return value
    }

    private func string(_ text: String) throws -> String {
        var reader = JSONReader(Array(text.utf8))
        let value = try reader.string()
        try reader.end()
        return value
    }

    private func skip(_ bytes: [UInt8]) throws {
        var reader = JSONReader(bytes)
        try reader.skip()
        try reader.end()
    }

    private func skip(_ text: String) throws {
        try self.skip(Array(text.utf8))
    }

    @Test func integers() throws {
        #expect(try self.integer("0") == 0)
        #expect(try self.integer(" \n\t\r-17 ") == -17)
        #expect(try self.integer("9223372036854775807") == .max)
        #expect(try self.integer("-9223372036854775808") == .min)
    }

    @Test(arguments: [
        "9223372036854775808", "-9223372036854775809", "18446744073709551615", "1.0", "1e3", "01", "-", "+1", "", "0x1",
        "1 2", "true", "\"1\"", "--1",
    ])
    func whatIsNoInteger(text: String) {
        #expect(throws: JSONReader.Failure.self) { try self.integer(text) }
    }

    @Test func strings() throws {
        #expect(try self.string(#""""#) == "")
        #expect(try self.string(#""orders""#) == "orders")
        #expect(try self.string(#""a\"b\\c\/d\b\f\n\r\t""#) == "a\"b\\c/d\u{8}\u{C}\n\r\t")
        #expect(try self.string(#""\u0041\u00e9\uD83D\uDE00é😀""#) == "A\u{e9}😀é😀")
    }

    @Test(arguments: [
        #"""#, #""abc"#, #""a\"#, #""a\""#, #""\x""#, #""\u12""#, #""\u12G4""#, #""\uD83D""#, #""\uD83Dx""#,
        #""\uDE00""#, #""\uD83D\u0041""#, "\"a\nb\"", "abc", "1",
    ])
    func whatIsNoString(text: String) {
        #expect(throws: JSONReader.Failure.self) { try self.string(text) }
    }

    @Test func stringsAreUTF8() {
        #expect(throws: JSONReader.Failure(reason: .badString, position: 1)) {
            var reader = JSONReader([0x22, 0xFF, 0xFE, 0x22])
            _ = try reader.string()
        }
    }

    @Test(arguments: [
        "{}", "[]", "null", "true", "false", "-0.5e+10", "0", #"{"a":[1,2,{"b":null}],"c":"x","d":{}}"#,
        " [ 1 , 2 ] ", #"{"":""}"#,
    ])
    func passesOver(text: String) throws {
        try self.skip(text)
    }

    @Test(arguments: [
        "", "{", "}", "[", "]", "[1,]", "[,1]", "{,}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, "{a:1}", "nul", "nulls",
        "tru", "[1 2]", "1.", ".5", "1e", "1e+", "[]]", "{}{}", "'a'", "\u{FEFF}{}", "NaN", "Infinity",
    ])
    func whatIsNoJSON(text: String) {
        #expect(throws: JSONReader.Failure.self) { try self.skip(text) }
    }

    @Test func nestingIsBounded() throws {
        try self.skip(String(repeating: "[", count: 32) + String(repeating: "]", count: 32))
        for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
            let depth = 100_000
            #expect {
                try self.skip(String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth))
            } throws: {
                ($0 as? JSONReader.Failure)?.reason == .tooDeep
            }
        }
    }

    @Test func namesAreCompared() throws {
        var reader = JSONReader(Array(#"{"ab":1,"abc":2,"a":3,"":4}"#.utf8))
        var found: [Int64] = []
        try reader.object { (reader, name) throws(JSONReader.Failure) in
            switch name {
            case "abc": found.append(try reader.integer())
            case "": found.append(try reader.integer() * 10)
            default: try reader.skip()
            }
        }
        #expect(found == [2, 40])
    }

    /// A member that is not read is no way out.
    @Test func membersMustBeRead() {
        #expect(throws: JSONReader.Failure(reason: .unexpectedByte, position: 5)) {
            var reader = JSONReader(Array(#"{"a":1}"#.utf8))
            try reader.object { (_, _) throws(JSONReader.Failure) in }
        }
    }
}
