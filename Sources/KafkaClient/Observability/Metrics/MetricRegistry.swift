internal import Metrics

/// The metrics of one client: made when they are first reported, destroyed when they no longer are.
///
/// It belongs to the queue on which reports are made.
struct MetricRegistry {
    struct Label: Hashable {
        var name: String
        var value: String

        init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    private struct Key: Hashable {
        var name: String
        var labels: [Label]
    }

    /// One of several counts that make up a counter.
    private struct Part: Hashable {
        var key: Key
        var number: Int64
    }

    private let factory: any MetricsFactory
    private let prefix: String
    /// The labels of all metrics.
    private let labels: [Label]
    private var counters: [Key: Counter] = [:]
    private var counted: [Part: Int64] = [:]
    private var gauges: [Key: (meter: Meter, report: Int)] = [:]
    private var report = 0

    init(factory: any MetricsFactory, prefix: String, labels: [Label]) {
        self.factory = factory
        self.prefix = prefix
        self.labels = labels
    }

    private func label(_ key: Key) -> String { "\(self.prefix)_\(key.name)" }

    private func dimensions(_ key: Key) -> [(String, String)] {
        (self.labels + key.labels).map { ($0.name, $0.value) }
    }

    /// Sets a gauge. Without a value it keeps the one that it has, if it has one.
    mutating func gauge(_ name: String, _ labels: [Label] = [], to value: Double?) {
        let key = Key(name: name, labels: labels)
        let existing = self.gauges[key]?.meter
        guard let value else {
            if let existing { self.gauges[key] = (existing, self.report) }
            return
        }
        let meter =
            existing ?? Meter(label: self.label(key), dimensions: self.dimensions(key), factory: self.factory)
        meter.set(value)
        self.gauges[key] = (meter, self.report)
    }

    /// Sets a gauge.
    mutating func gauge(_ name: String, _ labels: [Label] = [], to value: Int64) {
        self.gauge(name, labels, to: Double(value))
    }

    /// Raises a counter to a total.
    ///
    /// - Parameter part: tells counts from each other that the same counter is the sum of. A count that falls has begun
    ///   anew, as librdkafka's do when a partition or broker comes back.
    mutating func count(_ name: String, _ labels: [Label] = [], part: Int64 = 0, total: Int64) {
        let key = Key(name: name, labels: labels)
        let counter: Counter
        if let existing = self.counters[key] {
            counter = existing
        } else {
            counter = Counter(label: self.label(key), dimensions: self.dimensions(key), factory: self.factory)
            self.counters[key] = counter
        }
        let previous = self.counted.updateValue(total, forKey: Part(key: key, number: part)) ?? 0
        let increase = total >= previous ? total - previous : total
        if increase > 0 { counter.increment(by: increase) }
    }

    /// Begins a report.
    mutating func begin() {
        self.report += 1
    }

    /// Ends a report: gauges that it did not mention are destroyed.
    mutating func end() {
        for (key, gauge) in self.gauges where gauge.report != self.report {
            gauge.meter.destroy()
            self.gauges[key] = nil
        }
    }

    /// Destroys all.
    mutating func destroy() {
        for gauge in self.gauges.values { gauge.meter.destroy() }
        for counter in self.counters.values { counter.destroy() }
        self.gauges = [:]
        self.counters = [:]
        self.counted = [:]
    }
}
