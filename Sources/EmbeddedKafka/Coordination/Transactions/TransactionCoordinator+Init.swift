extension TransactionCoordinator {
    /// Gives a producer its id and epoch (InitProducerId).
    ///
    /// An open transaction of the transactional id is aborted first. Apache Kafka tells the producer to come again
    /// meanwhile (51); here the answer stands once the caller has carried out the effects.
    ///
    /// - Parameters:
    ///   - transactionalID: Nil for a producer that is only idempotent, which gets a fresh id each time.
    ///   - timeout: The longest that a transaction may stay open, milliseconds.
    ///   - producerID: The id that the producer has and wants to go on with (KIP-360); -1 for none.
    ///   - producerEpoch: Its epoch; -1 for none.
    ///   - now: Milliseconds since 1970.
    mutating func initProducerID(
        transactionalID: String?,
        timeout: Int32,
        producerID: Int64 = -1,
        producerEpoch: Int16 = -1,
        now: Int64
    ) -> (result: Result<ProducerIdentity, ErrorCode>, effects: [TransactionCompletion]) {
        do throws(ErrorCode) {
            guard (producerID == -1) == (producerEpoch == -1) else { throw .invalidRequest }
            guard let transactionalID else {
                return (.success(ProducerIdentity(id: try self.producerIDs.next(), epoch: 0)), [])
            }
            guard !transactionalID.isEmpty else { throw .invalidRequest }
            guard timeout > 0, timeout <= self.maximumTimeout else { throw .invalidTransactionTimeout }
            let claimed = producerID == -1 ? nil : ProducerIdentity(id: producerID, epoch: producerEpoch)
            let producer = try self.initialize(transactionalID, timeout: timeout, claimed: claimed)
            return (.success(producer), self.completions(of: [transactionalID]))
        } catch {
            return (.failure(error), [])
        }
    }

    private mutating func initialize(
        _ transactionalID: String,
        timeout: Int32,
        claimed: ProducerIdentity?
    ) throws(ErrorCode) -> ProducerIdentity {
        guard var transaction = self.transactions[transactionalID] else {
            let producer = ProducerIdentity(id: try self.producerIDs.next(), epoch: 0)
            self.store(transactionalID, Transaction(producer: producer, timeout: timeout))
            return producer
        }
        guard !transaction.isDecided else { throw .concurrentTransactions }
        let isOpen = transaction.state == .ongoing
        if let claimed, claimed != transaction.producer {
            // Its answer was lost, perhaps, and it asks again; unless somebody else has the id now.
            guard claimed == transaction.formerProducer, !isOpen else { throw .producerFenced }
            return transaction.producer
        }

        let former = transaction.producer
        if isOpen { transaction.fence() }
        let successor = Transaction.Successor(
            producer: try self.successor(of: transaction.producer),
            formerProducer: claimed == nil ? nil : former,
            timeout: timeout
        )
        if isOpen {
            transaction.successor = successor
        } else {
            transaction.state = .empty
            transaction.producer = successor.producer
            transaction.formerProducer = successor.formerProducer
            transaction.timeout = timeout
        }
        self.owners[successor.producer.id] = transactionalID
        self.store(transactionalID, transaction)
        return successor.producer
    }

    /// The next epoch, or another id when there is none left.
    private mutating func successor(of producer: ProducerIdentity) throws(ErrorCode) -> ProducerIdentity {
        producer.isExhausted ? ProducerIdentity(id: try self.producerIDs.next(), epoch: 0) : producer.fencing
    }
}
