internal import KafkaClient
package import Logging

/// Sends the orders of a file through the pipeline and waits until every one is at its end.
///
/// The three services and the read model each are a consumer group of their own. On a cluster that is shared the services
/// also do the work of other replays; the read model counts its own, by a header that every record carries on.
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

    private static let chunkSize = 500
    private static let shownExamples = 5

    /// The id that all records of this replay carry.
    package let id: String
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
        let watch = StallWatch(limit: self.stallLimit)
        let groups = GroupWatch()
        let topics: [PipelineTopic] = [.orders, .payments, .shipping, .status]
        let group = PipelineCluster.group("read-model.\(self.id)")
        let preparation = ReplayPreparation(cluster: self.cluster, logger: self.clientLogger)
        try await preparation.prepare(group: group, topics: topics)

        let runner = ServiceRunner(
            cluster: self.cluster,
            commits: self.commits,
            groups: groups,
            logger: self.logger,
            clientLogger: self.clientLogger
        )
        try await withThrowingTaskGroup(of: Step.self) { tasks in
            tasks.addTask {
                try await runner.run(OrdersService())
                return .serviceEnded(OrdersService.name)
            }
            tasks.addTask {
                try await runner.run(PaymentsService())
                return .serviceEnded(PaymentsService.name)
            }
            tasks.addTask {
                try await runner.run(ShippingService())
                return .serviceEnded(ShippingService.name)
            }
            tasks.addTask {
                try await runner.read(group: group, topics: topics) { messages in
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

    private func produce(_ commands: [OrderCommand], watch: StallWatch) async throws {
        let configuration = self.cluster.producer(clientID: "order-pipeline.replay")
        try await withKafkaProducer(configuration, logger: self.clientLogger) { producer in
            let codec = JSONCodec()
            var rest = commands[...]
            while !rest.isEmpty {
                try Task.checkCancellation()
                let records = try rest.prefix(Self.chunkSize).map {
                    try ServiceRunner.record(.command($0), replay: self.id, codec: codec)
                }
                try await ServiceRunner.send(records, with: producer)
                watch.progressed()
                rest = rest.dropFirst(Self.chunkSize)
            }
        }
    }

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
