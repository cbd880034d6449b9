internal import NIOCore

extension PartitionLog {
    /// Where a batch went.
    struct Appended: Hashable {
        var baseOffset: Int64
        /// The broker's time that the records got, or -1 where they keep the producer's.
        var logAppendTime: Int64
        var logStartOffset: Int64
        /// Whether an idempotent producer sent the batch again, so that nothing was written.
        var isDuplicate: Bool
    }

    /// Appends the batch of a Produce request.
    ///
    /// The batch is copied once and its checksum is reckoned once (twice with log append time, which changes bytes that
    /// the checksum covers). Records are walked on compacted topics only.
    func append(_ records: ByteBuffer, leaderEpoch: Int32, now: Int64) -> Result<Appended, AppendFailure> {
        do throws(AppendFailure) {
            var header = try ProducedBatch.validate(records, configuration: self.configuration, now: now)
            if header.hasProducer {
                switch self.producerStates.verdict(on: header) {
                case .next: break
                case .duplicate(let batch): return .success(self.duplicate(batch))
                case .refused(let code):
                    throw AppendFailure(code, self.refusal(of: header))
                }
            }
            let body = records.getSlice(
                at: records.readerIndex + RecordBatchHeader.size,
                length: header.size - RecordBatchHeader.size
            )
            let usesAppendTime = self.configuration.usesLogAppendTime
            if usesAppendTime {
                header.attributes |= RecordBatchHeader.logAppendTimeBit
                header.maxTimestamp = now
            }
            do {
                try self.write(header, body: body ?? ByteBuffer(), leaderEpoch: leaderEpoch, now: now) { written in
                    guard !usesAppendTime else { return written.encodedHeader(records: body ?? ByteBuffer()) }
                    var bytes = ByteBuffer(bytes: records.readableBytesView.prefix(RecordBatchHeader.size))
                    bytes.setInteger(written.baseOffset, at: 0)
                    bytes.setInteger(leaderEpoch, at: RecordBatchHeader.lengthOverhead)
                    return bytes
                }
            } catch {
                throw AppendFailure(.storageError, error.description)
            }
            return .success(
                Appended(
                    baseOffset: self.endOffset - Int64(header.recordCount),
                    logAppendTime: usesAppendTime ? now : -1,
                    logStartOffset: self.startOffset,
                    isDuplicate: false
                )
            )
        } catch {
            return .failure(error)
        }
    }

    /// Appends the marker that ends a producer's transaction in this partition. It takes an offset, with data or without.
    ///
    /// - Returns: The marker's offset; ``ErrorCode/invalidProducerEpoch`` or ``ErrorCode/transactionCoordinatorFenced`` if
    ///   the log has seen a later epoch of the producer or of the coordinator.
    func appendMarker(
        producerID: Int64,
        producerEpoch: Int16,
        commit: Bool,
        coordinatorEpoch: Int32,
        leaderEpoch: Int32,
        now: Int64
    ) -> Result<Int64, ErrorCode> {
        if let state = self.producerStates[producerID] {
            guard producerEpoch >= state.epoch else { return .failure(.invalidProducerEpoch) }
            guard coordinatorEpoch >= state.coordinatorEpoch else { return .failure(.transactionCoordinatorFenced) }
        }
        var builder = RecordBatchBuilder.marker(
            producerID: producerID,
            producerEpoch: producerEpoch,
            commit: commit,
            coordinatorEpoch: coordinatorEpoch,
            timestamp: now
        )
        builder.header.baseOffset = self.endOffset
        builder.header.leaderEpoch = leaderEpoch
        let batch = builder.build()
        guard let header = RecordBatchHeader(batch, at: 0) else { return .failure(.unknownServerError) }
        do {
            try self.write(header, body: batch, leaderEpoch: leaderEpoch, now: now) { _ in ByteBuffer() }
        } catch {
            return .failure(.storageError)
        }
        return .success(header.baseOffset)
    }

    /// Writes a batch at the end of the log, and only then changes what is known of the log.
    ///
    /// - Parameter head: The first bytes of the batch, made when its offset is known; the body follows them.
    private func write(
        _ original: RecordBatchHeader,
        body: ByteBuffer,
        leaderEpoch: Int32,
        now: Int64,
        head: (RecordBatchHeader) -> ByteBuffer
    ) throws(LogError) {
        guard !self.isClosed else { throw LogError("The log is closed.") }
        guard self.endOffset < Self.maximalOffset else { throw LogError("The log has no offsets left.") }
        var header = original
        header.baseOffset = self.endOffset
        header.leaderEpoch = leaderEpoch
        try self.rollIfFull(for: header, now: now)
        guard let segment = self.active else { throw LogError("The log has no segment.") }
        let position = segment.size
        try segment.store.append(head(header), body)
        self.note(header, position: position, in: segment, now: now) { ControlRecord(body, header: header) }
        self.size += Int64(segment.size - position)
        self.endOffset = header.nextOffset
    }

    /// Takes a batch that is in a segment into all that is known of the log.
    ///
    /// - Parameter isRecovering: Whether the log is being opened.
    func note(
        _ header: RecordBatchHeader,
        position: Int,
        in segment: LogSegment,
        now: Int64,
        isRecovering: Bool = false,
        control: () -> ControlRecord?
    ) {
        segment.note(header, position: position)
        self.leaderEpochs.begin(header.leaderEpoch, at: header.baseOffset)
        if header.isControl {
            guard let control = control() else { return }
            let start = self.producerStates.noteMarker(
                header,
                coordinatorEpoch: control.coordinatorEpoch,
                isRecovering: isRecovering,
                now: now
            )
            guard let start else { return }
            self.transactions.end(
                producerID: header.producerID,
                firstOffset: start,
                markerOffset: header.baseOffset,
                commit: control.isCommit
            )
        } else if header.hasProducer {
            self.producerStates.note(header, now: now)
            if header.isTransactional, header.recordCount > 0 {
                self.transactions.begin(producerID: header.producerID, at: header.baseOffset)
            }
        }
    }

    // MARK: Rolling

    private func rollIfFull(for header: RecordBatchHeader, now: Int64) throws(LogError) {
        guard let active = self.active, !active.entries.isEmpty else { return }
        let lastOffset = header.nextOffset - 1
        let hasRoom = active.hasRoom(
            forBytes: header.size,
            lastOffset: lastOffset,
            limit: self.configuration.segmentBytes
        )
        if hasRoom, !self.isAged(active, at: header.maxTimestamp, now: now) { return }
        try self.roll(now: now)
        // A log that nobody looks after must not grow without bounds between two rounds of retention.
        self.enforceSizeRetention()
    }

    /// Whether a segment is older than segment.ms, by the times of its records if they have any.
    func isAged(_ segment: LogSegment, at timestamp: Int64, now: Int64) -> Bool {
        let age =
            if let first = segment.firstTimestamp, first >= 0, timestamp >= 0 {
                elapsedMilliseconds(from: first, to: timestamp)
            } else {
                elapsedMilliseconds(from: segment.openedAt, to: now)
            }
        return age > self.configuration.segmentMilliseconds
    }

    // MARK: Answers

    private func duplicate(_ batch: ProducerState.Batch) -> Appended {
        Appended(
            baseOffset: batch.baseOffset,
            logAppendTime: self.configuration.usesLogAppendTime ? batch.timestamp : -1,
            logStartOffset: self.startOffset,
            isDuplicate: true
        )
    }

    private func refusal(of header: RecordBatchHeader) -> String {
        let state = self.producerStates[header.producerID]
        return """
            Producer \(header.producerID) sent epoch \(header.producerEpoch) and sequence \(header.baseSequence); \
            the log has epoch \(state?.epoch ?? -1) and sequence \(state?.lastSequence ?? -1).
            """
    }
}
