internal import NIOCore

extension TransactionCoordinator {
    /// What the journal must be told since the last call.
    ///
    /// A decision (``end(transactionalID:producerID:epoch:commit:now:)`` and whatever else returns effects) belongs into the
    /// journal before it is carried out; ``completed(transactionalID:now:)`` after the markers and the groups' changes.
    mutating func takeChanges() -> [StateChange] {
        // What is reserved comes first: no transaction may be found with an id that could be given out again.
        var changes = self.producerIDs.takeChange().map { [$0] } ?? []
        for transactionalID in self.changes.take() {
            changes.append(
                StateChange(
                    key: StateCoding.key(.transaction) { $0.string(transactionalID) },
                    value: self.transactions[transactionalID]?.encoded
                )
            )
        }
        return changes
    }

    /// Takes back a piece of state from the journal, in its order.
    ///
    /// - Returns: Whether the piece is this coordinator's.
    mutating func restore(key: ByteBuffer, value: ByteBuffer?) throws(WireError) -> Bool {
        var reader = try StateCoding.reader(key)
        switch try StateCoding.kind(&reader) {
        case .producerIDs:
            try self.producerIDs.restore(value)
        case .transaction:
            let transactionalID = try reader.string()
            guard let value else {
                self.transactions[transactionalID] = nil
                return true
            }
            let transaction = try Transaction(decoding: value)
            self.transactions[transactionalID] = transaction
            self.owners[transaction.producer.id] = transactionalID
            if let successor = transaction.successor { self.owners[successor.producer.id] = transactionalID }
        case .committedOffset, .pendingOffset:
            return false
        }
        return true
    }

    /// What was decided and perhaps not carried out before the restart.
    func recoveryEffects() -> [TransactionCompletion] {
        self.completions(of: self.transactions.keys.sorted())
    }

    /// The producers with an open transaction, or one whose outcome hasn't been carried out.
    var openProducerIDs: Set<Int64> {
        Set(self.transactions.values.filter { $0.state == .ongoing || $0.isDecided }.map(\.producer.id))
    }
}

extension Transaction {
    var encoded: ByteBuffer {
        StateCoding.value { writer in
            writer.producer(self.producer)
            writer.producer(self.formerProducer)
            writer.int32(self.timeout)
            writer.int8(self.state.rawValue)
            writer.int64(self.startTime)
            writer.array(self.partitions.sorted()) { $0.topicPartition($1) }
            writer.strings(self.groups.sorted())
            writer.producer(self.successor?.producer)
            writer.producer(self.successor?.formerProducer)
            writer.int32(self.successor?.timeout ?? 0)
        }
    }

    init(decoding value: ByteBuffer) throws(WireError) {
        var reader = try StateCoding.reader(value)
        guard let producer = try reader.producer() else { throw WireError("a transaction without a producer") }
        self.producer = producer
        self.formerProducer = try reader.producer()
        self.timeout = try reader.int32()
        let state = try reader.int8()
        guard let state = TransactionState(rawValue: state) else {
            throw WireError("a transaction in state \(state), which isn't known")
        }
        self.state = state
        self.startTime = try reader.int64()
        self.partitions = Set(
            try reader.array { (reader: inout WireReader) throws(WireError) in try reader.topicPartition() }
        )
        self.groups = Set(try reader.strings())
        let successor = try reader.producer()
        let formerProducer = try reader.producer()
        let timeout = try reader.int32()
        if let successor {
            self.successor = Successor(producer: successor, formerProducer: formerProducer, timeout: timeout)
        }
    }
}

extension WireWriter {
    /// None is -1 with epoch -1, as in the protocol.
    fileprivate mutating func producer(_ producer: ProducerIdentity?) {
        self.int64(producer?.id ?? -1)
        self.int16(producer?.epoch ?? -1)
    }
}

extension WireReader {
    fileprivate mutating func producer() throws(WireError) -> ProducerIdentity? {
        let id = try self.int64()
        let epoch = try self.int16()
        guard id >= 0 else { return nil }
        guard epoch >= 0 else { throw WireError("a producer of epoch \(epoch)") }
        return ProducerIdentity(id: id, epoch: epoch)
    }
}
