import EventStreaming
import EventStreamingProtobuf
import SwiftProtobuf
import Testing

/// With messages that come with the library.
struct ProtobufSerdeTests {
    @Test func messagesComeBackAsTheyWere() throws {
        let serde = Serde<Google_Protobuf_Timestamp>.protobuf()
        var time = Google_Protobuf_Timestamp()
        time.seconds = 1_291_191_960
        time.nanos = 5
        let bytes = try serde.encode(time)
        #expect(try serde.decode(bytes) == time)
        #expect(serde.contentType == "application/protobuf")
        // Field 1 as a varint, field 2 as a varint (Protocol Buffers, "Encoding").
        #expect(bytes == [0x08, 0x98, 0x8D, 0xD8, 0xE7, 0x04, 0x10, 0x05])
    }

    @Test func anEmptyValueIsAMessageAndATombstoneIsNone() throws {
        let serde = Serde<Google_Protobuf_Timestamp>.protobuf()
        #expect(try serde.encode(Google_Protobuf_Timestamp()) == [])
        #expect(try serde.decode([]) == Google_Protobuf_Timestamp())
        #expect(throws: SerdeError.self) { try serde.decode(nil) }
        #expect(try Serde<Google_Protobuf_Timestamp?>.optional(serde).decode(nil) == nil)
    }

    @Test(
        arguments: [[0x08], [0xFF, 0xFF], [0x0A, 0x7F, 1], [0x08] + [UInt8](repeating: 0xFF, count: 11)] as [[UInt8]]
    )
    func garbageIsAnErrorThatNamesTheType(bytes: [UInt8]) {
        #expect {
            try Serde<Google_Protobuf_Timestamp>.protobuf().decode(bytes)
        } throws: { error in
            (error as? SerdeError)?.message.contains("google.protobuf.Timestamp") == true
        }
    }

    @Test func unknownFieldsAreKeptUnlessTheyAreDiscarded() throws {
        // Field 9, a varint, is not one of Timestamp's.
        let bytes: [UInt8] = [0x08, 0x01, 0x48, 0x07]
        let keeping = Serde<Google_Protobuf_Timestamp>.protobuf()
        #expect(try keeping.encode(keeping.decode(bytes)) == bytes)
        let discarding = Serde<Google_Protobuf_Timestamp>.protobuf(discardsUnknownFields: true)
        #expect(try discarding.encode(discarding.decode(bytes)) == [0x08, 0x01])
    }

    @Test func nestedMessagesOfManyKinds() throws {
        let serde = Serde<Google_Protobuf_Struct>.protobuf()
        let value = try Google_Protobuf_Struct(jsonString: #"{"a":[1,true,null,{"b":"ü"}]}"#)
        #expect(try serde.decode(serde.encode(value)) == value)
    }
}
