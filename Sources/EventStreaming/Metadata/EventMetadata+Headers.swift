public import KafkaClient

/// The CloudEvents Kafka binding 1.0, binary mode (section 3.2): an attribute is a header `ce_` and its name, in UTF-8.
extension EventMetadata {
    private static let prefix = "ce_"
    private static let contentTypeHeader = "content-type"
    private static let traceParentHeader = "traceparent"
    private static let traceStateHeader = "tracestate"
    private static let plainHeaders = [contentTypeHeader, traceParentHeader, traceStateHeader]
    private static let specVersion = "1.0"

    /// The headers of a record that is this event.
    public var headers: [KafkaHeader] {
        var headers = [
            KafkaHeader(key: Self.prefix + "specversion", value: Self.specVersion),
            KafkaHeader(key: Self.prefix + "id", value: self.id),
            KafkaHeader(key: Self.prefix + "source", value: self.source),
            KafkaHeader(key: Self.prefix + "type", value: self.type),
        ]
        let optional = [
            ("time", self.time?.description), ("subject", self.subject), ("dataschema", self.dataSchema),
            ("correlationid", self.correlationID), ("causationid", self.causationID),
        ]
        for (name, value) in optional {
            if let value { headers.append(KafkaHeader(key: Self.prefix + name, value: value)) }
        }
        for (name, value) in self.extensions.sorted(by: { $0.key < $1.key }) {
            headers.append(KafkaHeader(key: Self.prefix + name, value: value))
        }
        let plain = [
            (Self.contentTypeHeader, self.contentType), (Self.traceParentHeader, self.trace?.traceParent),
            (Self.traceStateHeader, self.trace?.traceState),
        ]
        for (name, value) in plain {
            if let value { headers.append(KafkaHeader(key: name, value: value)) }
        }
        return headers
    }

    /// Reads the headers of a record.
    ///
    /// - Returns: `nil` when it is no event in this form: without a version 1 of CloudEvents, an id, a source and a type. A
    ///   time that can't be read is left out.
    public init?(headers: [KafkaHeader]) {
        var attributes: [String: String] = [:]
        var plain: [String: String] = [:]
        for header in headers {
            guard let value = header.value.flatMap({ String(validating: $0, as: UTF8.self) }) else { continue }
            // Names of headers are as they are written; the first of several counts.
            if header.key.hasPrefix(Self.prefix) {
                let name = String(header.key.dropFirst(Self.prefix.count))
                attributes[name] = attributes[name] ?? value
            } else if Self.plainHeaders.contains(header.key) {
                plain[header.key] = plain[header.key] ?? value
            }
        }
        guard let version = attributes.removeValue(forKey: "specversion"), version.hasPrefix("1."),
            let id = attributes.removeValue(forKey: "id"), !id.isEmpty,
            let source = attributes.removeValue(forKey: "source"), !source.isEmpty,
            let type = attributes.removeValue(forKey: "type"), !type.isEmpty
        else { return nil }
        self.init(
            id: id,
            source: source,
            type: type,
            subject: attributes.removeValue(forKey: "subject"),
            time: attributes.removeValue(forKey: "time").flatMap { UTCTime(rfc3339: $0.utf8) },
            contentType: plain[Self.contentTypeHeader],
            dataSchema: attributes.removeValue(forKey: "dataschema"),
            correlationID: attributes.removeValue(forKey: "correlationid"),
            causationID: attributes.removeValue(forKey: "causationid"),
            trace: plain[Self.traceParentHeader].map {
                TraceContext(traceParent: $0, traceState: plain[Self.traceStateHeader])
            },
            extensions: attributes
        )
    }
}
