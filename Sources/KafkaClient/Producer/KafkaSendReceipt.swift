/// The receipt for a record that was handed over; the broker's answer can be awaited later, or never.
///
/// ```swift
/// var receipts: [KafkaSendReceipt] = []
/// for record in records {
///     receipts.append(try await producer.enqueue(record))
/// }
/// for receipt in receipts {
///     print(try await receipt.metadata.offset)
/// }
/// ```
public struct KafkaSendReceipt: Sendable {
    private let waiter: ReportWaiter<DeliveryReport>
    private let connectionProblem: ConnectionProblem
    private let topic: String
    private let partition: Int32?
    private let operation: String

    init(
        waiter: ReportWaiter<DeliveryReport>,
        connectionProblem: ConnectionProblem,
        record: KafkaProducerRecord,
        operation: String
    ) {
        self.waiter = waiter
        self.connectionProblem = connectionProblem
        self.topic = record.topic
        self.partition = record.partition
        self.operation = operation
    }

    /// Where the broker put the record, as soon as it has acknowledged it.
    ///
    /// - Throws: ``KafkaError``; with the code `outcomeUnknown` when the awaiting task is cancelled before the answer.
    ///   The record stays on its way: another await can still get the answer.
    public var metadata: KafkaRecordMetadata {
        get async throws(KafkaError) {
            guard let report = await self.waiter.wait() else {
                throw KafkaError(
                    .outcomeUnknown,
                    operation: self.operation,
                    topic: self.topic,
                    partition: self.partition,
                    message: "cancelled while the record was on its way: it may be sent or not"
                )
            }
            return try report.result(
                of: (self.topic, self.partition),
                operation: self.operation,
                connectionProblem: self.connectionProblem
            ).get()
        }
    }
}
