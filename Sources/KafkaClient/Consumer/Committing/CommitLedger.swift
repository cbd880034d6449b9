internal import CLibrdkafka
internal import Dispatch
internal import Logging
internal import Synchronization

/// Commits, one after the other, and what the brokers have acknowledged.
///
/// Commits are handed to librdkafka on the pump, where partitions are given up too: so none is sent for a partition that
/// was given up, nor when the group is being left, at which librdkafka 2.0.2 aborts the process.
final class CommitLedger: Sendable {
    private struct State {
        var line = CommitLine()
        var waiters: [Int: CommitWaiter] = [:]
        var nextWaiter = 0
    }

    private let state = Mutex(State())
    private let logger: Logger
    private let metrics: ClientMetrics?

    init(logger: Logger, metrics: ClientMetrics?) {
        self.logger = logger
        self.metrics = metrics
    }

    /// The offsets that the broker has acknowledged since the consumer was made.
    var acknowledged: [KafkaTopicPartition: Int64] { self.state.withLock { $0.line.acknowledged } }

    /// Offsets were committed by other means: in a transaction.
    func acknowledge(_ offsets: [KafkaTopicPartition: Int64]) {
        self.state.withLock { $0.line.acknowledge(offsets) }
    }

    /// Whether somebody waits for the answer to a commit.
    var isAwaited: Bool { self.state.withLock { $0.line.isAwaited } }

    /// Whether nothing of these partitions is to be committed or on its way.
    func isIdle(for partitions: Set<KafkaTopicPartition>) -> Bool {
        self.state.withLock { $0.line.isIdle(for: partitions) }
    }

    /// Records are processed up to these positions.
    func process(_ positions: [(partition: KafkaTopicPartition, offset: Int64)]) {
        self.state.withLock { $0.line.process(positions) }
    }

    /// The application goes back to these positions.
    func rewind(_ offsets: [KafkaTopicPartition: Int64]) {
        self.state.withLock { $0.line.rewind(offsets) }
    }

    /// Partitions are read from elsewhere on: what was processed and committed before does not count any more.
    func restart(_ partitions: some Sequence<KafkaTopicPartition>) {
        self.state.withLock { $0.line.restart(partitions) }
    }

    // MARK: Asking

    /// Asks for a commit of what is processed, for which nobody waits. On the pump.
    func requestProcessed(client: ClientHandle) {
        self.state.withLock { _ = $0.line.requestProcessed() }
        self.send(client)
    }

    /// Partitions are read on from other places, up to which all counts as processed. On the pump.
    ///
    /// - Parameter commits: whether to commit them, for which nobody waits.
    func move(to places: [KafkaTopicPartition: Int64], commits: Bool, client: ClientHandle) {
        self.state.withLock { state in
            state.line.restart(places.keys)
            state.line.process(places.map { ($0.key, $0.value) })
            if commits {
                _ = state.line.request(places, rewinds: true)
            }
        }
        self.send(client)
    }

    /// Commits offsets and waits for the broker's answer.
    ///
    /// - Parameters:
    ///   - offsets: `nil` commits what is processed.
    ///   - rewinds: whether offsets may be lower than what was committed.
    ///   - check: on the pump, whether the commit may be sent.
    func commit(
        _ offsets: [KafkaTopicPartition: Int64]?,
        rewinds: Bool,
        client: ClientHandle,
        operation: String,
        check: @escaping @Sendable () throws(KafkaError) -> Void
    ) async throws(KafkaError) {
        guard let tracing = client.tracing else {
            return try await self.commitUntraced(
                offsets,
                rewinds: rewinds,
                client: client,
                operation: operation,
                check: check
            )
        }
        let span = tracing.startCommit(of: offsets)
        try await tracing.withSpan(span) { () throws(KafkaError) in
            try await self.commitUntraced(
                offsets,
                rewinds: rewinds,
                client: client,
                operation: operation,
                check: check
            )
        }
    }

    private func commitUntraced(
        _ offsets: [KafkaTopicPartition: Int64]?,
        rewinds: Bool,
        client: ClientHandle,
        operation: String,
        check: @escaping @Sendable () throws(KafkaError) -> Void
    ) async throws(KafkaError) {
        let waiter = CommitWaiter(operation: operation)
        client.pump.dispatchQueue.async {
            self.request(offsets, rewinds: rewinds, waiter: waiter, client: client, check: check)
        }
        guard await waiter.waitUnlessCancelled(), let result = waiter.result else {
            self.forget(waiter)
            throw KafkaError(
                .outcomeUnknown,
                operation: operation,
                message: "cancelled while the commit was on its way: it may have taken effect or not"
            )
        }
        try result.get()
    }

    private func request(
        _ offsets: [KafkaTopicPartition: Int64]?,
        rewinds: Bool,
        waiter: CommitWaiter,
        client: ClientHandle,
        check: () throws(KafkaError) -> Void
    ) {
        do throws(KafkaError) {
            try check()
            let isDone = try self.state.withLock { state throws(KafkaError) in
                guard !state.line.isEnded else { throw KafkaError.closed(operation: waiter.operation) }
                // Called off before it was sent.
                guard !waiter.isComplete else { return true }
                let id = state.nextWaiter
                state.nextWaiter += 1
                let isDone: Bool
                if let offsets {
                    let entry = CommitLine.Waiter(id: id, partitions: Set(offsets.keys))
                    isDone = state.line.request(offsets, rewinds: rewinds, waiter: entry)
                } else {
                    isDone = state.line.requestProcessed(waiter: id)
                }
                if !isDone { state.waiters[id] = waiter }
                return isDone
            }
            if isDone { waiter.deliver(.success(())) }
        } catch {
            waiter.deliver(.failure(error))
        }
        self.send(client)
    }

    /// Hands the next commit to librdkafka, unless one is on its way. While the group is being joined, it is held back until
    /// this is called again. On the pump.
    func send(_ client: ClientHandle) {
        while client.joins?.isJoining != true, let commit = self.state.withLock({ $0.line.next() }) {
            guard let queue = rd_kafka_queue_get_main(client.pointer) else { return }
            defer { rd_kafka_queue_destroy(queue) }
            let list = PartitionList(commit.offsets)
            let opaque = UnsafeMutableRawPointer(bitPattern: commit.id)
            let response = rd_kafka_commit_queue(client.pointer, list.pointer, queue, nil, opaque)
            if response == RD_KAFKA_RESP_ERR_NO_ERROR { return }
            // No answer will come.
            self.take(Outcome(response: response), of: commit.id, client: client)
        }
    }

    // MARK: Answers

    /// What the broker said of one commit.
    private struct Outcome {
        var response: ResponseCode
        var accepted: [KafkaTopicPartition: Int64] = [:]
        var refused: [KafkaTopicPartition: ResponseCode] = [:]

        var isPassing: Bool {
            let responses = self.refused.values.filter { $0 != RD_KAFKA_RESP_ERR_NO_ERROR } + [self.response]
            return responses.allSatisfy { $0 == RD_KAFKA_RESP_ERR_NO_ERROR || $0.isPassingForCommits }
        }
    }

    /// Takes note of a commit event. On the pump.
    ///
    /// - Parameter client: `nil` when the consumer is gone, so that nothing more is sent.
    func handle(_ event: OpaquePointer, client: ClientHandle?) {
        var outcome = Outcome(response: rd_kafka_event_error(event))
        if let list = rd_kafka_event_topic_partition_list(event) {
            for entry in PartitionList(borrowing: list) {
                if entry.response != RD_KAFKA_RESP_ERR_NO_ERROR {
                    outcome.refused[entry.partition] = entry.response
                } else if outcome.response == RD_KAFKA_RESP_ERR_NO_ERROR, entry.offset >= 0 {
                    outcome.accepted[entry.partition] = entry.offset
                }
            }
        }
        if outcome.response != RD_KAFKA_RESP_ERR__NO_OFFSET {
            let isSuccess = outcome.response == RD_KAFKA_RESP_ERR_NO_ERROR && outcome.refused.isEmpty
            self.metrics?.count { counts in
                if isSuccess { counts.commits += 1 } else { counts.failedCommits += 1 }
            }
        }
        self.take(outcome, of: Int(bitPattern: rd_kafka_event_opaque(event)), client: client)
        if let client { self.send(client) }
    }

    private func take(_ outcome: Outcome, of id: Int, client: ClientHandle?) {
        let operation = "commit"
        var error: KafkaError?
        if outcome.response == RD_KAFKA_RESP_ERR__DESTROY {
            error = Self.abandoned(operation)
        } else if outcome.refused.isEmpty, outcome.response != RD_KAFKA_RESP_ERR_NO_ERROR,
            outcome.response != RD_KAFKA_RESP_ERR__NO_OFFSET
        {
            error = KafkaError(outcome.response, operation: operation)
        }
        var refused: [KafkaTopicPartition: KafkaError] = [:]
        for (partition, response) in outcome.refused {
            refused[partition] = KafkaError(
                response,
                operation: operation,
                topic: partition.topic,
                partition: partition.partition
            )
        }
        let result = self.state.withLock { state in
            state.line.answered(
                id,
                accepted: outcome.accepted,
                error: error,
                refused: refused,
                isPassing: outcome.isPassing && client != nil
            )
        }
        let failure = error ?? refused.values.first
        switch result {
        case .unknown:
            break
        case .answers(let answers):
            if answers.isEmpty, let failure {
                self.logger.log(level: failure.isRetriable ? .info : .warning, "automatic commit: \(failure)")
            }
            for answer in answers {
                self.deliver(answer.error.map { .failure($0) } ?? .success(()), to: answer.waiter)
            }
        case .retry(let pause, let answers):
            for answer in answers {
                self.deliver(answer.error.map { .failure($0) } ?? .success(()), to: answer.waiter)
            }
            if let failure { self.logger.debug("a commit is sent again: \(failure)") }
            client?.pump.dispatchQueue.asyncAfter(deadline: .now() + .milliseconds(pause.milliseconds)) {
                [weak client] in
                guard let client else { return }
                self.state.withLock { $0.line.endPause() }
                self.send(client)
            }
        }
    }

    // MARK: The end

    /// Partitions were given up: nothing of them is sent any more.
    func drop(_ partitions: Set<KafkaTopicPartition>, operation: String) {
        for (waiter, partition) in self.state.withLock({ $0.line.drop(partitions) }) {
            self.deliver(.failure(.notOwned(partition, operation: operation)), to: waiter)
        }
    }

    /// Refuses commits from now on. On the pump.
    func end() {
        for waiter in self.state.withLock({ $0.line.end() }) {
            self.deliver(.failure(.closed(operation: "commit")), to: waiter)
        }
    }

    /// Answers those who still wait when the client goes.
    func abandonAll() {
        self.end()
        for waiter in self.state.withLock({ $0.line.abandon() }) {
            self.deliver(.failure(Self.abandoned("commit")), to: waiter)
        }
    }

    private static func abandoned(_ operation: String) -> KafkaError {
        KafkaError(
            .outcomeUnknown,
            operation: operation,
            message: "the consumer was closed while the commit was on its way: it may have taken effect or not"
        )
    }

    private func deliver(_ result: Result<Void, KafkaError>, to id: Int) {
        self.state.withLock { $0.waiters.removeValue(forKey: id) }?.deliver(result)
    }

    private func forget(_ waiter: CommitWaiter) {
        self.state.withLock { state in
            guard let id = state.waiters.first(where: { $0.value === waiter })?.key else { return waiter.complete() }
            state.waiters[id] = nil
            state.line.forget(id)
        }
    }
}

extension KafkaError {
    /// A commit for a partition that is not owned.
    static func notOwned(_ partition: KafkaTopicPartition, operation: String) -> KafkaError {
        KafkaError(
            .groupMembership,
            operation: operation,
            topic: partition.topic,
            partition: partition.partition,
            message:
                "the partition is not assigned to this consumer (any more), or was moved by a seek since, so its offset is "
                + "not committed"
        )
    }
}

extension ResponseCode {
    /// Whether a commit that fails so is worth sending again soon.
    fileprivate var isPassingForCommits: Bool {
        switch self {
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__WAIT_COORD, RD_KAFKA_RESP_ERR__TIMED_OUT,
            RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
            RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
            RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
            true
        default:
            false
        }
    }
}

/// Where the answer to one commit and the task that asked for it meet, whichever comes first.
private final class CommitWaiter: Completion, @unchecked Sendable {
    let operation: String
    private let firstResult = Mutex<Result<Void, KafkaError>?>(nil)

    init(operation: String) {
        self.operation = operation
    }

    var result: Result<Void, KafkaError>? { self.firstResult.withLock { $0 } }

    func deliver(_ result: Result<Void, KafkaError>) {
        self.firstResult.withLock { first in
            if first == nil { first = result }
        }
        self.complete()
    }
}
