extension TransactionCoordinator {
    /// What is wrong with a transactional batch in a Produce, if anything.
    ///
    /// That the producer is fenced (47, which Produce says in all versions) comes before that the partition isn't in an
    /// open transaction (48): a producer that is told the latter would think that it did something wrong.
    ///
    /// - Parameters:
    ///   - transactionalID: What the request says; nil in a request that doesn't, where the producer id decides.
    ///   - producerID: The batch's.
    ///   - epoch: The batch's.
    ///   - partition: Where the batch is to be appended.
    func verifyAppend(
        transactionalID: String?,
        producerID: Int64,
        epoch: Int16,
        partition: TopicPartition
    ) -> ErrorCode? {
        guard let transactionalID = transactionalID ?? self.owners[producerID] else { return .invalidProducerIDMapping }
        if let complaint = self.complaint(transactionalID, producerID, epoch) {
            return complaint == .producerFenced ? .invalidProducerEpoch : complaint
        }
        guard let transaction = self.transactions[transactionalID], transaction.state == .ongoing,
            transaction.partitions.contains(partition)
        else { return .invalidTransactionState }
        return nil
    }

    /// What is wrong with a TxnOffsetCommit, if anything: the group must have been added to the open transaction.
    func offsetCommitError(
        transactionalID: String,
        producerID: Int64,
        epoch: Int16,
        group: String
    ) -> ErrorCode? {
        if let complaint = self.complaint(transactionalID, producerID, epoch) { return complaint }
        guard let transaction = self.transactions[transactionalID], transaction.state == .ongoing,
            transaction.groups.contains(group)
        else { return .invalidTransactionState }
        return nil
    }

    // MARK: Looking (KIP-664)

    /// Nil for an id that nobody has used, which DescribeTransactions answers with 105.
    func describe(_ transactionalID: String) -> TransactionDescription? {
        guard let transaction = self.transactions[transactionalID] else { return nil }
        return TransactionDescription(
            transactionalID: transactionalID,
            state: transaction.state,
            producer: transaction.producer,
            timeout: transaction.timeout,
            startTime: transaction.startTime,
            partitions: transaction.partitions.sorted()
        )
    }

    /// All transactional ids, or those in some states and of some producers (ListTransactions).
    ///
    /// - Returns: The ids in their order, and the state names that mean nothing.
    func list(
        states: [String] = [],
        producerIDs: [Int64] = []
    ) -> (transactions: [TransactionDescription], unknownStates: [String]) {
        let known = Set(TransactionState.allCases.map(\.description))
        let (states, producerIDs) = (Set(states), Set(producerIDs))
        let transactions = self.transactions.keys.sorted().compactMap(self.describe).filter { each in
            (states.isEmpty || states.contains(each.state.description))
                && (producerIDs.isEmpty || producerIDs.contains(each.producer.id))
        }
        return (transactions, states.subtracting(known).sorted())
    }
}
