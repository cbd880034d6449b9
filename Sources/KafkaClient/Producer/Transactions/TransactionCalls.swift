internal import CLibrdkafka
internal import Dispatch

/// The calls of librdkafka's transactional API. They block in C.
enum TransactionCall: Sendable {
    case initialize
    case begin
    case sendOffsets([KafkaTopicPartition: Int64], ConsumerGroupMetadata)
    case commit
    case abort

    static let operationOfOffsets = "commit offsets in a transaction"

    /// For errors.
    var operation: String {
        switch self {
        case .initialize: "initialize transactions"
        case .begin: "begin a transaction"
        case .sendOffsets: Self.operationOfOffsets
        case .commit: "commit a transaction"
        case .abort: "abort a transaction"
        }
    }

    /// Makes the call; the answer is librdkafka's error, which the caller owns.
    fileprivate func callAsFunction(_ client: OpaquePointer, timeout: Duration) -> OpaquePointer? {
        let milliseconds = Int32(max(1, timeout.milliseconds))
        switch self {
        case .initialize:
            return rd_kafka_init_transactions(client, milliseconds)
        case .begin:
            return rd_kafka_begin_transaction(client)
        case .sendOffsets(let offsets, let metadata):
            let list = PartitionList(offsets)
            return withExtendedLifetime((list, metadata)) {
                rd_kafka_send_offsets_to_transaction(client, list.pointer, metadata.pointer, milliseconds)
            }
        case .commit:
            return rd_kafka_commit_transaction(client, milliseconds)
        case .abort:
            return rd_kafka_abort_transaction(client, milliseconds)
        }
    }
}

extension ClientHandle {
    /// How much longer than its time-out a call may take. librdkafka 2.0.2 never comes back from sending offsets when the
    /// coordinator goes away at the wrong moment.
    private static let grace = Duration.seconds(3)

    /// Makes a transactional call on a thread for such calls and waits for its end, also when the task is cancelled.
    func call(_ call: TransactionCall, timeout: Duration, transactionalID: String) async -> KafkaError? {
        let error: KafkaError?? = await self.blockingCalls.runToTheEnd(limit: timeout + Self.grace) {
            KafkaError(taking: call(self.pointer, timeout: timeout), operation: call.operation) { code in
                switch code {
                case .timedOut, .brokerUnreachable:
                    self.connectionProblem.detail
                case .fenced:
                    "another producer has taken over the transactional id \"\(transactionalID)\", or a transaction took "
                        + "longer than transactionTimeout and the broker gave it up"
                default:
                    nil
                }
            }
        }
        guard let error else {
            return KafkaError(
                .fatal,
                operation: call.operation,
                message: "librdkafka has not come back within \(timeout + Self.grace): the transaction ends "
                    + "by its time-out, and the producer is of no use any more",
                disposition: KafkaError.Disposition(isFatal: true)
            )
        }
        return error
    }

    /// Makes a transactional call again while its errors may pass, until a deadline.
    func persist(
        with call: TransactionCall,
        until deadline: ContinuousClock.Instant,
        atATime step: Duration? = nil,
        transactionalID: String,
        while isWanted: () -> Bool = { true }
    ) async -> KafkaError? {
        let span = self.tracing?.startCall(call, transactionalID: transactionalID)
        while true {
            let left = deadline - .now
            let error = await self.call(call, timeout: min(left, step ?? left), transactionalID: transactionalID)
            guard let error, error.isRetriable, isWanted(), ContinuousClock.now < deadline else {
                if let error { span?.end(with: error) } else { span?.end() }
                return error
            }
            // Some errors come back at once.
            await Completion().wait(until: .now() + .milliseconds(50))
        }
    }
}

/// Who a consumer is in its group at the moment: what fences offsets of a member that is one no longer (KIP-447).
///
/// Unchecked, because librdkafka never changes it.
final class ConsumerGroupMetadata: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Takes over librdkafka's metadata.
    init(taking pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        rd_kafka_consumer_group_metadata_destroy(self.pointer)
    }
}
