internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// A Kafka cluster in this process, for tests, demos and the command line.
///
/// Clients of any language speak to it over sockets, as to Apache Kafka. There is one copy of the data whatever the nodes,
/// and one thread: it is not for production.
///
/// ```swift
/// try await withEmbeddedKafka { cluster in
///     let producer = try KafkaProducer(configuration: .init(bootstrapServers: cluster.bootstrapServers))
///     ...
/// }
/// ```
public final class EmbeddedKafkaCluster: Sendable {
    /// What the running cluster consists of.
    private struct Running {
        let group: MultiThreadedEventLoopGroup
        let broker: NIOLoopBound<Broker>
        var channels: [Int32: any Channel]
        var addresses: [Int32: String]
        /// What keeps the ports of stopped nodes.
        var reservations: [Int32: PortReservation]
        var clockObserver: UInt64?
    }

    private enum State {
        case idle
        case starting
        case running(Running)
        case ended
    }

    /// What the cluster is like.
    public let configuration: Configuration

    private let state = Mutex(State.idle)

    /// Describes a cluster; nothing is started.
    /// - Throws: ``EmbeddedKafkaError`` for options that can't be.
    public init(configuration: Configuration = Configuration()) throws(EmbeddedKafkaError) {
        try configuration.validate()
        self.configuration = configuration
    }

    // MARK: Life

    /// Starts the cluster, runs it until the task is cancelled, and ends it with its data flushed.
    ///
    /// For a service group. ``bootstrapServers`` is there once ``start()`` has returned; use ``withEmbeddedKafka`` where the
    /// cluster is only needed while something else runs.
    public func run() async throws {
        try await self.start()
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        await withTaskCancellationHandler {
            for await _ in stream {}
        } onCancel: {
            continuation.finish()
        }
        try await self.stop()
    }

    /// Starts the cluster, and returns when every node answers.
    /// - Throws: ``EmbeddedKafkaError`` when an address or the data directory can't be had. A cluster starts once.
    public func start() async throws {
        try self.state.withLock { state throws(EmbeddedKafkaError) in
            guard case .idle = state else {
                throw EmbeddedKafkaError(.notRunning, "this cluster was started before; make another one")
            }
            state = .starting
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let running = try await self.start(on: group)
            self.state.withLock { $0 = .running(running) }
        } catch {
            self.state.withLock { $0 = .ended }
            // Why the cluster can't start is what matters; ending its thread fails only when it has ended.
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private func start(on group: MultiThreadedEventLoopGroup) async throws -> Running {
        let configuration = self.configuration
        let security = try Security(configuration.security)
        let boundSecurity = UncheckedTransfer(security)
        let loop = group.next()
        let broker = try await loop.submit {
            do {
                return NIOLoopBound(
                    try Broker(options: configuration, security: boundSecurity.value, eventLoop: loop),
                    eventLoop: loop
                )
            } catch let error as LogError {
                throw EmbeddedKafkaError(error)
            } catch let error as WireError {
                throw EmbeddedKafkaError(
                    .storage,
                    "what the data directory says of the cluster can't be read: \(error)"
                )
            }
        }.get()
        var running = Running(group: group, broker: broker, channels: [:], addresses: [:], reservations: [:])
        do {
            for number in 1...configuration.nodes {
                var port = self.port(of: number)
                if let reservation = PortReservation(host: configuration.host, port: port) {
                    running.reservations[Int32(number)] = reservation
                    port = reservation.port
                }
                try await self.bind(Int32(number), port: port, running: &running)
            }
        } catch {
            // Why the cluster can't start is what matters. No record was taken yet, so nothing can be lost by these.
            for channel in running.channels.values { try? await channel.close() }
            try? await loop.submit { try broker.value.shutDown() }.get()
            throw error
        }
        if case .manual(let clock) = configuration.clock.source {
            // Fails only when the cluster has ended meanwhile, to which time means nothing any more.
            running.clockObserver = clock.observe { _ = try? await loop.submit { broker.value.timePassed() }.get() }
        }
        return running
    }

    private func port(of node: Int) -> Int {
        let ports = self.configuration.ports
        return ports.indices.contains(node - 1) ? ports[node - 1] : 0
    }

    private func bind(_ node: Int32, port: Int, running: inout Running) async throws {
        let host = self.configuration.host
        let channel: any Channel
        do {
            channel = try await Listener.bind(
                node: node,
                host: host,
                port: port,
                broker: running.broker,
                group: running.group
            ).get()
        } catch {
            throw EmbeddedKafkaError(
                .addressNotAvailable,
                "node \(node) can't listen on \(host):\(port): \(error); is another broker there?"
            )
        }
        guard let bound = channel.localAddress?.port else {
            throw EmbeddedKafkaError(.addressNotAvailable, "node \(node) has no address")
        }
        let advertised = self.configuration.advertisedHost ?? host
        let broker = running.broker
        try await channel.eventLoop.submit {
            broker.value.nodes.set(node, host: advertised, port: bound)
        }.get()
        running.channels[node] = channel
        running.addresses[node] = advertised.contains(":") ? "[\(advertised)]:\(bound)" : "\(advertised):\(bound)"
    }

    /// Ends the cluster: connections are cut, data is flushed. Does nothing when it has ended.
    public func stop() async throws {
        let running = self.state.withLock { state -> Running? in
            guard case .running(let running) = state else { return nil }
            state = .ended
            return running
        }
        guard let running else { return }
        if case .manual(let clock) = self.configuration.clock.source, let observer = running.clockObserver {
            clock.removeObserver(observer)
        }
        // A socket that is closed already is what is wanted.
        for channel in running.channels.values { try? await channel.close() }
        let broker = running.broker
        let result = await Self.result {
            try await broker.eventLoop.submit {
                broker.value.disconnect()
                try broker.value.shutDown()
            }.get()
        }
        try await running.group.shutdownGracefully()
        try result.get()
    }

    private static func result(_ body: () async throws -> Void) async -> Result<Void, any Error> {
        do {
            return .success(try await body())
        } catch {
            return .failure(error)
        }
    }

    // MARK: Facts

    /// Where clients find the cluster: `host:port` of each node, in the order of their ids. Empty unless it runs.
    public var bootstrapServers: [String] {
        self.state.withLock { state in
            guard case .running(let running) = state else { return [] }
            return running.addresses.sorted { $0.key < $1.key }.map(\.value)
        }
    }

    // MARK: For the extensions

    /// Does something on the broker's event loop.
    func onBroker<Value: Sendable>(_ body: @escaping @Sendable (Broker) throws -> Value) async throws -> Value {
        let broker = self.state.withLock { state -> NIOLoopBound<Broker>? in
            guard case .running(let running) = state else { return nil }
            return running.broker
        }
        guard let broker else { throw EmbeddedKafkaError(.notRunning, "the cluster is not running") }
        return try await broker.eventLoop.submit { try body(broker.value) }.get()
    }

    /// Closes a node's socket and cuts its connections; the address stays the node's.
    func closeSocket(of node: Int32) async throws {
        let channel = self.state.withLock { state -> (any Channel)? in
            guard case .running(var running) = state else { return nil }
            let channel = running.channels.removeValue(forKey: node)
            state = .running(running)
            return channel
        }
        try await channel?.close()
        try await self.onBroker { $0.disconnect(node: node) }
    }

    /// Listens on a node's address again.
    func reopenSocket(of node: Int32) async throws {
        guard
            var running = self.state.withLock({ state -> Running? in
                guard case .running(let running) = state, running.channels[node] == nil else { return nil }
                return running
            })
        else { return }
        let port = running.addresses[node].flatMap { Int($0.split(separator: ":").last ?? "") } ?? 0
        try await self.bind(node, port: port, running: &running)
        let channel = running.channels[node]
        self.state.withLock { state in
            guard case .running(var current) = state else { return }
            current.channels[node] = channel
            state = .running(current)
        }
    }
}

/// Starts a cluster, passes it to the body, and ends it when the body has ended.
/// - Throws: ``EmbeddedKafkaError`` when the cluster can't start, and what the body throws.
public func withEmbeddedKafka<Value>(
    _ configuration: EmbeddedKafkaCluster.Configuration = .init(),
    _ body: (EmbeddedKafkaCluster) async throws -> Value
) async throws -> Value {
    let cluster = try EmbeddedKafkaCluster(configuration: configuration)
    try await cluster.start()
    let result: Result<Value, any Error>
    do {
        result = .success(try await body(cluster))
    } catch {
        result = .failure(error)
    }
    try await cluster.stop()
    return try result.get()
}

/// Carries a value that nobody else holds to the event loop where it stays.
struct UncheckedTransfer<Value>: @unchecked Sendable {
    let value: Value

    init(_ value: Value) {
        self.value = value
    }
}
