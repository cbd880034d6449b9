import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("Bytes that another implementation writes")
struct PeerTests {
    @Test("Every API's requests are read, with their headers", arguments: PeerVectors.requests)
    func requests(vector: PeerVectors.Vector) throws {
        var reader = WireReader(ByteBuffer(bytes: vector.bytes), isFlexible: false)
        let header = try RequestHeader(from: &reader)
        #expect(
            header
                == RequestHeader(apiKey: vector.api, apiVersion: vector.version, correlationID: 258, clientID: "peer")
        )
        let sample = try #require(
            RequestSample.all.first { $0.api.rawValue == vector.api && $0.version == vector.version }
        )
        let (remaining, isExpected) = try sample.read(Array(vector.bytes.suffix(reader.remaining)))
        #expect(remaining == 0)
        #expect(isExpected)
    }

    @Test("Every API's responses are written alike, with their headers", arguments: PeerVectors.responses)
    func responses(vector: PeerVectors.Vector) throws {
        let sample = try #require(
            ResponseSample.all.first { $0.api.rawValue == vector.api && $0.version == vector.version }
        )
        var writer = WireWriter(isFlexible: sample.api.isFlexible(sample.version))
        ResponseHeader(correlationID: 258).write(to: &writer, api: sample.api)
        #expect(Array(writer.buffer.readableBytesView) + sample.write() == vector.bytes)
    }

    @Test("There is a vector for each API")
    func areComplete() {
        #expect(PeerVectors.requests.map(\.api) == APIKey.allCases.map(\.rawValue))
        #expect(PeerVectors.responses.map(\.api) == APIKey.allCases.map(\.rawValue))
    }
}
