internal import CLibrdkafka

/// What librdkafka reported of one record, without its topic, which the sender knows.
struct DeliveryReport: Sendable {
    var response: ResponseCode
    var partition: Int32
    var offset: Int64
    var timestamp: Int64
    /// Whether the broker may have the record although the report is an error.
    var isPossiblyPersisted: Bool

    /// Reads the report of a message of a delivery event.
    init(_ message: UnsafePointer<rd_kafka_message_t>) {
        self.response = message.pointee.err
        self.partition = message.pointee.partition
        self.offset = message.pointee.offset
        var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        self.timestamp = rd_kafka_message_timestamp(message, &type)
        self.isPossiblyPersisted =
            message.pointee.err != RD_KAFKA_RESP_ERR_NO_ERROR
            && rd_kafka_message_status(message) == RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED
    }

    /// What the sender gets.
    func result(
        of record: (topic: String, partition: Int32?),
        operation: String,
        context: DeliveryContext
    )
        -> Result<KafkaRecordMetadata, KafkaError>
    {
        guard self.response == RD_KAFKA_RESP_ERR_NO_ERROR else {
            return .failure(self.error(of: record, operation: operation, context: context))
        }
        return .success(
            KafkaRecordMetadata(
                topic: record.topic,
                partition: self.partition,
                offset: self.offset >= 0 ? self.offset : nil,
                timestamp: self.timestamp > 0 ? KafkaTimestamp(millisecondsSince1970: self.timestamp) : nil
            )
        )
    }

    private func error(
        of record: (topic: String, partition: Int32?),
        operation: String,
        context: DeliveryContext
    ) -> KafkaError {
        let partition = self.partition >= 0 ? self.partition : record.partition
        if self.response == RD_KAFKA_RESP_ERR__PURGE_QUEUE, let refusal = context.connectionProblem.refusal {
            // No broker lets the client in, so nothing waits for that any more.
            return refusal.restated(operation: operation, topic: record.topic, partition: partition)
        }
        var detail: [String] = []
        if self.isPossiblyPersisted, !context.isTransactional {
            detail.append("the broker may have the record nevertheless")
        }
        if self.wasGivenUp {
            if let fatal = context.fatalError {
                return fatal.restated(operation: operation, topic: record.topic, partition: partition, details: detail)
            }
            if context.isTransactional {
                return KafkaError.notInTransaction(operation: operation, topic: record.topic, partition: partition)
            }
        }
        if self.response == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, let problem = context.connectionProblem.detail {
            detail.append(problem)
        }
        return KafkaError(
            self.response,
            operation: operation,
            topic: record.topic,
            partition: partition,
            detail: detail.isEmpty ? nil : detail.joined(separator: "; ")
        )
    }

    /// Whether librdkafka gave the record up for a reason of the whole client: a fatal error, an aborted transaction, the
    /// end.
    var wasGivenUp: Bool {
        switch self.response {
        case RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, RD_KAFKA_RESP_ERR__FATAL: true
        default: false
        }
    }
}
