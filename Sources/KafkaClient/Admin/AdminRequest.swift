internal import CLibrdkafka

/// What is the same for all requests to librdkafka's admin API.
struct AdminRequest: Sendable {
    /// What errors call it.
    var operation: String
    /// librdkafka's number of it.
    var kind: rd_kafka_admin_op_t
    var timeout: Duration
    /// What is known of the connections, so that a time-out can say why nothing came.
    var connection: ConnectionProblem
    /// Whether it changes something, so that it is unknown what became of it when nobody waits for the answer.
    var isChange = false
    /// Whether the brokers only check it.
    var validateOnly = false
    /// The group that it is about, if there is one.
    var group: String?

    /// Whether it becomes requests to several brokers, whose answers each have an error of their own.
    var isSpread: Bool {
        switch self.kind {
        case RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS,
            RD_KAFKA_ADMIN_OP_DELETEGROUPS, RD_KAFKA_ADMIN_OP_DELETERECORDS:
            true
        default:
            false
        }
    }

    private static let unknown = "it may have taken effect or not"

    /// Whether the broker is told how long the work may take.
    private var hasOperationTimeout: Bool {
        switch self.kind {
        case RD_KAFKA_ADMIN_OP_CREATETOPICS, RD_KAFKA_ADMIN_OP_DELETETOPICS, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS,
            RD_KAFKA_ADMIN_OP_DELETERECORDS:
            true
        default:
            false
        }
    }

    /// Makes librdkafka's options. The caller destroys them.
    func makeOptions(client: OpaquePointer, id: Int) throws(KafkaError) -> OpaquePointer {
        guard let options = rd_kafka_AdminOptions_new(client, self.kind) else {
            throw KafkaError(
                .unsupported,
                operation: self.operation,
                message: "librdkafka \(LibrdkafkaVersion.loaded) does not know this request"
            )
        }
        var text = [CChar](repeating: 0, count: 512)
        let limit = max(1, min(self.timeout.milliseconds, 3_600_000))
        var response = rd_kafka_AdminOptions_set_request_timeout(options, Int32(limit), &text, text.count)
        if response == RD_KAFKA_RESP_ERR_NO_ERROR, self.hasOperationTimeout {
            // A little less, so that a broker that is not done in time can say for what.
            let operation = max(1, limit / 10 * 9)
            response = rd_kafka_AdminOptions_set_operation_timeout(options, Int32(operation), &text, text.count)
        }
        if response == RD_KAFKA_RESP_ERR_NO_ERROR, self.validateOnly {
            response = rd_kafka_AdminOptions_set_validate_only(options, 1, &text, text.count)
        }
        guard response == RD_KAFKA_RESP_ERR_NO_ERROR else {
            rd_kafka_AdminOptions_destroy(options)
            throw KafkaError(response, operation: self.operation, text: String(nullTerminated: text))
        }
        rd_kafka_AdminOptions_set_opaque(options, UnsafeMutableRawPointer(bitPattern: id))
        return options
    }

    /// The error of a request that nobody waits for any more.
    func unknownOutcome(_ reason: String) -> KafkaError {
        KafkaError(
            .outcomeUnknown,
            operation: self.operation,
            group: self.group,
            message: "\(reason) while the request was on its way: \(Self.unknown)"
        )
    }

    /// An error that librdkafka or a broker answered with, of the whole request or of one thing of several.
    func error(
        _ response: ResponseCode,
        text: UnsafePointer<CChar>?,
        topic: String? = nil,
        partition: Int32? = nil,
        group: String? = nil
    ) -> KafkaError {
        let error = KafkaError(
            response,
            operation: self.operation,
            topic: topic,
            partition: partition,
            group: group ?? self.group,
            text: text.map { String(cString: $0) },
            detail: self.isChange && KafkaError.Code(response) == .timedOut ? Self.unknown : nil
        )
        guard error.code == .timedOut || error.code == .brokerUnreachable, let problem = self.connection.detail else {
            return error
        }
        let code = self.connection.code
        return KafkaError(
            code,
            operation: self.operation,
            topic: topic,
            partition: partition,
            group: group ?? self.group,
            message: "no broker answered within \(self.timeout): \(problem)",
            librdkafkaName: error.librdkafkaName,
            disposition: KafkaError.Disposition(isRetriable: code == .brokerUnreachable)
        )
    }

    /// An error of the caller's.
    func invalid(
        _ message: String,
        topic: String? = nil,
        partition: Int32? = nil,
        group: String? = nil
    ) -> KafkaError {
        KafkaError(
            .invalidRequest,
            operation: self.operation,
            topic: topic,
            partition: partition,
            group: group ?? self.group,
            message: message
        )
    }
}
