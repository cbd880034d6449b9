internal import CLibrdkafka

/// What a group has committed, for those who begin there.
struct StartOffsets: Sendable {
    /// Partitions that have no committed offset are left out.
    var offsets: [KafkaTopicPartition: Int64] = [:]
    /// Partitions that must not begin yet, each with the reason: an open transaction may change the offset (KIP-447).
    var undecided: [KafkaTopicPartition: KafkaError] = [:]
}

extension ClientHandle {
    /// The offsets that a group has committed.
    ///
    /// Not by `rd_kafka_committed()`, which waits until all of the partitions are decided.
    ///
    /// - Parameter isStable: whether to leave it open where a transaction may change the offset.
    /// - Throws: ``KafkaError`` when the coordinator can't be asked, or for the first partition with another error.
    func startOffsets(
        of group: String,
        for partitions: [KafkaTopicPartition],
        isStable: Bool,
        timeout: Duration,
        operation: String
    ) async throws -> StartOffsets {
        guard !partitions.isEmpty else { return StartOffsets() }
        let request = AdminRequest(
            operation: operation,
            kind: RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS,
            timeout: timeout,
            connection: self.connectionProblem,
            group: group
        )
        let answers = try await self.blocking { client throws(KafkaError) in
            guard let queue = rd_kafka_queue_new(client.pointer) else { throw KafkaError.closed(operation: operation) }
            defer { rd_kafka_queue_destroy(queue) }
            let options = try request.makeOptions(client: client.pointer, id: 0)
            defer { rd_kafka_AdminOptions_destroy(options) }
            try request.listGroupOffsets(
                for: PartitionList(partitions),
                requireStable: isStable,
                client: client.pointer,
                options: options,
                queue: queue
            )
            // The answer comes at the end of the time-out at the latest.
            guard let event = rd_kafka_queue_poll(queue, Int32(clamping: timeout.milliseconds + 1_000)) else {
                throw client.queryError(RD_KAFKA_RESP_ERR__TIMED_OUT, operation: operation, timeout: timeout)
            }
            defer { rd_kafka_event_destroy(event) }
            let response = rd_kafka_event_error(event)
            guard response == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw client.queryError(response, operation: operation, timeout: timeout, group: group)
            }
            client.connectionProblem.clear()
            return try request.groupOffsets(in: event).get()
        }
        var found = StartOffsets()
        for (partition, answer) in answers.sorted(by: { $0.key < $1.key }) {
            switch answer {
            case .success(let committed):
                found.offsets[partition] = committed.offset
            case .failure(let error):
                guard error.librdkafkaName == Self.unstableName else { throw error }
                found.undecided[partition] = error
            }
        }
        return found
    }

    private static let unstableName = String(cString: rd_kafka_err2name(RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT))
}
