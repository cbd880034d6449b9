internal import Tracing

extension ClientTracing {
    /// Begins the span of a record that is sent. The record gets its context, unless it has one already.
    func startSend(_ record: inout KafkaProducerRecord) -> ClientSpan {
        let span = self.startSpan(.send, topic: record.topic) { attributes in
            attributes.describe(
                partition: record.partition,
                key: record.key,
                isTombstone: record.value == nil,
                includesKeys: self.configuration.includesKeys
            )
        }
        let headers = self.headers(carrying: span.context)
        if record.carriesAny(of: headers) {
            span.addLinks(to: self.contexts(in: CollectionOfOne(record.headers), carriedBy: headers))
        } else {
            record.headers += headers
        }
        return span
    }

    /// Begins the span of records that are sent together. They get its context, those that have one already excepted.
    func startSend(_ records: inout [KafkaProducerRecord]) -> ClientSpan {
        let topic = records.first?.topic
        let isOneTopic = records.allSatisfy { $0.topic == topic }
        let span = self.startSpan(.send, topic: isOneTopic ? topic : nil) { attributes in
            attributes["messaging.batch.message_count"] = records.count
        }
        let headers = self.headers(carrying: span.context)
        let carrying = records.lazy.filter { $0.carriesAny(of: headers) }.map(\.headers)
        span.addLinks(to: self.contexts(in: carrying, carriedBy: headers))
        for index in records.indices where !records[index].carriesAny(of: headers) {
            records[index].headers += headers
        }
        return span
    }

    /// The contexts that records came with. Records that follow each other with the same one count once.
    ///
    /// - Parameter carriers: headers with the keys that matter.
    func contexts(
        in headers: some Sequence<[KafkaHeader]>,
        carriedBy carriers: [KafkaHeader],
        limit: Int = 128
    ) -> [ServiceContext] {
        var contexts: [ServiceContext] = []
        var last: [KafkaHeader] = []
        for headers in headers where !headers.isEmpty && contexts.count < limit {
            let carrying = headers.filter { header in carriers.contains { $0.key == header.key } }
            if !carriers.isEmpty, carrying == last { continue }
            last = carrying
            let context = self.context(in: headers)
            if !context.isEmpty { contexts.append(context) }
        }
        return contexts
    }
}

extension KafkaProducerRecord {
    /// Whether the record has a header with one of these keys: then whoever made it has given it a context.
    fileprivate func carriesAny(of headers: [KafkaHeader]) -> Bool {
        !self.headers.isEmpty && self.headers.contains { own in headers.contains { $0.key == own.key } }
    }
}

extension ClientSpan {
    /// Says that other contexts belong to this one.
    func addLinks(to contexts: [ServiceContext]) {
        for context in contexts { self.addLink(to: context) }
    }
}
