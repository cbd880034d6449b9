internal import KafkaClient
public import Logging
internal import Synchronization

/// Answers requests: a processor whose handler returns a reply.
///
/// ```swift
/// let responder = Responder(configuration, answering: quotes, on: prices) { request in
///     try await price(of: try request.value)
/// }
/// try await responder.run()
/// ```
///
/// Instances of the same name share the requests. When one dies, the others, or the same one when it is back, answer what it did
/// not. A handler that throws, and a request that can't be read, are answered with the error, which ``Requester/request(_:timeout:causedBy:)``
/// throws. Requests whose time is up are not handled. Records that are no requests are dead letters.
///
/// With ``ProcessingGuarantee/exactlyOnce`` a reply is seen when its transaction is committed, and there is one for each request;
/// at least once it is faster, and a request may be handled, and replied to, again after a crash.
public final class Responder<Key: Sendable, Request: Sendable, Reply: Sendable>: Sendable {
    /// Handles a request and returns what is replied.
    public typealias Handler = @Sendable (ReceivedMessage<Key, Request>) async throws -> Reply

    private let processor: Processor
    private let counts: ResponderCounts
    private let partitions: ReplyPartitions

    /// Makes a responder; nothing is connected before it runs.
    ///
    /// - Parameters:
    ///   - configuration: how its processor works.
    ///   - requests: where requests come from.
    ///   - replies: where replies go: requests that want them elsewhere are dead letters.
    ///   - logger: takes what it has to say.
    ///   - clientLogger: takes what its clients have to say; `nil` is the same.
    ///   - handler: handles a request, and throws to reject it.
    public init(
        _ configuration: ProcessorConfiguration,
        answering requests: Topic<Key, Request>,
        on replies: Topic<Key, Reply>,
        logger: Logger = Logger(label: "EventStreaming.Responder"),
        clientLogger: Logger? = nil,
        handler: @escaping Handler
    ) {
        let counts = ResponderCounts()
        let partitions = ReplyPartitions(
            of: replies.name,
            producer: configuration.lookupConfiguration,
            logger: clientLogger ?? logger
        )
        self.counts = counts
        self.partitions = partitions
        self.processor = Processor(configuration, reading: [requests], logger: logger, clientLogger: clientLogger) {
            message,
            output in
            guard let request = RequestHeaders(headers: message.record.headers), request.replyTopic == replies.name
            else {
                throw SerdeError("the record is no request for a reply on \(replies.name)")
            }
            guard try await partitions.contain(request.replyPartition) else {
                throw SerdeError("\(replies.name) has no partition \(request.replyPartition) for the reply")
            }
            guard request.deadline > .now else { return counts.add(\.expired) }
            let rejection: any Error
            do {
                let reply = try await handler(message)
                let answer = Message(
                    key: try message.key,
                    value: reply,
                    headers: ReplyHeaders(to: request).headers,
                    partition: request.replyPartition
                )
                try output.send(answer, to: replies)
                return counts.add(\.replies)
            } catch {
                // When it is the end, somebody else answers.
                try Task.checkCancellation()
                rejection = error
            }
            let answer = Message<[UInt8]?, [UInt8]?>(
                key: message.record.key,
                value: nil,
                headers: ReplyHeaders(to: request, rejection: rejection).headers,
                partition: request.replyPartition
            )
            try output.send(answer, to: Self.rejections(on: replies.name))
            counts.add(\.rejections)
        }
    }

    private static func rejections(on topic: String) -> Topic<[UInt8]?, [UInt8]?> {
        Topic(topic, key: .optional(.bytes), value: .optional(.bytes), eventType: { _ in "Rejection" })
    }

    /// Answers requests until the task is cancelled.
    ///
    /// - Throws: as ``Processor/run()``.
    public func run() async throws {
        try await self.partitions.withLookup { try await self.processor.run() }
    }

    /// How its processor is doing.
    public var status: ProcessorStatus { self.processor.status }

    /// What came of the requests so far.
    public var statistics: ResponderStatistics { self.counts.statistics }
}

/// What came of the requests that a ``Responder`` read.
public struct ResponderStatistics: Sendable, Hashable {
    /// How many it answered.
    public var replies = 0
    /// How many it answered with an error.
    public var rejections = 0
    /// How many it did not handle, since their time was up.
    public var expired = 0
}

/// The counts of a responder while it runs.
private final class ResponderCounts: Sendable {
    private let counts = Mutex(ResponderStatistics())

    var statistics: ResponderStatistics { self.counts.withLock { $0 } }

    func add(_ count: sending WritableKeyPath<ResponderStatistics, Int>) {
        self.counts.withLock { $0[keyPath: count] += 1 }
    }
}
