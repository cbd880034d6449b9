public import Metrics

/// Which metrics a ``Processor`` reports.
///
/// Names begin with ``prefix`` (`kafka_processor`). All have the labels `processor` and `topic`.
///
/// | metric | kind | unit | |
/// |---|---|---|---|
/// | `kafka_processor_messages_total` | counter | messages | label `outcome`: `processed`, `postponed` (to a retry topic), `failed` (given up), `interrupted` |
/// | `kafka_processor_retries_total` | counter | attempts | failed, and were made again |
/// | `kafka_processor_handling_seconds` | timer | seconds | from the first attempt to the last, pauses included |
/// | `kafka_processor_in_flight` | gauge | messages | being handled |
///
/// The lag is that of the consumer, `kafka_consumer_lag_records`, which is reported as well unless
/// `ProcessorConfiguration.consumer.metrics` was set.
public struct ProcessorMetrics: Sendable {
    /// Where the metrics are made. Default: `nil`, the factory that the process has when the processor is made.
    public var factory: (any MetricsFactory)?
    /// The time between two reports of the consumer. Default: 15 s.
    public var interval = Duration.seconds(15)
    /// What all names begin with, in front of an underscore. Default: `kafka_processor`.
    public var prefix = "kafka_processor"
    /// Further labels (dimensions) of all metrics. Default: none.
    public var labels: [String: String] = [:]

    /// Makes a configuration of metrics.
    ///
    /// - Parameter factory: where the metrics are made; `nil` is the process's factory.
    public init(factory: (any MetricsFactory)? = nil) {
        self.factory = factory
    }
}

/// The metrics of one input of a processor.
struct InputMetrics: Sendable {
    private let processed: Counter
    private let postponed: Counter
    private let failed: Counter
    private let interrupted: Counter
    private let retries: Counter
    private let handling: Metrics.Timer
    private let inFlight: Meter

    init(_ configuration: ProcessorMetrics, processor: String, topic: String) {
        let factory = configuration.factory ?? MetricsSystem.factory
        let labels =
            [("processor", processor), ("topic", topic)]
            + configuration.labels.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        func counter(_ name: String, _ more: [(String, String)] = []) -> Counter {
            Counter(label: "\(configuration.prefix)_\(name)", dimensions: labels + more, factory: factory)
        }
        self.processed = counter("messages_total", [("outcome", "processed")])
        self.postponed = counter("messages_total", [("outcome", "postponed")])
        self.failed = counter("messages_total", [("outcome", "failed")])
        self.interrupted = counter("messages_total", [("outcome", "interrupted")])
        self.retries = counter("retries_total")
        self.handling = Metrics.Timer(
            label: "\(configuration.prefix)_handling_seconds",
            dimensions: labels,
            preferredDisplayUnit: .seconds,
            factory: factory
        )
        self.inFlight = Meter(label: "\(configuration.prefix)_in_flight", dimensions: labels, factory: factory)
    }

    func begins() { self.inFlight.increment() }

    func ends(_ outcome: ProcessorMonitor.Outcome, after duration: Duration) {
        self.inFlight.decrement()
        self.handling.record(duration: duration)
        switch outcome {
        case .processed: self.processed.increment()
        case .postponed: self.postponed.increment()
        case .failed: self.failed.increment()
        case .interrupted: self.interrupted.increment()
        }
    }

    func retried() { self.retries.increment() }
}
