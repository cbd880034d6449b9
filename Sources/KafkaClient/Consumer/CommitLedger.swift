internal import CLibrdkafka
internal import Logging
internal import Synchronization

/// The commits on their way, and what the brokers have acknowledged.
final class CommitLedger: Sendable {
    /// What the broker said of one commit.
    struct Outcome: Sendable {
        var response: ResponseCode
        var refused: [(partition: KafkaTopicPartition, response: ResponseCode)]
    }

    private struct State {
        var acknowledged: [KafkaTopicPartition: Int64] = [:]
        var waiting: [ObjectIdentifier: CommitWaiter] = [:]
        var isEnded = false
    }

    private let state = Mutex(State())
    private let metrics: ClientMetrics?

    init(metrics: ClientMetrics? = nil) {
        self.metrics = metrics
    }

    /// The offsets that the broker has acknowledged since the consumer was made.
    var acknowledged: [KafkaTopicPartition: Int64] { self.state.withLock { $0.acknowledged } }

    /// Commits offsets and waits for the broker's answer.
    ///
    /// - Parameter offsets: `nil` commits what is stored.
    func commit(
        _ offsets: [KafkaTopicPartition: Int64]?,
        client: ClientHandle,
        operation: String
    ) async throws(KafkaError) {
        if let tracing = client.tracing {
            let span = tracing.startCommit(of: offsets)
            try await tracing.withSpan(span) { () throws(KafkaError) in
                try await self.commitUntraced(offsets, client: client, operation: operation)
            }
        } else {
            try await self.commitUntraced(offsets, client: client, operation: operation)
        }
    }

    private func commitUntraced(
        _ offsets: [KafkaTopicPartition: Int64]?,
        client: ClientHandle,
        operation: String
    ) async throws(KafkaError) {
        let waiter = try self.handOver(offsets, client: client, operation: operation)
        guard await waiter.waitUnlessCancelled(), let outcome = waiter.outcome else {
            self.forget(waiter)
            throw KafkaError(
                .outcomeUnknown,
                operation: operation,
                message: "cancelled while the commit was on its way: it may have taken effect or not"
            )
        }
        try self.check(outcome, operation: operation)
    }

    /// Hands a commit to librdkafka, unless the group is being left: librdkafka waits for commits on their way before it
    /// leaves, and 2.0.2 aborts the process when one comes while it does.
    private func handOver(
        _ offsets: [KafkaTopicPartition: Int64]?,
        client: ClientHandle,
        operation: String
    ) throws(KafkaError) -> CommitWaiter {
        guard let queue = rd_kafka_queue_get_main(client.pointer) else { throw KafkaError.closed(operation: operation) }
        defer { rd_kafka_queue_destroy(queue) }
        let list = offsets.map { PartitionList($0) }
        let waiter = CommitWaiter()
        try self.state.withLock { state throws(KafkaError) in
            guard !state.isEnded else { throw KafkaError.closed(operation: operation) }
            let opaque = waiter.makeOpaque()
            let response = rd_kafka_commit_queue(client.pointer, list?.pointer, queue, nil, opaque)
            guard response == RD_KAFKA_RESP_ERR_NO_ERROR else {
                // No answer will come.
                _ = CommitWaiter.take(opaque: opaque)
                throw KafkaError(response, operation: operation)
            }
            state.waiting[ObjectIdentifier(waiter)] = waiter
        }
        return waiter
    }

    /// Whether somebody waits for the answer to a commit.
    var isAwaited: Bool { self.state.withLock { !$0.waiting.isEmpty } }

    /// Refuses commits from now on.
    func end() {
        self.state.withLock { $0.isEnded = true }
    }

    private func check(_ outcome: Outcome, operation: String) throws(KafkaError) {
        if let refused = outcome.refused.first {
            throw KafkaError(
                refused.response,
                operation: operation,
                topic: refused.partition.topic,
                partition: refused.partition.partition
            )
        }
        switch outcome.response {
        case RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR__NO_OFFSET:
            // "No offset" means that everything was committed before.
            return
        case RD_KAFKA_RESP_ERR__DESTROY:
            throw KafkaError(
                .outcomeUnknown,
                operation: operation,
                message: "the consumer was closed while the commit was on its way: it may have taken effect or not"
            )
        default:
            throw KafkaError(outcome.response, operation: operation)
        }
    }

    /// Takes note of a commit event: the answer to ``commit(_:client:operation:)`` or to an automatic commit.
    func handle(_ event: OpaquePointer, logger: Logger) {
        let response = rd_kafka_event_error(event)
        var outcome = Outcome(response: response, refused: [])
        var acknowledged: [KafkaTopicPartition: Int64] = [:]
        if let list = rd_kafka_event_topic_partition_list(event) {
            for entry in PartitionList(borrowing: list) {
                if entry.response != RD_KAFKA_RESP_ERR_NO_ERROR {
                    outcome.refused.append((entry.partition, entry.response))
                } else if response == RD_KAFKA_RESP_ERR_NO_ERROR, entry.offset >= 0 {
                    acknowledged[entry.partition] = entry.offset
                }
            }
        }
        self.state.withLock { $0.acknowledged.merge(acknowledged) { _, new in new } }
        if response != RD_KAFKA_RESP_ERR__NO_OFFSET {
            let isSuccess = response == RD_KAFKA_RESP_ERR_NO_ERROR && outcome.refused.isEmpty
            self.metrics?.count { counts in
                if isSuccess { counts.commits += 1 } else { counts.failedCommits += 1 }
            }
        }
        if let opaque = rd_kafka_event_opaque(event) {
            let waiter = CommitWaiter.take(opaque: opaque)
            self.forget(waiter)
            waiter.deliver(outcome)
        } else if response != RD_KAFKA_RESP_ERR_NO_ERROR, response != RD_KAFKA_RESP_ERR__NO_OFFSET {
            let error = KafkaError(response, operation: "automatic commit")
            // Retriable ones are made up for by the next commit.
            logger.log(level: error.isRetriable ? .info : .warning, "\(error)")
        }
    }

    /// Answers those who still wait when the client goes.
    func abandonAll() {
        let waiting = self.state.withLock { state in
            defer { state.waiting = [:] }
            state.isEnded = true
            return state.waiting
        }
        for waiter in waiting.values {
            waiter.deliver(Outcome(response: RD_KAFKA_RESP_ERR__DESTROY, refused: []))
        }
    }

    private func forget(_ waiter: CommitWaiter) {
        self.state.withLock { _ = $0.waiting.removeValue(forKey: ObjectIdentifier(waiter)) }
    }
}

/// Where the answer to one commit and the task that asked for it meet, whichever comes first.
///
/// A commit that is answered twice, by the broker and by the end of the client, keeps the first answer.
private final class CommitWaiter: Completion, @unchecked Sendable {
    private let firstOutcome = Mutex<CommitLedger.Outcome?>(nil)

    var outcome: CommitLedger.Outcome? { self.firstOutcome.withLock { $0 } }

    /// The opaque pointer for librdkafka, which holds a reference until the answer has come.
    func makeOpaque() -> UnsafeMutableRawPointer {
        Unmanaged.passRetained(self).toOpaque()
    }

    /// Takes the reference back that ``makeOpaque()`` gave away.
    static func take(opaque: UnsafeMutableRawPointer) -> CommitWaiter {
        Unmanaged<CommitWaiter>.fromOpaque(opaque).takeRetainedValue()
    }

    func deliver(_ outcome: CommitLedger.Outcome) {
        self.firstOutcome.withLock { first in
            if first == nil { first = outcome }
        }
        self.complete()
    }
}
