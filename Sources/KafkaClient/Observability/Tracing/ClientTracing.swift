internal import Tracing

/// The tracing of one client: makes its spans, and carries their context in headers.
///
/// A client has one only where there is an instrument, so that without one the question whether there is one is all that
/// tracing costs.
final class ClientTracing: Sendable {
    /// The operations of the semantic conventions, with the names that spans have.
    enum Operation: String {
        case send
        case receive
        case process
        case commit

        /// `messaging.operation.type`.
        var type: String {
            self == .commit ? "settle" : self.rawValue
        }

        var kind: SpanKind {
            switch self {
            case .send: .producer
            case .process: .consumer
            case .receive, .commit: .client
            }
        }
    }

    let configuration: KafkaTracing
    private let tracer: any Tracer
    private let instrument: any Instrument
    /// The attributes of all spans.
    private let attributes: SpanAttributes

    /// The tracing of a client; `nil` when it is off or there is no instrument.
    init?(_ configuration: KafkaTracing?, clientID: String, group: String? = nil, bootstrapServers: [String]) {
        guard let configuration else { return nil }
        self.configuration = configuration
        if let tracer = configuration.tracer {
            self.tracer = tracer
            self.instrument = tracer
        } else {
            self.tracer = InstrumentationSystem.tracer
            // It may be several instruments, of which the tracer is one, or none.
            self.instrument = InstrumentationSystem.instrument
        }
        if self.instrument is NoOpInstrument || self.instrument is NoOpTracer { return nil }

        var attributes: SpanAttributes = ["messaging.system": "kafka"]
        attributes["messaging.client.id"] = clientID
        if let group {
            attributes["messaging.consumer.group.name"] = group
        }
        // The brokers are found through the bootstrap servers; the first of them stands for the cluster.
        if let (host, port) = bootstrapServers.first.flatMap(BootstrapServer.hostAndPort) {
            attributes["server.address"] = host
            if let port {
                attributes["server.port"] = port
            }
        }
        self.attributes = attributes
    }

    /// The present time, on the clock of spans.
    var now: DefaultTracerClock.Timestamp { DefaultTracerClock.now }

    /// Begins a span.
    ///
    /// - Parameters:
    ///   - topic: the topic concerned, if it is one.
    ///   - operationName: what the attribute says, where it is not the operation's name.
    ///   - parent: the context that the span is a child of; that of the task unless it is given.
    ///   - start: when it began; now unless it is given.
    ///   - change: adds attributes.
    func startSpan(
        _ operation: Operation,
        topic: String?,
        parent: ServiceContext? = nil,
        at start: DefaultTracerClock.Timestamp? = nil,
        _ change: (inout SpanAttributes) -> Void = { _ in }
    ) -> ClientSpan {
        var attributes = self.attributes
        attributes["messaging.operation.name"] = operation.rawValue
        attributes["messaging.operation.type"] = operation.type
        if let topic {
            attributes["messaging.destination.name"] = topic
        }
        change(&attributes)
        let span = self.tracer.startSpan(
            topic.map { "\(operation.rawValue) \($0)" } ?? operation.rawValue,
            context: parent ?? .current ?? .topLevel,
            ofKind: operation.kind,
            at: start ?? DefaultTracerClock.now,
            function: #function,
            file: #fileID,
            line: #line
        )
        span.attributes = attributes
        return ClientSpan(span)
    }

    /// Begins a span for which there is no convention.
    func startSpan(
        named name: String,
        kind: SpanKind,
        _ change: (inout SpanAttributes) -> Void
    ) -> ClientSpan {
        var attributes = self.attributes
        attributes["messaging.operation.name"] = name
        change(&attributes)
        let span = self.tracer.startSpan(name, context: .current ?? .topLevel, ofKind: kind)
        span.attributes = attributes
        return ClientSpan(span)
    }

    /// Runs an operation within a span, which is marked when the operation throws.
    func withSpan<R, E: Error>(
        _ span: ClientSpan,
        _ operation: () async throws(E) -> R
    ) async throws(E) -> R {
        do throws(E) {
            let result = try await span.withContext(operation)
            span.end()
            return result
        } catch {
            span.end(with: error)
            throw error
        }
    }

    // MARK: Headers

    /// The headers that carry a context.
    func headers(carrying context: ServiceContext) -> [KafkaHeader] {
        var headers: [KafkaHeader] = []
        self.instrument.inject(context, into: &headers, using: KafkaHeaderInjector())
        return headers
    }

    /// The context that headers carry, on top of another one.
    func context(in headers: [KafkaHeader], over context: ServiceContext = .topLevel) -> ServiceContext {
        var context = context
        self.instrument.extract(headers, into: &context, using: KafkaHeaderExtractor())
        return context
    }
}

extension SpanAttributes {
    /// Describes a single record.
    mutating func describe(partition: Int32?, key: [UInt8]?, isTombstone: Bool, includesKeys: Bool) {
        if let partition {
            self["messaging.destination.partition.id"] = "\(partition)"
        }
        if includesKeys, let key, let text = String(validating: key, as: UTF8.self) {
            self["messaging.kafka.message.key"] = text
        }
        if isTombstone {
            self["messaging.kafka.message.tombstone"] = true
        }
    }
}
