internal import CLibrdkafka
internal import Dispatch
internal import Logging
internal import Synchronization

/// Moving partitions to other places.
extension ConsumerCore {
    private static let seekOperation = "seek"

    func seek(
        _ places: [KafkaTopicPartition: KafkaOffset],
        timeout: Duration
    ) async throws -> [KafkaTopicPartition: Int64] {
        let client = try self.clientForSeek(places.keys)
        let offsets = try await client.offsets(
            of: places,
            reset: self.configuration.autoOffsetReset,
            timeout: timeout,
            operation: Self.seekOperation
        )
        return try await self.move(to: offsets, client: client, timeout: timeout)
    }

    func seek(
        _ partitions: some Collection<KafkaTopicPartition>,
        to time: KafkaTimestamp,
        timeout: Duration
    ) async throws -> [KafkaTopicPartition: Int64] {
        let client = try self.clientForSeek(partitions)
        let offsets = try await client.offsets(
            for: Dictionary(partitions.map { ($0, time) }) { first, _ in first },
            timeout: timeout,
            operation: Self.seekOperation
        )
        return try await self.move(to: offsets, client: client, timeout: timeout)
    }

    private func clientForSeek(
        _ partitions: some Collection<KafkaTopicPartition>
    ) throws(KafkaError) -> ClientHandle {
        let client = try self.client(for: Self.seekOperation)
        try TopicName.check(partitions, operation: Self.seekOperation)
        try self.checkMovable(partitions)
        return client
    }

    private func checkMovable(_ partitions: some Collection<KafkaTopicPartition>) throws(KafkaError) {
        guard let partition = self.state.withLock({ $0.partitionNotMovable(of: partitions) }) else { return }
        throw KafkaError(
            .groupMembership,
            operation: Self.seekOperation,
            topic: partition.topic,
            partition: partition.partition,
            message: "the partition is not assigned to this consumer (any more), so it can't be read from another place"
        )
    }

    /// Moves partitions while nobody drains their records.
    private func move(
        to offsets: [KafkaTopicPartition: Int64],
        client: ClientHandle,
        timeout: Duration
    ) async throws -> [KafkaTopicPartition: Int64] {
        guard !offsets.isEmpty else { return [:] }
        await self.gate.hold()
        defer { self.openGate() }
        try self.checkMovable(offsets.keys)
        // Streams of these partitions end: what they have is from before. New ones begin at the new places.
        try await self.onPump(client) { _ throws(KafkaError) in
            self.tellListeners { $0.gaveUp(Set(offsets.keys)) }
        }
        // A seek that is under way can't be called off, so this goes on when the task is cancelled.
        let unstarted = try await Task { try await client.seek(offsets, timeout: timeout) }.value
        if !unstarted.isEmpty {
            let places = offsets.filter { unstarted.contains($0.key) }
            try await self.restart(places, isChoice: true, client: client, operation: Self.seekOperation)
        }
        // Where partitions are given up, so that none is while its new place is stored.
        try await self.onPump(client) { client throws(KafkaError) in
            let moved = self.storing { state in
                let moved = state.moved(offsets)
                return (moved, moved)
            }
            self.tellListeners { $0.assigned(Set(moved.map(\.partition))) }
            let places = Dictionary(moved.map { ($0.partition, $0.offset) }) { first, _ in first }
            self.commits.move(to: places, commits: self.configuration.commitInterval != nil, client: client)
            self.metrics?.forgetPositions(of: places.keys)
        }
        return offsets
    }

    /// Takes note of where a partition's own reader has come to.
    func handedOut(_ batch: KafkaConsumerBatch) {
        self.state.withLock { $0.handedOut(batch.positions(after: batch.count)) }
    }

    /// Lets the reader drain again.
    func openGate() {
        self.gate.release()
        self.signal.signal()
    }

    /// Starts partitions anew at other places. This works in every state of a partition, also before its first fetch and
    /// after an error that ended fetching, when librdkafka can't seek. The gate must be held.
    ///
    /// - Parameter isChoice: whether partitions that are being assigned are to begin there, too.
    /// - Throws: a retriable ``KafkaError`` while the group rebalances: librdkafka would take this for the answer.
    func restart(
        _ offsets: [KafkaTopicPartition: Int64],
        isChoice: Bool = false,
        client: ClientHandle,
        operation: String
    ) async throws(KafkaError) {
        try await self.onPump(client) { client throws(KafkaError) in
            if isChoice, self.choose(offsets) { return }
            guard self.line.current == nil else {
                throw KafkaError(
                    .groupMembership,
                    operation: operation,
                    topic: offsets.keys.first?.topic,
                    partition: offsets.keys.first?.partition,
                    message: "the group is rebalancing: try again when it has settled",
                    disposition: KafkaError.Disposition(isRetriable: true)
                )
            }
            guard self.state.withLock({ $0.partitionNotMovable(of: offsets.keys) }) == nil else {
                // Given up a moment ago: somebody else reads them.
                return
            }
            let groupProtocol = rd_kafka_rebalance_protocol(client.pointer).map { String(cString: $0) }
            if groupProtocol == "EAGER" {
                try self.restartAll(with: offsets, client: client, operation: operation)
            } else {
                try self.restartOnly(offsets, client: client, operation: operation)
            }
            self.signal.signal()
        }
    }

    private func restartOnly(
        _ offsets: [KafkaTopicPartition: Int64],
        client: ClientHandle,
        operation: String
    ) throws(KafkaError) {
        let started = Self.started(client)
        try Self.change(client, offsets.filter { started.contains($0.key) }, rd_kafka_incremental_unassign, operation)
        self.direct(Set(offsets.keys), client: client)
        try Self.change(client, offsets, rd_kafka_incremental_assign, operation)
        // Stopping undoes the forwarding, and it is done once the second change was served: they queue up for one thread.
        self.direct(Set(offsets.keys), client: client)
    }

    private static func change(
        _ client: ClientHandle,
        _ offsets: [KafkaTopicPartition: Int64],
        _ change: (
            OpaquePointer?, UnsafePointer<rd_kafka_topic_partition_list_t>?
        ) -> OpaquePointer?,
        _ operation: String
    ) throws(KafkaError) {
        guard !offsets.isEmpty else { return }
        let list = PartitionList(offsets)
        guard let error = change(client.pointer, list.pointer) else { return }
        defer { rd_kafka_error_destroy(error) }
        throw KafkaError(
            rd_kafka_error_code(error),
            operation: operation,
            text: String(cString: rd_kafka_error_string(error))
        )
    }

    /// The partitions that librdkafka reads, once it has done all that it was told before.
    private static func started(_ client: ClientHandle) -> Set<KafkaTopicPartition> {
        var list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
        guard rd_kafka_assignment(client.pointer, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list else { return [] }
        defer { rd_kafka_topic_partition_list_destroy(list) }
        return Set(PartitionList(borrowing: list).partitions)
    }

    /// An eager group lets its members change nothing but all of their partitions at once.
    private func restartAll(
        with offsets: [KafkaTopicPartition: Int64],
        client: ClientHandle,
        operation: String
    ) throws(KafkaError) {
        let places = self.state.withLock { state in
            state.dropStashed(state.assignment)
            // Left out are those whose place is still being found out: they are started when it is.
            return state.assignment.reduce(into: [:]) { places, partition in
                places[partition] =
                    offsets[partition] ?? state.nextOffset(of: partition) ?? state.places[partition]?.absoluteOffset
            }
        }
        try self.replaceAssignment(places, client: client, operation: operation)
    }

    /// Reads these partitions, and no others, each from its place. On the pump.
    func replaceAssignment(
        _ places: [KafkaTopicPartition: Int64],
        client: ClientHandle,
        operation: String
    ) throws(KafkaError) {
        let partitions = Set(places.keys)
        self.direct(partitions, client: client)
        let list = PartitionList(places)
        let response = rd_kafka_assign(client.pointer, places.isEmpty ? nil : list.pointer)
        guard response == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(response, operation: operation) }
        // Stopping undoes the forwarding. What stops is stopped once a question asked after it is answered.
        _ = Self.started(client)
        self.direct(partitions, client: client)
    }

    /// Makes the records of partitions go where they are read.
    private func direct(_ partitions: Set<KafkaTopicPartition>, client: ClientHandle) {
        self.forward(Array(partitions), client: client)
        self.tellListeners { $0.assigned(partitions) }
    }

    /// Chooses where to begin to read partitions that are being assigned. On the pump.
    ///
    /// - Returns: whether they are.
    private func choose(_ offsets: [KafkaTopicPartition: Int64]) -> Bool {
        guard let rebalance = self.line.current, rebalance.kind == .assigned,
            rebalance.partitions.isSuperset(of: offsets.keys)
        else { return false }
        let places = offsets.mapValues { KafkaOffset.absolute($0) }
        if let hookContext {
            hookContext.choose(places)
        } else {
            self.starts.merge(places) { _, chosen in chosen }
        }
        return true
    }
}

extension ClientHandle {
    /// Moves partitions that are being fetched.
    ///
    /// - Returns: partitions that are not: before the first fetch, or after an error.
    func seek(
        _ offsets: [KafkaTopicPartition: Int64],
        timeout: Duration
    ) async throws -> Set<KafkaTopicPartition> {
        let operation = "seek"
        return try await self.blocking { client throws(KafkaError) in
            var milliseconds = timeout.milliseconds
            if LibrdkafkaVersion.loaded < LibrdkafkaVersion(2, 1) {
                // It takes them for microseconds.
                milliseconds = milliseconds > Int(Int32.max) / 1000 ? Int(Int32.max) : milliseconds * 1000
            }
            let list = PartitionList(offsets)
            if let error = rd_kafka_seek_partitions(client.pointer, list.pointer, Int32(milliseconds)) {
                defer { rd_kafka_error_destroy(error) }
                throw KafkaError(
                    rd_kafka_error_code(error),
                    operation: operation,
                    text: String(cString: rd_kafka_error_string(error))
                )
            }
            var unstarted: Set<KafkaTopicPartition> = []
            for entry in list {
                switch entry.response {
                case RD_KAFKA_RESP_ERR_NO_ERROR:
                    break
                case RD_KAFKA_RESP_ERR__STATE, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
                    unstarted.insert(entry.partition)
                default:
                    throw KafkaError(
                        entry.response,
                        operation: operation,
                        topic: entry.partition.topic,
                        partition: entry.partition.partition
                    )
                }
            }
            return unstarted
        }
    }
}
