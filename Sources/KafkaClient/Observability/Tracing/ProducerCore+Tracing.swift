/// Sending with spans. Nothing of this is run without an instrument.
extension ProducerCore {
    /// Hands a record to librdkafka, as soon as there is room. Its span ends with the report of the delivery.
    @inline(never)
    func handOver(
        _ record: KafkaProducerRecord,
        operation: SendOperation,
        in transaction: TransactionRun?,
        tracing: ClientTracing
    ) async throws -> DeliveryWaiter {
        var record = record
        let span = tracing.startSend(&record)
        do {
            return try await self.handOver(record, operation: operation, in: transaction, span: span)
        } catch {
            span.end(with: error)
            throw error
        }
    }

    /// Hands a record to librdkafka; `nil` when there is no room, or for a call that can wait for it: that one begins its
    /// span where it waits.
    @inline(never)
    func handOverIfThereIsRoom(
        _ record: KafkaProducerRecord,
        operation: SendOperation,
        in transaction: TransactionRun?,
        tracing: ClientTracing
    ) throws(KafkaError) -> DeliveryWaiter? {
        guard operation == .trySend else { return nil }
        var record = record
        let span = tracing.startSend(&record)
        let waiter: DeliveryWaiter?
        do throws(KafkaError) {
            waiter = try self.handOverIfThereIsRoom(record, operation: operation, in: transaction, span: span)
        } catch {
            span.end(with: error)
            throw error
        }
        if waiter == nil {
            span.end(with: self.queueFull(record, operation: operation))
        }
        return waiter
    }

    /// Sends records that share a span, which ends when all have their result.
    @inline(never)
    func send(
        _ records: ArraySlice<KafkaProducerRecord>,
        in transaction: TransactionRun?,
        tracing: ClientTracing
    ) async throws -> [Result<KafkaRecordMetadata, KafkaError>] {
        var records = Array(records)
        let span = tracing.startSend(&records)
        do {
            let results = try await self.sendUntraced(records[...], in: transaction)
            if let error = results.firstError { span.end(with: error) } else { span.end() }
            return results
        } catch {
            span.end(with: error)
            throw error
        }
    }
}

extension [Result<KafkaRecordMetadata, KafkaError>] {
    fileprivate var firstError: KafkaError? {
        for case .failure(let error) in self { return error }
        return nil
    }
}
