internal import CLibrdkafka
internal import Dispatch
internal import Logging
internal import Synchronization

/// Offsets that the log does not hold.
///
/// librdkafka is told to make an error of them, whatever the policy is: it would jump without telling anybody. The error comes in
/// its place among the partition's records, behind those that could still be read.
extension ConsumerCore {
    private static let resetOperation = "read"

    /// What an error among the records says of a partition's place.
    func finding(_ message: KafkaConsumerBatch.Message) -> OffsetResets.Finding {
        let partition = KafkaConsumerBatchBuilder.partition(of: message)
        return self.state.withLock {
            $0.finding(partition, wanted: KafkaOffset(librdkafkaValue: message.pointee.offset))
        }
    }

    /// The offsets at which partitions of a group begin, as far as they are found out at once.
    func startOffsets(
        of places: [KafkaTopicPartition: KafkaOffset],
        client: ClientHandle
    ) async -> [KafkaTopicPartition: Int64] {
        let timeout = Duration.seconds(2)
        let committing = places.filter { $0.value == .committed }.map(\.key)
        let committed = try? await self.committedOffsets(for: committing, timeout: timeout, client: client)
        let known = places.compactMapValues(\.absoluteOffset).merging(committed?.offsets ?? [:]) { known, _ in known }
        var asked = places.filter { $0.value.isFoundOut }
        if let committed {
            let policy = self.configuration.autoOffsetReset
            for partition in committing
            where known[partition] == nil && committed.undecided[partition] == nil && policy != .fail {
                asked[partition] = policy == .latest ? .end : .beginning
            }
        }
        let found = try? await client.offsets(of: asked, reset: .fail, timeout: timeout, operation: Self.resetOperation)
        return known.merging(found ?? [:]) { known, _ in known }
    }

    /// What the group has committed. Without a group that is nothing.
    private func committedOffsets(
        for partitions: [KafkaTopicPartition],
        timeout: Duration,
        client: ClientHandle
    ) async throws -> StartOffsets {
        guard let group = self.configuration.group else { return StartOffsets() }
        return try await client.startOffsets(
            of: group,
            for: partitions,
            isStable: self.configuration.isolationLevel == .readCommitted,
            timeout: timeout,
            operation: Self.resetOperation
        )
    }

    /// Begins to read partitions at places whose offsets are found out in the background. librdkafka could do it, but when a seek
    /// comes meanwhile, it asks again half a second later and jumps there (2.0 to 2.15). And when the group shares out anew while
    /// it waits for a committed offset that an open transaction may change, it takes it that there is none (2.0).
    func start(_ places: [KafkaTopicPartition: KafkaOffset]) {
        guard !places.isEmpty else { return }
        let findings = self.state.withLock { state in places.map { state.finding($0.key, wanted: $0.value) } }
        Task { await self.settle(findings, after: .zero) }
    }

    /// Finds places to read on from, in the background.
    func settle(_ findings: [OffsetResets.Finding]) {
        guard !findings.isEmpty else { return }
        let delay = self.resets.withLock { $0.delay(for: findings.map(\.partition)) }
        Task { await self.settle(findings, after: delay) }
    }

    private func settle(_ findings: [OffsetResets.Finding], after delay: Duration) async {
        var delay = delay
        var wasTold = false
        while true {
            if delay > .zero {
                await Completion().wait(until: .now() + .milliseconds(delay.milliseconds))
            }
            let findings = self.stillMissing(findings)
            guard !findings.isEmpty, let client = self.handle.withLock({ $0 }) else { return }
            do {
                return try await self.settle(findings, client: client)
            } catch let error as KafkaError where !error.isRetriable {
                if findings.count > 1 {
                    // Most likely one of them is to blame.
                    for finding in findings {
                        Task { await self.settle([finding], after: .zero) }
                    }
                    return
                }
                if !wasTold { self.fail(error) }
                wasTold = true
                delay = .seconds(1)
            } catch {
                // The brokers are away, or the group is rebalancing.
                self.logger.info("finding a place to read on from: \(error)")
                delay = min(.seconds(1), max(.milliseconds(50), delay * 2))
            }
        }
    }

    /// Leaves out partitions that were given up or moved meanwhile.
    private func stillMissing(_ findings: [OffsetResets.Finding]) -> [OffsetResets.Finding] {
        self.state.withLock { state in
            guard state.phase == .open else { return [] }
            return findings.filter(state.isMissing)
        }
    }

    private func settle(_ findings: [OffsetResets.Finding], client: ClientHandle) async throws {
        let timeout = Duration.seconds(5)
        let beginning = findings.filter { $0.wanted == nil || $0.wanted == .committed }.map(\.partition)
        let committed = try await self.committedOffsets(for: beginning, timeout: timeout, client: client)
        let decided = findings.filter { committed.undecided[$0.partition] == nil }
        if decided.isEmpty, let reason = committed.undecided.values.first { throw reason }
        let ranges = try await client.logEnds(
            of: decided.map(\.partition).filter { committed.offsets[$0] == nil },
            until: .now + timeout,
            timeout: timeout,
            operation: Self.resetOperation
        )
        await self.gate.hold()
        defer { self.openGate() }
        var offsets: [KafkaTopicPartition: Int64] = [:]
        var resets: [KafkaOffsetReset] = []
        var failures: [KafkaError] = []
        for finding in try await self.withoutOldOnes(self.stillMissing(decided), client: client) {
            if let offset = committed.offsets[finding.partition] {
                offsets[finding.partition] = offset
                continue
            }
            guard let watermarks = ranges[finding.partition] else { continue }
            let policy = self.configuration.autoOffsetReset
            switch OffsetResets.decide(finding, watermarks: watermarks, policy: policy) {
            case .resume(let offset, let reset):
                offsets[finding.partition] = offset
                if let reset { resets.append(reset) }
            case .fail(let reset):
                resets.append(reset)
                failures.append(Self.error("\(reset)", of: finding.partition))
            case .failWithoutOffset:
                let text = "the group has committed no offset here, and autoOffsetReset is `fail`: seek to read on"
                failures.append(Self.error(text, of: finding.partition))
            }
        }
        if !offsets.isEmpty {
            try await self.restart(offsets, client: client, operation: Self.resetOperation)
            self.state.withLock { $0.wasReset(offsets) }
        }
        // No record from behind the gap was handed out yet.
        for reset in resets {
            self.logger.warning("\(reset)")
            self.configuration.onOffsetReset?(reset)
        }
        for failure in failures {
            self.fail(failure)
        }
        let undecided = findings.filter { committed.undecided[$0.partition] != nil }
        if !undecided.isEmpty {
            // On their own, so that nobody waits for them.
            Task { await self.settle(undecided, after: .milliseconds(50)) }
        }
    }

    /// Leaves out what is told of a place that a partition had before: such an error stays in the queue when the partition is
    /// moved. A partition that is being fetched does not mind to go on where it is; one that is not says so. The gate must be held.
    private func withoutOldOnes(
        _ findings: [OffsetResets.Finding],
        client: ClientHandle
    ) async throws -> [OffsetResets.Finding] {
        let next = self.state.withLock { state in
            // What was kept of them comes again.
            state.dropStashed(findings.map(\.partition))
            return findings.reduce(into: [:]) { $0[$1.partition] = state.nextOffset(of: $1.partition) }
        }
        guard !next.isEmpty else { return findings }
        let unstarted = try await client.seek(next, timeout: .seconds(5))
        return findings.filter { next[$0.partition] == nil || unstarted.contains($0.partition) }
    }

    private static func error(_ message: String, of partition: KafkaTopicPartition) -> KafkaError {
        KafkaError(
            .offsetOutOfRange,
            operation: self.resetOperation,
            topic: partition.topic,
            partition: partition.partition,
            message: message,
            librdkafkaName: String(cString: rd_kafka_err2name(RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET))
        )
    }
}
