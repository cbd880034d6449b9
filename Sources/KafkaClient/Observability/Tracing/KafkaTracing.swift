public import Tracing

/// How a client traces, by the OpenTelemetry semantic conventions for messaging.
///
/// Tracing is on by default, and does something only when the process has a tracer or another instrument at the time the
/// client is made (`InstrumentationSystem.bootstrap`), or when ``tracer`` is given. Without one nothing is written into
/// headers, and sending and reading pay nothing for it.
///
/// | span | kind | from, to |
/// |---|---|---|
/// | `send orders` | producer | a record is given to the client, its delivery is reported |
/// | `receive orders` | client | the reader asks for records, it gets a batch of them |
/// | `process orders` | consumer | ``KafkaConsumerRecord/withProcessSpan(_:)`` begins, it ends |
/// | `commit orders` | client | offsets are given to the client, the broker has answered |
/// | `transaction` | internal | ``KafkaProducer/withTransaction(attempts:_:)`` begins an attempt, it is committed or aborted |
/// | `commit transaction`, `abort transaction` | client | the end of a transaction, its answer |
/// | `commit offsets in transaction` | client | offsets are given to a transaction, the brokers have answered |
///
/// The last three are not among the conventions, which have nothing for transactions; sends of a transaction are its children.
/// A call that concerns several topics has a span without a topic in its name. Calls that fail mark their span with the
/// error, and with its name in `error.type`.
///
/// ### Context
///
/// A record that is sent carries the context of its `send` span in headers, `traceparent` and `tracestate` with most
/// instruments. Records that are sent together have one span and carry its context. A record that has these headers already
/// keeps them, and the span has a link to that context.
///
/// A `receive` span has links to the contexts of its records, up to ``maxReceiveLinks``. A `process` span is the child of
/// its record's context, so that one trace tells the whole story, or has a link to it: see ``processParent``.
public struct KafkaTracing: Sendable {
    /// What the span of a record's processing is a child of.
    public enum ProcessParent: Sendable, Hashable {
        /// The context that came with the record: processing belongs to the trace of the sender. Where there was another
        /// span around, there is a link to it.
        case record
        /// The span around, if there is one: processing belongs to the trace of the consumer, with a link to the context
        /// that came with the record.
        case current
    }

    /// Who makes spans, and writes and reads headers. Default: `nil`, what the process has when the client is made.
    public var tracer: (any Tracer)?
    /// What the span of a record's processing is a child of. Default: ``ProcessParent/record``.
    public var processParent = ProcessParent.record
    /// The largest number of links of a `receive` span. Default: 128, as in OpenTelemetry's libraries.
    public var maxReceiveLinks = 128
    /// Whether spans of single records tell their key, where it is UTF-8 (`messaging.kafka.message.key`). Default: true.
    public var includesKeys = true

    /// Makes a configuration of tracing.
    ///
    /// - Parameter tracer: who makes spans; `nil` is the process's tracer.
    public init(tracer: (any Tracer)? = nil) {
        self.tracer = tracer
    }
}
