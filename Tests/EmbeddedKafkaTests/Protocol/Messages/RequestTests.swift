import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("Requests")
struct RequestTests {
    @Test("A request with every field set is read to its end, with the right values", arguments: RequestSample.all)
    func isRead(sample: RequestSample) throws {
        let (remaining, isExpected) = try sample.read(sample.bytes)
        #expect(remaining == 0)
        #expect(isExpected)
    }

    @Test("A request that ends early is refused, wherever it ends", arguments: RequestSample.all)
    func isTruncated(sample: RequestSample) {
        for length in sample.bytes.indices {
            #expect(throws: WireError.self, "\(length) bytes") {
                _ = try sample.read(Array(sample.bytes.prefix(length)))
            }
        }
    }

    @Test("Whatever the bytes are, they are read or refused", arguments: APIKey.allCases)
    func isMutated(api: APIKey) {
        let samples = RequestSample.all.filter { $0.api == api && !$0.bytes.isEmpty }
        var random = SeededGenerator(seed: UInt64(api.rawValue) &+ 1)
        var refused = 0
        for round in 0..<(samples.isEmpty ? 0 : 2000) {
            var bytes = samples[round % samples.count].bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let index = Int.random(in: bytes.indices, using: &random)
                switch UInt8.random(in: 0...3, using: &random) {
                case 0: bytes[index] = .random(in: .min ... .max, using: &random)
                case 1: bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &random)
                case 2: bytes[index] = [0x00, 0x7f, 0x80, 0xff].randomElement(using: &random) ?? 0
                default: bytes.insert(.random(in: .min ... .max, using: &random), at: index)
                }
            }
            do { _ = try samples[round % samples.count].read(bytes) } catch { refused += 1 }
        }
        // Every request but those of one number or flag has a length to spoil.
        #expect(refused > 0 || samples.isEmpty)
    }
}
