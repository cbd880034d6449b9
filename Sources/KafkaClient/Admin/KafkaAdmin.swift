public import Logging

/// Looks after a cluster: topics, settings, consumer groups and their offsets.
///
/// A client of its own that neither reads nor writes records. Each call is one request to the cluster, or a few; nothing is
/// asked that nobody called for, and no topic is made by asking for it.
///
/// ```swift
/// try await withKafkaAdmin(.init(bootstrapServers: ["localhost:9092"])) { admin in
///     try await admin.createTopic("orders", partitions: 8)
///     let results = try await admin.deleteTopics(["old", "older"])       // a result for each
///     for (partition, lag) in try await admin.lag(of: "billing") {
///         print(partition, lag.records, lag.age ?? .zero)
///     }
/// }
/// ```
///
/// Calls for several things answer with one result for each, and throw only when the call as a whole failed, such as when no
/// broker can be reached. Each has a time-out; a task that is cancelled does not wait for the answer: what only asks throws
/// `CancellationError`, what changes something ``KafkaError`` with the code `outcomeUnknown` once it is on its way.
public final class KafkaAdmin: Sendable {
    let core: AdminCore

    /// Makes an admin client, which connects at its first call.
    ///
    /// - Throws: ``KafkaError`` with the code `configuration` that names the property that is wrong.
    public init(
        configuration: Configuration,
        logger: Logger = Logger(label: "KafkaClient.KafkaAdmin")
    ) throws(KafkaError) {
        self.core = try AdminCore(configuration: configuration, logger: logger)
    }

    deinit {
        self.core.abandon()
    }

    /// Keeps the client until the task is cancelled, then closes it. Cancelling is closing.
    public func run() async {
        await waitForCancellation()
        await self.close()
    }

    /// Closes the client. Calls that wait for an answer end: what only asks with the code `closed`, what changes something
    /// with `outcomeUnknown`. Closing again does nothing more than wait for the end.
    public func close() async {
        await self.core.close()
    }
}
