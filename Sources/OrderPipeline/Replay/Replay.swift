package import EventStreaming
internal import KafkaClient
package import Logging

/// Sends the orders of a file through the pipeline and waits until every one is at its end.
///
/// The three services and the read model each are a consumer group of their own. On a cluster that is shared the services
/// also do the work of other replays; the read model counts its own, by an attribute that every message carries on.
package struct Replay: Sendable {
    /// What a replay came to.
    package struct Outcome: Sendable {
        /// What the read model counted.
        package var totals: Totals
        /// How many events and statuses it read.
        package var messages: Int
        /// From the start to the last message.
        package var elapsed: Duration
        /// From the first message that the read model got to the last.
        package var working: Duration
    }

    private enum Step: Sendable {
        case produced
        case serviceEnded(String)
        case finished
    }

    /// The attribute of a message's metadata that says which replay it belongs to.
    static let extensionName = "replayid"
    private static let chunkSize = 500
    private static let shownExamples = 5

    /// The id that all records of this replay carry.
    package let id: String
    /// What the services promise. Default: exactly once.
    package var guarantee = ProcessingGuarantee.exactlyOnce
    /// Whether the services run in this process. Default: true.
    package var runsServices = true
    /// How long nothing may happen before it gives up. Default: 30 s.
    package var stallLimit = Duration.seconds(30)

    private let cluster: PipelineCluster
    private let commits: CommitLog
    private let logger: Logger
    private let clientLogger: Logger

    /// Makes a replay with an id of its own.
    /// - Parameters:
    ///   - cluster: Where to run it; an embedded cluster must have the topics of ``PipelineTopic``.
    ///   - commits: Takes what was committed, also when the replay fails or is cancelled.
    ///   - logger: Takes what the services report: records that they can't read.
    ///   - clientLogger: Takes what the Kafka clients report; `nil` for the same logger.
    package init(
        cluster: PipelineCluster,
        commits: CommitLog = CommitLog(),
        logger: Logger,
        clientLogger: Logger? = nil
    ) {
        self.id = String(UInt64.random(in: .min ... .max), radix: 36)
        self.cluster = cluster
        self.commits = commits
        self.logger = logger
        self.clientLogger = clientLogger ?? logger
    }

    /// Runs the replay.
    /// - Parameters:
    ///   - commands: What to send. A command that repeats an order changes nothing.
    ///   - progress: Is told how many orders are at their end, for the first time when the first message has come back.
    /// - Throws: ``PipelineError``, `KafkaError`, and `CancellationError` when the task is cancelled.
    package func run(
        _ commands: [OrderCommand],
        progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) async throws -> Outcome {
        let start = ContinuousClock.now
        let orders = Set(commands.map(\.invoice.number))
        guard !orders.isEmpty else {
            return Outcome(totals: Totals(), messages: 0, elapsed: .zero, working: .zero)
        }
        let state = ReplayState()
        let groups = GroupWatch()
        let topics: [PipelineTopic] = [.orders, .payments, .shipping, .status]
        let group = PipelineCluster.group("read-model.\(self.id)")
        let preparation = ReplayPreparation(cluster: self.cluster, logger: self.clientLogger)
        try await preparation.prepare(group: group, topics: topics)
        let watch = StallWatch(limit: self.stallLimit)

        let reader = ReadModelReader(
            cluster: self.cluster,
            group: group,
            topics: topics,
            commits: self.commits,
            groups: groups,
            logger: self.logger,
            clientLogger: self.clientLogger
        )
        try await withThrowingTaskGroup(of: Step.self) { tasks in
            for service in self.runsServices ? PipelineService.allCases : [] {
                tasks.addTask {
                    try await self.run(service, groups: groups)
                    return .serviceEnded(service.rawValue)
                }
            }
            tasks.addTask {
                try await reader.read { messages in
                    let own = messages.filter { $0.replay == self.id }.map(\.0)
                    let completed = state.apply(own)
                    if !own.isEmpty {
                        watch.progressed()
                        progress(completed)
                    }
                    return completed == orders.count ? .stop : .goOn
                }
                return .finished
            }
            tasks.addTask {
                try await self.produce(commands, watch: watch)
                return .produced
            }
            tasks.addTask {
                try await watch.waitForStall()
                throw self.stalled(state.model, orders: orders, idleGroups: groups.idleGroups)
            }
            // An error of one ends the others: they are cancelled, and close what they hold before this returns.
            while let step = try await tasks.next() {
                try Task.checkCancellation()
                switch step {
                case .produced: continue
                case .serviceEnded(let name): throw PipelineError.serviceEnded(name)
                case .finished: break
                }
                break
            }
            tasks.cancelAll()
            while let result = await tasks.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
        }
        try Task.checkCancellation()
        let end = ContinuousClock.now
        let model = state.model
        return Outcome(
            totals: model.totals,
            messages: model.messages,
            elapsed: start.duration(to: end),
            working: (state.firstMessage ?? end).duration(to: end)
        )
    }

    private func run(_ service: PipelineService, groups: GroupWatch) async throws {
        let processor = service.processor(
            on: self.cluster,
            guarantee: self.guarantee,
            logger: self.logger,
            clientLogger: self.clientLogger
        )
        groups.joined(service.group) { processor.status.partitions.isEmpty }
        defer {
            groups.left(service.group)
            self.commits.add(group: service.group, processor.status.committed)
        }
        try await processor.run()
    }

    private func produce(_ commands: [OrderCommand], watch: StallWatch) async throws {
        let configuration = self.cluster.producer(clientID: "order-pipeline.replay")
        try await withKafkaProducer(configuration, logger: self.clientLogger) { producer in
            var rest = commands[...]
            while !rest.isEmpty {
                try Task.checkCancellation()
                let records = try rest.prefix(Self.chunkSize).map { try Self.record(of: $0, replay: self.id) }
                let results = try await producer.send(contentsOf: records)
                // What a cancelled task could not send is no error of the cluster.
                try Task.checkCancellation()
                for result in results { _ = try result.get() }
                watch.progressed()
                rest = rest.dropFirst(Self.chunkSize)
            }
        }
    }

    /// The record of a command. One that repeats an order has the same id.
    static func record(of command: OrderCommand, replay: String?) throws -> KafkaProducerRecord {
        let number = command.invoice.number
        let source = PipelineCluster.group("replay")
        let metadata = EventMetadata(
            id: EventID.derived(
                from: replay ?? "",
                number,
                at: command.invoice.placedAt.millisecondsSince1970
            ),
            source: source,
            type: command.type,
            time: .now,
            extensions: replay.map { [Self.extensionName: $0] } ?? [:]
        )
        let message = Message(key: number, value: command, metadata: metadata)
        return try PipelineTopics.commands.record(of: message, source: source)
    }

    /// The replay that a message belongs to.
    static func id(of metadata: EventMetadata?) -> String? { metadata?.extensions[Self.extensionName] }

    private func stalled(
        _ model: RevenueReadModel,
        orders: Set<String>,
        idleGroups: [String]
    ) -> PipelineError {
        let missing = model.missing(of: orders.sorted())
        return .stalled(
            after: self.stallLimit,
            completed: model.completed,
            missing: missing.count,
            examples: missing.prefix(Self.shownExamples).map { "\($0.order) waits for \($0.waitsFor)" },
            idleGroups: idleGroups
        )
    }
}
