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
    private let waiter: DeliveryWaiter

    init(waiter: DeliveryWaiter) {
        self.waiter = waiter
    }

    /// Where the broker put the record, as soon as it has acknowledged it.
    ///
    /// - Throws: ``KafkaError``; with the code `outcomeUnknown` when the awaiting task is cancelled before the answer.
    ///   The record stays on its way: another await can still get the answer.
    public var metadata: KafkaRecordMetadata {
        get async throws(KafkaError) { try await self.waiter.metadata() }
    }
}
