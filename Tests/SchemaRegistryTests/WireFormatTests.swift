import EmbeddedKafka
import EventStreaming
import KafkaClient
import Logging
import TestSupport
import Testing

@testable import SchemaRegistry

@Suite(.timeLimit(.minutes(1)))
struct WireFormatTests {
    private static let schema = RegistrySchema(.json, #"{"type":"integer"}"#)

    @Test func headersAreThoseOfConfluent() throws {
        #expect(WireHeader(id: 258).bytes == [0, 0, 0, 1, 2])
        #expect(WireHeader(id: 1, messageIndexes: [0]).bytes == [0, 0, 0, 0, 1, 0])
        // Zigzag: 2 is written as 4, 1 as 2, 300 as 600.
        #expect(WireHeader(id: 1, messageIndexes: [1, 300]).bytes == [0, 0, 0, 0, 1, 4, 2, 0xD8, 0x04])
        for indexes in [[0], [1], [0, 0], [5, 0, 70_000], [Int.max >> 1]] {
            let header = WireHeader(id: .max, messageIndexes: indexes)
            let (read, count) = try WireHeader.read(header.bytes + [9, 9], hasIndexes: true)
            #expect(read == header)
            #expect(count == header.bytes.count)
        }
    }

    @Test(
        arguments: [
            [], [0], [0, 0, 0, 1], [1, 0, 0, 0, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1, 2], [0, 0, 0, 0, 1, 1],
            [0, 0, 0, 0, 1, 0xFF], [0, 0, 0, 0, 1] + [UInt8](repeating: 0xFF, count: 20),
            [0, 0, 0, 0, 1, 0xFE, 0xFF, 0x03],
        ] as [[UInt8]]
    )
    func spoiltHeadersAreErrors(bytes: [UInt8]) {
        #expect(throws: SerdeError.self) { try WireHeader.read(bytes, hasIndexes: true) }
    }

    @Test func aSerdeWritesTheIDAndChecksIt() async throws {
        try await TestRegistry.with { server in
            let registry = try SchemaRegistry(.init(urls: [server.url]))
            await #expect {
                _ = try await registry.serde(subject: "n", schema: Self.schema, wrapping: Serde<Int>.json())
            } throws: { error in
                (error as? SchemaRegistryError)?.code == .subjectNotFound
            }
            let serde = try await registry.serde(
                subject: "n",
                schema: Self.schema,
                wrapping: Serde<Int>.json(),
                registers: true
            )
            let asked = server.requests.count
            #expect(try serde.encode(42) == [0, 0, 0, 0, 1] + Array("42".utf8))
            #expect(try serde.decode([0, 0, 0, 0, 1] + Array("42".utf8)) == 42)
            // Registered later, so not known to this serde.
            let later = try await registry.register(.init(.json, "{}"), as: "n")
            let bytes = [0, 0, 0, 0, UInt8(later)] + Array("7".utf8)
            #expect(throws: SerdeError.self) { try serde.decode(bytes) }
            let newer = try await registry.serde(subject: "n", schema: Self.schema, wrapping: Serde<Int>.json())
            #expect(try newer.decode(bytes) == 7)
            let any = try await registry.serde(
                subject: "n",
                schema: Self.schema,
                wrapping: Serde<Int>.json(),
                accepting: .any
            )
            #expect(try any.decode([0, 9, 9, 9, 9] + Array("7".utf8)) == 7)
            for spoilt in [[], [0], Array("42".utf8), [0, 0, 0, 0, 1]] as [[UInt8]] {
                #expect(throws: SerdeError.self) { try serde.decode(spoilt) }
            }
            #expect(throws: SerdeError.self) { try serde.decode(nil) }
            #expect(asked < server.requests.count)
        }
    }

    @Test func tombstonesHaveNoID() async throws {
        try await TestRegistry.with { server in
            let registry = try SchemaRegistry(.init(urls: [server.url]))
            let serde = try await registry.serde(
                subject: "n",
                schema: Self.schema,
                wrapping: Serde<Int?>.optional(.json()),
                registers: true
            )
            #expect(try serde.encode(nil) == nil)
            #expect(try serde.decode(nil) == nil)
        }
    }

    @Test func messagesOfAProtobufFileAreToldApart() async throws {
        try await TestRegistry.with { server in
            let registry = try SchemaRegistry(.init(urls: [server.url]))
            let schema = RegistrySchema(.protobuf, "syntax = \"proto3\"; message A {} message B {}")
            func serde(_ indexes: [Int]) async throws -> Serde<[UInt8]> {
                try await registry.serde(
                    subject: "p",
                    schema: schema,
                    wrapping: .bytes,
                    messageIndexes: indexes,
                    registers: true
                )
            }
            let (first, second) = (try await serde([0]), try await serde([1]))
            #expect(try first.encode([7]) == [0, 0, 0, 0, 1, 0, 7])
            #expect(try second.encode([7]) == [0, 0, 0, 0, 1, 2, 2, 7])
            #expect(try first.decode([0, 0, 0, 0, 1, 0, 7]) == [7])
            #expect(throws: SerdeError.self) { try first.decode([0, 0, 0, 0, 1, 2, 2, 7]) }
        }
    }

    @Test func recordsCarryTheID() async throws {
        try await TestRegistry.with { server in
            let registry = try SchemaRegistry(.init(urls: [server.url]))
            let values = try await registry.serde(
                subject: SubjectNameStrategy.topic.subject(topic: "numbers", .value),
                schema: Self.schema,
                wrapping: Serde<Int>.json(),
                registers: true
            )
            let asked = server.requests.count
            let numbers = Topic<String, Int>("numbers", key: .string, value: values)
            let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            try await withEmbeddedKafka { cluster in
                try await cluster.createTopic("numbers", partitions: 1)
                try await withKafkaProducer(.init(bootstrapServers: cluster.bootstrapServers), logger: silent) {
                    producer in
                    let events = EventProducer(producer, source: "/test")
                    for number in 0..<100 { try await events.send(Message(key: "k", value: number), to: numbers) }
                }
                let start = [KafkaTopicPartition(topic: "numbers", partition: 0): KafkaOffset.beginning]
                try await withKafkaConsumer(
                    .init(bootstrapServers: cluster.bootstrapServers),
                    assigned: start,
                    logger: silent
                ) { consumer in
                    var expected = 0
                    for try await record in consumer.records {
                        #expect(record.value?.prefix(5) == [0, 0, 0, 0, 1])
                        let message = numbers.message(of: record)
                        #expect(try message.value == expected)
                        #expect(message.metadata?.contentType == "application/json")
                        expected += 1
                        if expected == 100 { break }
                    }
                }
            }
            #expect(server.requests.count == asked, "records cost no question")
        }
    }
}
