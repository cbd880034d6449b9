internal import CLibrdkafka

extension ConsumerCore {
    /// Reports statistics, on the pump, with what the consumer itself knows at this time.
    func reportMetrics(_ event: OpaquePointer) {
        guard let metrics else { return }
        // Of a sequence of records, what was processed since the last look.
        self.storeProcessed()
        metrics.report(
            event,
            consumer: ClientMetrics.ConsumerView(assignment: self.assignment, queuedRecords: self.queuedCount)
        )
    }
}
