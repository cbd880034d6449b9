import EmbeddedKafka
import InMemoryTracing
import Synchronization
import TestSupport
import Testing
import Tracing

@testable import KafkaClient

/// Spans of sends, receives, processing and commits, and their context on its way through the broker.
@Suite(.timeLimit(.minutes(1)))
struct TracingTests {
    private static let traceKey = InMemoryTracer.traceIDKey
    private static let spanKey = InMemoryTracer.spanIDKey

    private func producer(_ cluster: EmbeddedKafkaCluster, _ tracer: InMemoryTracer) -> KafkaProducer.Configuration {
        var configuration = KafkaProducer.Configuration.test(cluster)
        configuration.clientID = "shop"
        configuration.tracing = KafkaTracing(tracer: tracer)
        return configuration
    }

    private func consumer(
        _ cluster: EmbeddedKafkaCluster,
        _ tracer: InMemoryTracer,
        group: String? = nil,
        _ change: (inout KafkaTracing) -> Void = { _ in }
    ) -> KafkaConsumer.Configuration {
        var configuration = KafkaConsumer.Configuration.test(cluster, group: group)
        configuration.clientID = "till"
        var tracing = KafkaTracing(tracer: tracer)
        change(&tracing)
        configuration.tracing = tracing
        return configuration
    }

    /// The place from which a test reads everything.
    private func everything(_ topic: String) -> [KafkaTopicPartition: KafkaOffset] {
        [KafkaTopicPartition(topic: topic, partition: 0): .beginning]
    }

    // MARK: Sending

    @Test func aSendHasASpanWhoseContextTravels() async throws {
        try await withTopic { cluster, topic in
            let tracer = InMemoryTracer()
            try await withProducer(self.producer(cluster, tracer)) { producer in
                _ = try await producer.send(KafkaProducerRecord(topic: topic, key: "k", value: "v"))
                let span = try #require(tracer.finishedSpans.first, "it ends before the sender goes on")
                #expect(span.operationName == "send \(topic)")
                #expect(span.kind == .producer)
                #expect(span.parentSpanID == nil)
                #expect(span.status == nil)
                #expect(
                    span.texts == [
                        "messaging.system": "kafka",
                        "messaging.client.id": "shop",
                        "messaging.operation.name": "send",
                        "messaging.operation.type": "send",
                        "messaging.destination.name": topic,
                        "messaging.destination.partition.id": "0",
                        "messaging.kafka.offset": "0",
                        "messaging.kafka.message.key": "k",
                        "server.address": "127.0.0.1",
                        "server.port": String(cluster.bootstrapServers[0].split(separator: ":")[1]),
                    ]
                )
                let record = try #require(try await cluster.allRecords(of: topic, partitions: 1).first)
                #expect(record.headers == span.headers)
            }
            #expect(tracer.finishedSpans.count == 1)
            #expect(tracer.activeSpans.isEmpty)
        }
    }

    @Test func aSendIsTheChildOfTheSpanAround() async throws {
        try await withTopic { cluster, topic in
            let tracer = InMemoryTracer()
            try await withProducer(self.producer(cluster, tracer)) { producer in
                try await tracer.withSpan("order") { order in
                    _ = try await producer.send(KafkaProducerRecord(topic: topic, value: nil))
                    #expect(tracer.finishedSpans.map(\.parentSpanID) == [order.spanID])
                    #expect(tracer.finishedSpans.map(\.traceID) == [order.traceID])
                }
            }
            let span = try #require(tracer.finishedSpans.first)
            #expect(span.texts["messaging.kafka.message.tombstone"] == "true")
            #expect(span.texts["messaging.kafka.message.key"] == nil)
        }
    }

    @Test func recordsThatAreSentTogetherShareASpan() async throws {
        try await withTopic { cluster, topic in
            let tracer = InMemoryTracer()
            try await withProducer(self.producer(cluster, tracer)) { producer in
                try await producer.fill(topic, values: ["a", "b", "c"])
            }
            #expect(tracer.finishedSpans.count == 1)
            let span = try #require(tracer.finishedSpans.first)
            #expect(span.operationName == "send \(topic)")
            #expect(span.kind == .producer)
            #expect(span.texts["messaging.batch.message_count"] == "3")
            #expect(span.links.isEmpty)
            let records = try await cluster.allRecords(of: topic, partitions: 1)
            #expect(records.map(\.headers) == Array(repeating: span.headers, count: 3))
        }
    }

    @Test func recordsOfSeveralTopicsHaveASpanWithoutTopic() async throws {
        try await withCluster(topics: ["a": 1, "b": 1]) { cluster in
            let tracer = InMemoryTracer()
            try await withProducer(self.producer(cluster, tracer)) { producer in
                _ = try await producer.send(contentsOf: ["a", "b"].map { KafkaProducerRecord(topic: $0, value: "v") })
            }
            #expect(tracer.finishedSpans.map(\.operationName) == ["send"])
            #expect(tracer.finishedSpans.first?.texts["messaging.destination.name"] == nil)
        }
    }

    @Test func contextThatARecordHasIsKept() async throws {
        try await withTopic { cluster, topic in
            let tracer = InMemoryTracer()
            let own = [
                KafkaHeader(key: Self.traceKey, value: "other-trace"),
                KafkaHeader(key: "color", value: "red"),
                KafkaHeader(key: Self.spanKey, value: "other-span"),
            ]
            try await withProducer(self.producer(cluster, tracer)) { producer in
                _ = try await producer.send(KafkaProducerRecord(topic: topic, value: "single", headers: own))
                _ = try await producer.send(contentsOf: [
                    KafkaProducerRecord(topic: topic, value: "first", headers: own),
                    KafkaProducerRecord(topic: topic, value: "second", headers: own),
                    KafkaProducerRecord(topic: topic, value: "third", headers: [own[1]]),
                ])
            }
            let records = try await cluster.allRecords(of: topic, partitions: 1)
            let spans = tracer.finishedSpans
            #expect(records.prefix(3).map(\.headers) == [own, own, own], "neither doubled nor replaced")
            #expect(records.last?.headers == [own[1]] + (spans.last?.headers ?? []))
            for span in spans {
                #expect(span.links.map { $0.context.inMemorySpanContext?.spanID } == ["other-span"])
                #expect(span.links.map { $0.context.inMemorySpanContext?.traceID } == ["other-trace"])
            }
        }
    }

    @Test func aReceiptsSpanEndsWithTheReport() async throws {
        try await withTopic { cluster, topic in
            let tracer = InMemoryTracer()
            try await withProducer(self.producer(cluster, tracer)) { producer in
                // Nobody awaits these.
                _ = try await producer.enqueue(KafkaProducerRecord(topic: topic, value: "a"))
                _ = try producer.trySend(KafkaProducerRecord(topic: topic, value: "b"))
                try await eventually("both spans end") { tracer.finishedSpans.count == 2 }
                #expect(Set(tracer.finishedSpans.map { $0.texts["messaging.kafka.offset"] }) == ["0", "1"])
                #expect(tracer.finishedSpans.allSatisfy { $0.operationName == "send \(topic)" })
            }
            #expect(tracer.activeSpans.isEmpty)
        }
    }

    @Test func sendsThatFailAreMarked() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            let tracer = InMemoryTracer()
            try await withProducer(self.producer(cluster, tracer)) { producer in
                _ = try await producer.send(KafkaProducerRecord(topic: "t", value: "sent"))
                tracer.clearFinishedSpans()
                // Refused before it is handed over.
                await #expect(throws: KafkaError.self) {
                    try await producer.send(KafkaProducerRecord(topic: "", value: "v"))
                }
                #expect(throws: KafkaError.self) {
                    try producer.trySend(KafkaProducerRecord(topic: "t", partition: -3, value: "v"))
                }
                let results = try await producer.send(contentsOf: [
                    KafkaProducerRecord(topic: "t", value: "v"),
                    KafkaProducerRecord(topic: "t", partition: -3, value: "v"),
                ])
                #expect(results.count == 2)
                // Refused by the broker.
                try await cluster.failNext(.produce, with: [.topicAuthorizationFailed])
                await #expect(throws: KafkaError.self) {
                    try await producer.send(KafkaProducerRecord(topic: "t", value: "v"))
                }
            }
            let spans = tracer.finishedSpans
            #expect(
                spans.map { $0.texts["error.type"] } == [
                    "unknownTopicOrPartition", "invalidRecord", "invalidRecord", "TOPIC_AUTHORIZATION_FAILED",
                ]
            )
            #expect(spans.allSatisfy { $0.status?.code == .error && $0.status?.message?.isEmpty == false })
            #expect(spans.allSatisfy { $0.errors.count == 1 && $0.errors[0].error is KafkaError })
            #expect(tracer.activeSpans.isEmpty)
        }
    }

    @Test func aSendWithoutRoomIsOneSpan() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            let tracer = InMemoryTracer()
            var configuration = self.producer(cluster, tracer)
            configuration.maxQueuedRecords = 1
            try await withProducer(configuration) { producer in
                _ = try await producer.send(KafkaProducerRecord(topic: "t", value: "warm"))
                tracer.clearFinishedSpans()
                let fault = try await cluster.faults.add(.init(.produce, .delay(.seconds(600)), times: nil))
                _ = try await producer.enqueue(KafkaProducerRecord(topic: "t", value: "slow"))
                #expect(throws: KafkaError.self) {
                    try producer.trySend(KafkaProducerRecord(topic: "t", value: "no room"))
                }
                #expect(tracer.finishedSpans.map { $0.texts["error.type"] } == ["_QUEUE_FULL"])
                let waiting = Task { try await producer.send(KafkaProducerRecord(topic: "t", value: "waits")) }
                try await eventually("its span begins") { tracer.activeSpans.count == 2 }
                waiting.cancel()
                await #expect(throws: CancellationError.self) { try await waiting.value }
                #expect(tracer.finishedSpans.last?.texts["error.type"] == "CancellationError")
                #expect(tracer.finishedSpans.count == 2)
                try await fault.remove()
            }
            #expect(tracer.activeSpans.isEmpty)
        }
    }

    // MARK: Consuming

    @Test func aReceiveHasLinksToItsRecords() async throws {
        try await withTopic { cluster, topic in
            let tracer = InMemoryTracer()
            try await withProducer(self.producer(cluster, tracer)) { producer in
                _ = try await producer.send(KafkaProducerRecord(topic: topic, value: "a"))
                try await producer.fill(topic, values: ["b", "c"])
            }
            try await withProducer(.test(cluster)) { try await $0.fill(topic, values: ["d"]) }
            let sends = tracer.popFinishedSpans()
            #expect(sends.count == 2)
            try await withConsumer(self.consumer(cluster, tracer), assigned: self.everything(topic)) { consumer in
                _ = try await consumer.readBatches(4)
            }
            let receives = tracer.finishedSpans
            #expect(receives.allSatisfy { $0.operationName == "receive \(topic)" && $0.kind == .client })
            #expect(
                receives.compactMap { $0.texts["messaging.batch.message_count"].flatMap(Int.init) }.reduce(0, +) == 4
            )
            let linked = receives.flatMap(\.links).compactMap { $0.context.inMemorySpanContext?.spanID }
            #expect(linked.first == sends[0].spanID)
            #expect(Set(linked) == Set(sends.map(\.spanID)))
            let receive = try #require(receives.first)
            #expect(receive.texts["messaging.client.id"] == "till")
            #expect(receive.texts["messaging.operation.type"] == "receive")
            #expect(receive.texts["messaging.destination.partition.id"] == "0")
            #expect(tracer.activeSpans.isEmpty)
        }
    }

    @Test func theLinksOfAReceiveAreBounded() async throws {
        try await withTopic { cluster, topic in
            let tracer = InMemoryTracer()
            try await withProducer(self.producer(cluster, tracer)) { producer in
                for value in 0..<5 { _ = try await producer.send(KafkaProducerRecord(topic: topic, value: "\(value)")) }
            }
            tracer.clearFinishedSpans()
            let configuration = self.consumer(cluster, tracer) { $0.maxReceiveLinks = 2 }
            try await withConsumer(configuration, assigned: self.everything(topic)) { consumer in
                _ = try await consumer.readBatches(5)
            }
            #expect(tracer.finishedSpans.contains { $0.links.count == 2 })
            #expect(tracer.finishedSpans.allSatisfy { $0.links.count <= 2 })
        }
    }

    @Test func processingBelongsToTheTraceOfTheSender() async throws {
        try await withTopic { cluster, topic in
            let tracer = InMemoryTracer()
            try await withProducer(self.producer(cluster, tracer)) { producer in
                _ = try await producer.send(KafkaProducerRecord(topic: topic, key: "k", value: "v"))
            }
            let send = try #require(tracer.popFinishedSpans().first)
            let configuration = self.consumer(cluster, tracer, group: uniqueName("group"))
            try await withConsumer(configuration, subscribedTo: [topic]) { consumer in
                for try await record in consumer.records {
                    tracer.clearFinishedSpans()
                    try await tracer.withSpan("around") { around in
                        let inside = await record.withProcessSpan {
                            tracer.withSpan("inside") { $0.parentSpanID }
                        }
                        let span = try #require(tracer.finishedSpans.last)
                        #expect(span.operationName == "process \(topic)")
                        #expect(span.kind == .consumer)
                        #expect(span.traceID == send.traceID)
                        #expect(span.parentSpanID == send.spanID)
                        #expect(span.links.map { $0.context.inMemorySpanContext?.spanID } == [around.spanID])
                        #expect(inside == span.spanID, "its context is that of the task")
                        #expect(span.texts["messaging.consumer.group.name"] == configuration.group)
                        #expect(span.texts["messaging.operation.type"] == "process")
                        #expect(span.texts["messaging.destination.partition.id"] == "0")
                        #expect(span.texts["messaging.kafka.offset"] == "0")
                        #expect(span.texts["messaging.kafka.message.key"] == "k")
                    }
                    break
                }
            }
        }
    }

    @Test func processingMayBelongToTheTraceOfTheConsumer() async throws {
        try await withTopic { cluster, topic in
            let tracer = InMemoryTracer()
            try await withProducer(self.producer(cluster, tracer)) { producer in
                _ = try await producer.send(KafkaProducerRecord(topic: topic, key: "secret", value: "v"))
            }
            let send = try #require(tracer.popFinishedSpans().first)
            let configuration = self.consumer(cluster, tracer) {
                $0.processParent = .current
                $0.includesKeys = false
            }
            try await withConsumer(configuration, assigned: self.everything(topic)) { consumer in
                for try await record in consumer.records {
                    tracer.clearFinishedSpans()
                    try await tracer.withSpan("around") { around in
                        await record.withProcessSpan {}
                        let span = try #require(tracer.finishedSpans.last)
                        #expect(span.parentSpanID == around.spanID)
                        #expect(span.links.map { $0.context.inMemorySpanContext?.spanID } == [send.spanID])
                        #expect(span.texts["messaging.kafka.message.key"] == nil)
                    }
                    break
                }
            }
        }
    }

    @Test func processingThatFailsIsMarked() async throws {
        struct Refused: Error, Equatable {}
        try await withTopic { cluster, topic in
            let tracer = InMemoryTracer()
            try await withProducer(.test(cluster)) { try await $0.fill(topic, values: ["a"]) }
            try await withConsumer(self.consumer(cluster, tracer), assigned: self.everything(topic)) { consumer in
                for try await record in consumer.records {
                    tracer.clearFinishedSpans()
                    await #expect(throws: Refused()) {
                        try await record.withProcessSpan { throw Refused() }
                    }
                    break
                }
            }
            #expect(tracer.finishedSpans.count == 1)
            let span = try #require(tracer.finishedSpans.first)
            #expect(span.status?.code == .error)
            #expect(span.errors.first?.error is Refused)
            #expect(span.texts["error.type"] == "Refused")
            #expect(span.parentSpanID == nil, "the record came without a context")
            #expect(span.links.isEmpty)
        }
    }

    @Test func commitsHaveSpans() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            let tracer = InMemoryTracer()
            var configuration = self.consumer(cluster, tracer, group: "g")
            configuration.commitPolicy = .manual
            try await withProducer(.test(cluster)) { try await $0.fill("t", values: ["a", "b"]) }
            try await withConsumer(configuration, subscribedTo: ["t"]) { consumer in
                _ = try await consumer.read(2)
                tracer.clearFinishedSpans()
                let partition = KafkaTopicPartition(topic: "t", partition: 0)
                try await tracer.withSpan("around") { around in
                    try await consumer.commit([partition: 1])
                    let span = try #require(tracer.finishedSpans.last)
                    #expect(span.operationName == "commit t")
                    #expect(span.kind == .client)
                    #expect(span.parentSpanID == around.spanID)
                    #expect(span.texts["messaging.operation.type"] == "settle")
                    #expect(span.texts["messaging.operation.name"] == "commit")
                    #expect(span.texts["messaging.consumer.group.name"] == "g")
                    #expect(span.texts["messaging.destination.partition.id"] == "0")
                    #expect(span.texts["messaging.kafka.offset"] == "1")
                    #expect(span.status == nil)
                }
                try await consumer.commit()
                #expect(tracer.finishedSpans.last?.operationName == "commit")
                try await cluster.failNext(.offsetCommit, with: [.groupAuthorizationFailed])
                await #expect(throws: KafkaError.self) { try await consumer.commit([partition: 1]) }
                #expect(tracer.finishedSpans.last?.texts["error.type"] == "GROUP_AUTHORIZATION_FAILED")
                #expect(tracer.finishedSpans.last?.status?.code == .error)
            }
            #expect(tracer.activeSpans.isEmpty)
        }
    }

    // MARK: Transactions

    @Test func aTransactionIsASpanAroundItsCalls() async throws {
        struct Refused: Error {}
        try await withTopic { cluster, topic in
            let tracer = InMemoryTracer()
            var configuration = self.producer(cluster, tracer)
            configuration.transactionalID = uniqueName("transaction")
            try await withProducer(configuration) { producer in
                try await producer.withTransaction { transaction in
                    _ = try await transaction.send(KafkaProducerRecord(topic: topic, value: "a"))
                }
                let committed = tracer.popFinishedSpans()
                let transaction = try #require(committed.last)
                #expect(transaction.operationName == "transaction")
                #expect(transaction.kind == .internal)
                #expect(transaction.texts["kafka.transactional_id"] == configuration.transactionalID)
                #expect(transaction.status == nil)
                let children = committed.filter { $0.parentSpanID == transaction.spanID }.map(\.operationName)
                #expect(children.contains("send \(topic)"))
                #expect(children.last == "commit transaction")

                await #expect(throws: Refused.self) {
                    try await producer.withTransaction { _ in throw Refused() }
                }
                let aborted = tracer.popFinishedSpans()
                #expect(aborted.map(\.operationName) == ["abort transaction", "transaction"])
                #expect(aborted.first?.status == nil)
                #expect(aborted.last?.texts["error.type"] == "Refused")
            }
            #expect(tracer.activeSpans.isEmpty)
        }
    }

    // MARK: Off

    /// The tests' process has no tracer, and neither of these ways makes one.
    @Test(arguments: [KafkaTracing?.none, KafkaTracing(), KafkaTracing(tracer: NoOpTracer())])
    func withoutATracerNothingIsWritten(tracing: KafkaTracing?) async throws {
        try await withTopic { cluster, topic in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.tracing = tracing
            try await withProducer(configuration) { producer in
                #expect(producer.core.tracing == nil)
                _ = try await producer.send(KafkaProducerRecord(topic: topic, value: "a"))
                try await producer.fill(topic, values: ["b"])
            }
            var reading = KafkaConsumer.Configuration.test(cluster)
            reading.tracing = tracing
            try await withConsumer(reading, assigned: self.everything(topic)) { consumer in
                #expect(consumer.core.tracing == nil)
                for try await record in consumer.records {
                    #expect(record.headers == [])
                    #expect(await record.withProcessSpan { ServiceContext.current == nil })
                    if record.offset == 1 { break }
                }
            }
        }
    }

    @Test func tracingIsOnUnlessItIsTurnedOff() {
        #expect(KafkaProducer.Configuration(bootstrapServers: []).tracing != nil)
        #expect(KafkaConsumer.Configuration(bootstrapServers: []).tracing != nil)
    }
}

/// Headers as carriers of context.
struct HeaderPropagationTests {
    @Test func injectingReplaces() {
        var headers = [KafkaHeader(key: "a", value: "1"), KafkaHeader(key: "b", value: "2")]
        KafkaHeaderInjector().inject("3", forKey: "a", into: &headers)
        KafkaHeaderInjector().inject("4", forKey: "c", into: &headers)
        #expect(headers == [("b", "2"), ("a", "3"), ("c", "4")].map { KafkaHeader(key: $0.0, value: $0.1) })
    }

    @Test func theLastHeaderCounts() {
        let headers = [
            KafkaHeader(key: "a", value: "1"), KafkaHeader(key: "a", value: "2"), KafkaHeader(key: "null", value: nil),
            KafkaHeader(key: "bytes", value: [0xFF]), KafkaHeader(key: "empty", value: ""),
        ]
        let extractor = KafkaHeaderExtractor()
        #expect(extractor.extract(key: "a", from: headers) == "2")
        #expect(extractor.extract(key: "A", from: headers) == nil, "keys of headers have case")
        #expect(extractor.extract(key: "null", from: headers) == nil)
        #expect(extractor.extract(key: "bytes", from: headers) == nil)
        #expect(extractor.extract(key: "empty", from: headers) == "")
    }

    @Test(arguments: [
        ("localhost:9092", "localhost", 9092), ("localhost", "localhost", nil), ("SASL_SSL://a.b:1", "a.b", 1),
        ("[::1]:9092", "::1", 9092), ("[::1]", "::1", nil),
    ])
    func addresses(server: String, host: String, port: Int?) throws {
        let found = try #require(BootstrapServer.hostAndPort(server))
        #expect(found == (host, port))
    }
}

extension FinishedInMemorySpan {
    /// The attributes, with numbers and truth values as text.
    fileprivate var texts: [String: String] {
        var texts: [String: String] = [:]
        self.attributes.forEach { name, value in
            texts[name] =
                switch value {
                case .string(let text): text
                case .int64(let number): "\(number)"
                case .int32(let number): "\(number)"
                case .bool(let isTrue): "\(isTrue)"
                default: "of another kind"
                }
        }
        return texts
    }

    /// The headers that carry the span's context.
    fileprivate var headers: [KafkaHeader] {
        [
            KafkaHeader(key: InMemoryTracer.traceIDKey, value: self.traceID),
            KafkaHeader(key: InMemoryTracer.spanIDKey, value: self.spanID),
        ]
    }
}
