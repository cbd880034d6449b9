internal import Tracing

extension ClientTracing {
    /// Makes the span of a batch that a reader was given, with links to the contexts of its records.
    ///
    /// - Parameter start: when the reader asked.
    func received(_ batch: KafkaConsumerBatch, since start: DefaultTracerClock.Timestamp?) {
        let partitions = batch.partitions
        guard let topic = partitions.first?.topic else { return }
        let isOneTopic = partitions.allSatisfy { $0.topic == topic }
        let span = self.startSpan(.receive, topic: isOneTopic ? topic : nil, at: start) { attributes in
            attributes["messaging.batch.message_count"] = batch.count
            if partitions.count == 1 {
                attributes["messaging.destination.partition.id"] = "\(partitions[0].partition)"
            }
        }
        span.addLinks(
            to: self.contexts(
                in: batch.lazy.map(\.headers),
                carriedBy: self.headers(carrying: span.context),
                limit: self.configuration.maxReceiveLinks
            )
        )
        span.end()
    }

    /// Begins the span of a record that is being processed.
    func startProcess(_ record: KafkaConsumerRecord) -> ClientSpan {
        let headers = record.headers
        let own = headers.isEmpty ? .topLevel : self.context(in: headers)
        let current = ServiceContext.current ?? .topLevel
        let isChild = self.configuration.processParent == .record && !own.isEmpty
        let topicPartition = record.topicPartition
        let span = self.startSpan(
            .process,
            topic: topicPartition.topic,
            // What the task's context holds besides the span stays.
            parent: isChild ? self.context(in: headers, over: current) : current
        ) { attributes in
            attributes.describe(
                partition: topicPartition.partition,
                key: record.key,
                isTombstone: record.isTombstone,
                includesKeys: self.configuration.includesKeys
            )
            attributes["messaging.kafka.offset"] = record.offset
        }
        let other = isChild ? current : own
        if !other.isEmpty {
            span.addLink(to: other)
        }
        return span
    }

    /// Begins the span of a commit.
    ///
    /// - Parameter offsets: what is committed; `nil` is all that was processed.
    func startCommit(of offsets: [KafkaTopicPartition: Int64]?) -> ClientSpan {
        let topics = Set((offsets ?? [:]).keys.map(\.topic))
        return self.startSpan(.commit, topic: topics.count == 1 ? topics.first : nil) { attributes in
            if let (partition, offset) = offsets?.first, offsets?.count == 1 {
                attributes["messaging.destination.partition.id"] = "\(partition.partition)"
                attributes["messaging.kafka.offset"] = offset
            }
        }
    }
}

extension KafkaConsumerRecord {
    /// Processes the record in a span of its own, with the span's context as that of the task.
    ///
    /// ```swift
    /// for try await record in consumer.records {
    ///     try await record.withProcessSpan {
    ///         try await bill(record)
    ///     }
    /// }
    /// ```
    ///
    /// The span belongs to the trace of the sender, or has a link to it: see ``KafkaTracing/processParent``. Where the
    /// process has no tracer, this does nothing but run `operation`.
    ///
    /// - Throws: what `operation` throws, with which the span is marked.
    public func withProcessSpan<R, E: Error>(
        _ operation: () async throws(E) -> R
    ) async throws(E) -> R {
        guard let tracing = self.batch.tracing else { return try await operation() }
        return try await tracing.withSpan(tracing.startProcess(self), operation)
    }

    fileprivate var isTombstone: Bool { self.valueBuffer == nil }
}
