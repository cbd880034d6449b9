import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("Headers")
struct HeaderTests {
    private func read(_ bytes: [UInt8]) throws -> (RequestHeader, WireReader) {
        var reader = WireReader(ByteBuffer(bytes: bytes), isFlexible: false)
        let header = try RequestHeader(from: &reader)
        return (header, reader)
    }

    @Test("Header version 1 ends with the client id")
    func versionOne() throws {
        let (header, reader) = try self.read([0, 3, 0, 8, 0, 0, 1, 2, 0, 2, 0x61, 0x62, 0xff])
        #expect(header == RequestHeader(apiKey: 3, apiVersion: 8, correlationID: 258, clientID: "ab"))
        #expect(!reader.isFlexible)
        #expect(reader.remaining == 1)
    }

    @Test("Header version 2 keeps the short client id and has tagged fields; the body is flexible")
    func versionTwo() throws {
        let (header, reader) = try self.read([0, 22, 0, 4, 0, 0, 0, 7, 0, 1, 0x61, 1, 9, 2, 0xaa, 0xbb, 0xff])
        #expect(header == RequestHeader(apiKey: 22, apiVersion: 4, correlationID: 7, clientID: "a"))
        #expect(reader.isFlexible)
        #expect(reader.remaining == 1)
    }

    @Test("A client need not say who it is")
    func nullClientID() throws {
        let (header, reader) = try self.read([0, 18, 0, 3, 0, 0, 0, 7, 0xff, 0xff, 0])
        #expect(header.clientID == nil)
        #expect(reader.remaining == 0)
    }

    @Test("The header of an ApiVersions request that is newer than we are is read, as is that of an unknown API")
    func newer() throws {
        let (versions, flexible) = try self.read([0, 18, 0, 99, 0, 0, 0, 7, 0, 0, 0, 0xff])
        #expect(versions == RequestHeader(apiKey: 18, apiVersion: 99, correlationID: 7, clientID: ""))
        #expect(flexible.remaining == 1)
        let (unknown, _) = try self.read([0x7f, 0xff, 0x80, 0, 0, 0, 0, 7, 0, 0])
        #expect(unknown == RequestHeader(apiKey: .max, apiVersion: .min, correlationID: 7, clientID: ""))
    }

    @Test("A header that ends early is refused", arguments: 0..<12)
    func truncated(length: Int) {
        let bytes: [UInt8] = [0, 22, 0, 4, 0, 0, 0, 7, 0, 1, 0x61, 0]
        #expect(throws: WireError.self) { _ = try self.read(Array(bytes.prefix(length))) }
    }

    @Test("A flexible response has a tagged header, but for ApiVersions (KIP-511)")
    func responses() {
        func bytes(_ api: APIKey, _ version: Int16) -> [UInt8] {
            var writer = WireWriter(isFlexible: api.isFlexible(version))
            ResponseHeader(correlationID: 258).write(to: &writer, api: api)
            return Array(writer.buffer.readableBytesView)
        }
        #expect(bytes(.metadata, 8) == [0, 0, 1, 2])
        #expect(bytes(.initProducerID, 1) == [0, 0, 1, 2])
        #expect(bytes(.initProducerID, 2) == [0, 0, 1, 2, 0])
        #expect(bytes(.describeCluster, 0) == [0, 0, 1, 2, 0])
        #expect(bytes(.apiVersions, 0) == [0, 0, 1, 2])
        #expect(bytes(.apiVersions, 3) == [0, 0, 1, 2])
    }
}
