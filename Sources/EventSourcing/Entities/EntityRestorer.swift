internal import EventStreaming
internal import KafkaClient
internal import Logging

/// Brings the entities of a partition into memory: from a snapshot where there is one, and from the events behind it.
struct EntityRestorer<Rules: Decider>: Sendable {
    private let topic: String
    private let category: String
    private let snapshots: EntitySnapshotFiles<Rules>?
    private let reader: TopicReader
    private let logger: Logger

    init(
        topic: String,
        configuration: EntityProcessorConfiguration<Rules.State>,
        decider: Rules,
        registry: EventRegistry<Rules.Event>,
        logger: Logger
    ) {
        self.topic = topic
        self.category = configuration.category ?? configuration.name
        self.snapshots = configuration.snapshots.map { EntitySnapshotFiles($0, topic: topic) }
        self.reader = TopicReader(configuration.consumer, patience: configuration.restoreTimeout, logger: logger)
        self.logger = logger
    }

    /// Restores a partition.
    ///
    /// The end is what the log holds now, with what open transactions have written: the last transaction of the one who had the
    /// partition before may be committed without its mark being here yet (the last stable offset would miss it).
    ///
    /// - Returns: how many events were read.
    func restore(_ partition: EntityPartition<Rules>) async throws -> Int {
        let place = KafkaTopicPartition(topic: self.topic, partition: partition.partition)
        guard let ends = try await self.reader.watermarks(of: [place])[place] else { return 0 }
        if let contents = self.readSnapshot(of: place), let last = contents.last, last.offset < ends.high,
            last.offset >= ends.low
        {
            partition.begin(with: contents)
            if let count = try await self.read(partition, place, from: last.offset, to: ends.high, after: last) {
                return count
            }
            self.logger.warning("a snapshot is of another log and is not used", metadata: ["partition": "\(place)"])
        }
        guard ends.low == 0 else {
            throw EntityProcessorError(
                .restore,
                "\(place) begins with offset \(ends.low): its first events are gone, and there is no snapshot of them"
            )
        }
        partition.begin(with: EntityPartition<Rules>.Contents())
        return try await self.read(partition, place, from: 0, to: ends.high, after: nil) ?? 0
    }

    /// Reads events.
    ///
    /// - Parameter last: the event that the snapshot ends with, which must be the first one.
    /// - Returns: how many were read behind it; `nil` when it is not there.
    private func read(
        _ partition: EntityPartition<Rules>,
        _ place: KafkaTopicPartition,
        from start: Int64,
        to end: Int64,
        after last: (offset: Int64, id: String)?
    ) async throws -> Int? {
        var count = 0
        var isKnown = last == nil
        do {
            try await self.reader.read([place: start..<end]) { record in
                guard let event = EntityEventRecord.read(.consumed(record)), event.entity.category == self.category
                else { return true }
                if let last, !isKnown {
                    isKnown = event.position == last.offset && event.event.metadata.id == last.id
                    return isKnown
                }
                try partition.restore(event)
                count += 1
                return true
            }
        } catch is CancellationError {
            throw CancellationError()
        } catch let error as KafkaError {
            throw error
        } catch {
            throw EntityProcessorError(.restore, "the entities of \(place) can't be restored", cause: error)
        }
        return isKnown ? count : nil
    }

    private func readSnapshot(of place: KafkaTopicPartition) -> EntityPartition<Rules>.Contents? {
        do {
            return try self.snapshots?.read(place.partition)
        } catch {
            self.logger.warning(
                "a snapshot can't be read and is not used",
                metadata: ["partition": "\(place)", "error": "\(error)"]
            )
            return nil
        }
    }

    /// Writes a snapshot when so many events have come since the last one. What fails is told: the events are there.
    func saveSnapshot(of partition: EntityPartition<Rules>, every interval: Int) async {
        guard let snapshots, let contents = partition.takeSnapshot(every: interval) else { return }
        do {
            try await snapshots.write(contents, partition.partition)
        } catch {
            self.logger.warning("a snapshot can't be written", metadata: ["error": "\(error)"])
        }
    }
}
