/// What went wrong in a call of the client.
///
/// Every error says which call failed, for which topic and partition, what librdkafka or the broker said, and what can be
/// done about it: ``isRetriable``, ``isFatal`` or ``requiresAbort``.
///
/// ```swift
/// do {
///     try await producer.send(record)
/// } catch let error as KafkaError where error.isRetriable {
///     // the same call may succeed later
/// }
/// ```
public struct KafkaError: Error, Sendable {
    /// The error's fields live behind one reference, so that `Result<_, KafkaError>` stays small in large batches.
    private final class Storage: Sendable {
        let code: Code
        let operation: String
        let topic: String?
        let partition: Int32?
        let group: String?
        let message: String
        let librdkafkaName: String?
        let disposition: Disposition

        init(
            code: Code,
            operation: String,
            topic: String?,
            partition: Int32?,
            group: String?,
            message: String,
            librdkafkaName: String?,
            disposition: Disposition
        ) {
            self.code = code
            self.operation = operation
            self.topic = topic
            self.partition = partition
            self.group = group
            self.message = message
            self.librdkafkaName = librdkafkaName
            self.disposition = disposition
        }
    }

    /// What a caller can do about an error.
    struct Disposition: Sendable {
        var isRetriable = false
        var isFatal = false
        var requiresAbort = false
    }

    private let storage: Storage

    init(
        _ code: Code,
        operation: String,
        topic: String? = nil,
        partition: Int32? = nil,
        group: String? = nil,
        message: String,
        librdkafkaName: String? = nil,
        disposition: Disposition = Disposition()
    ) {
        self.storage = Storage(
            code: code,
            operation: operation,
            topic: topic,
            partition: partition,
            group: group,
            message: message,
            librdkafkaName: librdkafkaName,
            disposition: disposition
        )
    }

    /// The kind of the error, to be compared with the static members of ``Code``.
    public var code: Code { self.storage.code }

    /// The call that failed, as a verb phrase: "send", "commit", "make a consumer".
    public var operation: String { self.storage.operation }

    /// The topic concerned, when there is one.
    public var topic: String? { self.storage.topic }

    /// The partition concerned, when there is one.
    public var partition: Int32? { self.storage.partition }

    /// The consumer group concerned, where the call names one.
    public var group: String? { self.storage.group }

    /// What librdkafka, the broker or the check of the client said.
    public var message: String { self.storage.message }

    /// librdkafka's name of the error (such as `_MSG_TIMED_OUT` or `NOT_COORDINATOR`) when it came from there.
    public var librdkafkaName: String? { self.storage.librdkafkaName }

    /// Whether the same call may succeed when it is made again.
    public var isRetriable: Bool { self.storage.disposition.isRetriable }

    /// Whether the client is of no use any more: close it and make a new one.
    public var isFatal: Bool { self.storage.disposition.isFatal }

    /// Whether the current transaction must be aborted before it can be tried again.
    public var requiresAbort: Bool { self.storage.disposition.requiresAbort }
}

extension KafkaError {
    /// The same error as another call met it.
    func restated(
        operation: String,
        topic: String? = nil,
        partition: Int32? = nil,
        details: [String] = []
    ) -> KafkaError {
        KafkaError(
            self.code,
            operation: operation,
            topic: topic,
            partition: partition,
            message: ([self.message] + details).joined(separator: "; "),
            librdkafkaName: self.librdkafkaName,
            disposition: self.storage.disposition
        )
    }

    /// The error of a record that belongs to a transaction that failed: it can only be aborted.
    static func notInTransaction(operation: String, topic: String, partition: Int32?) -> KafkaError {
        KafkaError(
            .notSent,
            operation: operation,
            topic: topic,
            partition: partition,
            message: "the transaction has failed or was aborted, and the record with it",
            disposition: Disposition(requiresAbort: true)
        )
    }
}

extension KafkaError: CustomStringConvertible {
    /// One line with all that is known: call, topic and partition, what was said, what can be done.
    public var description: String {
        var text = "\(self.operation)"
        if let topic = self.topic {
            text += " (\(topic)"
            if let partition = self.partition {
                text += "[\(partition)]"
            }
            text += ")"
        }
        if let group = self.group {
            text += " (group \(group))"
        }
        text += ": \(self.message)"
        if let name = self.librdkafkaName {
            text += " [\(name)]"
        }
        if self.isFatal {
            text += " (fatal: close this client)"
        } else if self.requiresAbort {
            text += " (abort the transaction)"
        } else if self.isRetriable {
            text += " (may be retried)"
        }
        return text
    }
}
