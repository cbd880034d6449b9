/// Where the report of one record and its sender meet, whichever comes first.
///
/// Its address travels through librdkafka as the message's opaque pointer, so the report finds it without a look-up.
///
/// Unchecked, because the report is written before the completion and read after it.
final class DeliveryWaiter: Completion, @unchecked Sendable {
    private let topic: String
    private let partition: Int32?
    private let operation: SendOperation
    private let context: DeliveryContext
    private let span: ClientSpan?
    private var report: DeliveryReport?

    init(
        record: borrowing KafkaProducerRecord,
        operation: SendOperation,
        context: DeliveryContext,
        span: ClientSpan? = nil
    ) {
        self.topic = record.topic
        self.partition = record.partition
        self.operation = operation
        self.context = context
        self.span = span
    }

    /// The opaque pointer for librdkafka, which holds a reference until the report has come.
    func makeOpaque() -> UnsafeMutableRawPointer {
        Unmanaged.passRetained(self).toOpaque()
    }

    /// Takes the reference back that ``makeOpaque()`` gave away.
    static func take(opaque: UnsafeMutableRawPointer) -> DeliveryWaiter {
        Unmanaged<DeliveryWaiter>.fromOpaque(opaque).takeRetainedValue()
    }

    /// Called once with the report.
    func deliver(_ report: DeliveryReport) {
        self.report = report
        if let span {
            span.end(with: self.result(of: report))
        }
        self.complete()
    }

    /// Waits for the report and answers what the sender gets.
    @inline(__always)
    func metadata() async throws(KafkaError) -> KafkaRecordMetadata {
        guard await self.waitUnlessCancelled(), let report else {
            throw KafkaError(
                .outcomeUnknown,
                operation: self.operation.rawValue,
                topic: self.topic,
                partition: self.partition,
                message: "cancelled while the record was on its way: it may be sent or not"
            )
        }
        return try self.result(of: report).get()
    }

    private func result(of report: DeliveryReport) -> Result<KafkaRecordMetadata, KafkaError> {
        report.result(
            of: (self.topic, self.partition),
            operation: self.operation.rawValue,
            context: self.context
        )
    }
}

/// The calls that send, for errors.
enum SendOperation: String {
    case send
    case enqueue
    case trySend
}
