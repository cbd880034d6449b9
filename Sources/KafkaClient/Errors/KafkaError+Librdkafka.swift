internal import CLibrdkafka

/// A result code of librdkafka or of the Kafka protocol.
typealias ResponseCode = rd_kafka_resp_err_t

extension KafkaError {
    /// Makes an error of a code of librdkafka.
    ///
    /// - Parameters:
    ///   - response: the code, not `NO_ERROR`.
    ///   - operation: the call that failed.
    ///   - detail: what is known beyond the code's standard text, such as the last connection error.
    init(
        _ response: ResponseCode,
        operation: String,
        topic: String? = nil,
        partition: Int32? = nil,
        group: String? = nil,
        text: String? = nil,
        detail: String? = nil,
        isFatal: Bool = false
    ) {
        var message = text ?? String(cString: rd_kafka_err2str(response))
        if let detail {
            message += "; \(detail)"
        }
        self.init(
            Code(response),
            operation: operation,
            topic: topic,
            partition: partition.flatMap { $0 >= 0 ? $0 : nil },
            group: group,
            message: message,
            librdkafkaName: String(cString: rd_kafka_err2name(response)),
            disposition: Disposition(
                isRetriable: !isFatal && response.isRetriable,
                isFatal: isFatal || response.isFatal,
                requiresAbort: !isFatal && response.requiresAbort
            )
        )
    }

    /// The fatal error that a client has met, if any.
    static func fatal(of client: OpaquePointer, operation: String) -> KafkaError? {
        var buffer = [CChar](repeating: 0, count: 512)
        let code = rd_kafka_fatal_error(client, &buffer, buffer.count)
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        return KafkaError(code, operation: operation, text: String(nullTerminated: buffer), isFatal: true)
    }

    /// Takes over the error of a transactional call, with what librdkafka says can be done about it; `nil` for none.
    ///
    /// - Parameter detail: what is known beyond librdkafka's text.
    init?(
        taking error: OpaquePointer?,
        operation: String,
        detail: (Code) -> String? = { _ in nil }
    ) {
        guard let error else { return nil }
        defer { rd_kafka_error_destroy(error) }
        let response = rd_kafka_error_code(error)
        let code = Code(response)
        let text = rd_kafka_error_string(error).map { String(cString: $0) } ?? ""
        let isFatal = rd_kafka_error_is_fatal(error) == 1
        let requiresAbort = rd_kafka_error_txn_requires_abort(error) == 1
        self.init(
            code,
            operation: operation,
            message: [text, detail(code)].compactMap { $0 }.joined(separator: "; "),
            librdkafkaName: String(cString: rd_kafka_err2name(response)),
            disposition: Disposition(
                isRetriable: !isFatal && !requiresAbort && rd_kafka_error_is_retriable(error) == 1,
                isFatal: isFatal,
                requiresAbort: !isFatal && requiresAbort
            )
        )
    }

    static func closed(operation: String) -> KafkaError {
        KafkaError(.closed, operation: operation, message: "the client is closed")
    }
}

extension KafkaError.Code {
    init(_ response: ResponseCode) {
        self =
            switch response {
            case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__RESOLVE:
                .brokerUnreachable
            case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE,
                RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
                .timedOut
            case RD_KAFKA_RESP_ERR__QUEUE_FULL: .queueFull
            case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT: .outcomeUnknown
            case RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_RESP_ERR__DESTROY: .notSent
            case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE: .messageTooLarge
            case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
                RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
                .unknownTopicOrPartition
            case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS: .topicAlreadyExists
            case RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND: .unknownGroup
            case RD_KAFKA_RESP_ERR__INVALID_ARG, RD_KAFKA_RESP_ERR_INVALID_REQUEST,
                RD_KAFKA_RESP_ERR_INVALID_PARTITIONS, RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR,
                RD_KAFKA_RESP_ERR_INVALID_REPLICA_ASSIGNMENT, RD_KAFKA_RESP_ERR_INVALID_CONFIG,
                RD_KAFKA_RESP_ERR_INVALID_GROUP_ID, RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
                .invalidRequest
            case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR__SSL,
                RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM,
                RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
                .authentication
            case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED: .topicAuthorization
            case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED: .groupAuthorization
            case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED: .clusterAuthorization
            case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET: .offsetOutOfRange
            case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
                RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP,
                RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST, RD_KAFKA_RESP_ERR_GROUP_SUBSCRIBED_TO_TOPIC:
                .groupMembership
            case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
                RD_KAFKA_RESP_ERR_NOT_COORDINATOR, RD_KAFKA_RESP_ERR__WAIT_COORD:
                .coordinatorUnavailable
            case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
                .leaderUnavailable
            case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
                RD_KAFKA_RESP_ERR__ISR_INSUFF:
                .notEnoughReplicas
            case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED: .maxPollIntervalExceeded
            case RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED, RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE,
                RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
                .unsupported
            case RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
                .fenced
            case RD_KAFKA_RESP_ERR__FATAL: .fatal
            case RD_KAFKA_RESP_ERR__STATE, RD_KAFKA_RESP_ERR__CONFLICT, RD_KAFKA_RESP_ERR__IN_PROGRESS: .invalidState
            default: .broker
            }
    }
}

extension ResponseCode {
    /// The retriable errors of the protocol (Kafka protocol guide, "Error codes") and librdkafka's local counterparts.
    var isRetriable: Bool {
        switch self {
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__RESOLVE,
            RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE,
            RD_KAFKA_RESP_ERR__QUEUE_FULL, RD_KAFKA_RESP_ERR__WAIT_COORD, RD_KAFKA_RESP_ERR__RETRY,
            RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_RESP_ERR__ISR_INSUFF, RD_KAFKA_RESP_ERR_INVALID_MSG,
            RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
            RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
            RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
            RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
            RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, RD_KAFKA_RESP_ERR_NOT_CONTROLLER,
            RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
            RD_KAFKA_RESP_ERR_FETCH_SESSION_ID_NOT_FOUND, RD_KAFKA_RESP_ERR_INVALID_FETCH_SESSION_EPOCH,
            RD_KAFKA_RESP_ERR_LISTENER_NOT_FOUND, RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH,
            RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH, RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_PREFERRED_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_ELIGIBLE_LEADERS_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED:
            true
        default:
            false
        }
    }

    var isFatal: Bool {
        switch self {
        case RD_KAFKA_RESP_ERR__FATAL, RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR_PRODUCER_FENCED,
            RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
            true
        default:
            false
        }
    }

    /// Only transactional calls meet this one: the epoch was bumped, so abort and try again (KIP-588).
    var requiresAbort: Bool {
        self == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH
    }
}
