public import Tracing

/// Writes a context into headers of a record, for `Instrument.inject`. A header with the same key is replaced.
public struct KafkaHeaderInjector: Injector {
    /// Makes an injector.
    public init() {}

    /// Sets a header.
    public func inject(_ value: String, forKey key: String, into carrier: inout [KafkaHeader]) {
        carrier.removeAll { $0.key == key }
        carrier.append(KafkaHeader(key: key, value: value))
    }
}

/// Reads a context from headers of a record, for `Instrument.extract`. Of headers with the same key the last one counts.
public struct KafkaHeaderExtractor: Extractor {
    /// Makes an extractor.
    public init() {}

    /// The value of a header, if there is one and it is UTF-8.
    public func extract(key: String, from carrier: [KafkaHeader]) -> String? {
        guard let value = carrier.last(where: { $0.key == key })?.value else { return nil }
        return String(validating: value, as: UTF8.self)
    }
}

extension KafkaConsumerRecord {
    /// Reads the context that came with the record.
    ///
    /// ```swift
    /// var context = ServiceContext.topLevel
    /// record.extractContext(into: &context, using: InstrumentationSystem.instrument)
    /// ```
    public func extractContext(into context: inout ServiceContext, using instrument: some Instrument) {
        instrument.extract(self.headers, into: &context, using: KafkaHeaderExtractor())
    }
}
