import EmbeddedKafka
import EventStreaming
import KafkaClient
import TestSupport
import Testing

/// What goes into a processor, and what its outputs take over from it.
@Suite(.timeLimit(.minutes(2)))
struct ProcessorInputTests {
    static let guarantees: [ProcessingGuarantee] = [.exactlyOnce, .atLeastOnce]

    @Test(arguments: guarantees)
    func topicsOfDifferentKindsHaveHandlersOfTheirOwn(guarantee: ProcessingGuarantee) async throws {
        let fixture = try await ProcessorFixture.make(partitions: 2)
        let words = Topic<String, String>("\(fixture.name).words", key: .string, value: .string)
        for name in [words.name, "\(words.name).dead-letters"] {
            try await fixture.cluster.createTopic(name, partitions: 2)
        }
        try await fixture.fill([("a", 1), ("b", 2)])
        for word in ["x", "y"] {
            try await fixture.send(try words.record(of: Message(key: word, value: word), source: "/test"))
        }
        let processor = Processor(
            fixture.configuration(guarantee),
            inputs: [
                ProcessorInput(fixture.input) { message, output in
                    try output.send(Message(key: "number", value: try message.value), to: fixture.output)
                },
                ProcessorInput(words) { message, output in
                    try output.send(Message(key: try message.value, value: 0), to: fixture.output)
                },
            ],
            logger: fixture.logger
        )
        try await fixture.running(processor) {
            let answers = try await fixture.read(fixture.output.name, count: 4)
            let texts = answers.map { record in
                let parts = [record.key, record.value].map { String(decoding: $0 ?? [], as: UTF8.self) }
                return parts.joined(separator: "=")
            }
            #expect(texts.sorted() == ["number=1", "number=2", "x=0", "y=0"])
        }
    }

    @Test func outputsTakeOverWhatIsCarriedAndTheTrace() async throws {
        let fixture = try await ProcessorFixture.make()
        var metadata = EventMetadata(id: "7", source: "/shop", type: "t", correlationID: "c")
        metadata.extensions = ["tenant": "nord", "other": "x"]
        metadata.trace = TraceContext(
            traceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            traceState: "vendor=1"
        )
        let message = Message(key: "a", value: 1, metadata: metadata)
        try await fixture.send(try fixture.input.record(of: message, source: "/shop"))
        var configuration = fixture.configuration(.exactlyOnce)
        configuration.carriedExtensions = ["tenant"]
        try await fixture.withProcessor(configuration) { message, output in
            try output.send(Message(key: "a", value: 2), to: fixture.output)
            let own = EventMetadata(source: "/own", type: "t", extensions: ["tenant": "own"])
            try output.send(Message(key: "a", value: 3, metadata: own), to: fixture.output)
        } _: {
            let answers = try await fixture.read(fixture.output.name, count: 2)
            let told = try answers.map { try #require(EventMetadata(headers: $0.headers)) }
            #expect(told.map(\.extensions) == [["tenant": "nord"], ["tenant": "own"]])
            #expect(told.map(\.source) == [fixture.name, "/own"])
            for answer in told {
                #expect(answer.trace == metadata.trace, "without a tracer the trace is handed on")
                #expect(answer.correlationID == "c")
                #expect(answer.causationID == "7")
            }
        }
    }

    /// Who reads the outputs can tell that a message was handled twice.
    @Test(arguments: guarantees)
    func outputsOfTheSameMessageHaveTheSameIDs(guarantee: ProcessingGuarantee) async throws {
        let fixture = try await ProcessorFixture.make()
        let event = try fixture.input.record(of: Message(key: "a", value: 1), source: "/test")
        // Twice the same event; and twice a record without metadata, which two events may be.
        let foreign = KafkaProducerRecord(topic: fixture.input.name, key: "a", value: "2")
        for record in [event, event, foreign, foreign] { try await fixture.send(record) }
        try await fixture.withProcessor(fixture.configuration(guarantee)) { message, output in
            for _ in 0..<2 { try output.send(Message(key: "a", value: try message.value), to: fixture.output) }
        } _: {
            let answers = try await fixture.read(fixture.output.name, count: 8)
            let ids = try answers.map { try #require(EventMetadata(headers: $0.headers)).id }
            #expect(Array(ids[0..<2]) == Array(ids[2..<4]))
            #expect(Set(ids).count == 6)
        }
    }
}
