import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

@testable import EmbeddedKafka

/// A connection to a node that says what a test wants, be it a request or not. Every wait ends by a deadline.
final class TestClient: Sendable {
    enum Failure: Error, Hashable {
        case timedOut
        case closed
    }

    /// How long a test waits for what must come.
    static let patience = TimeAmount.seconds(20)

    let clientID: String
    private let channel: any Channel
    private let inbox: NIOLoopBound<Inbox>
    private let lastCorrelation = Mutex(Int32(0))

    private init(_ channel: any Channel, _ inbox: NIOLoopBound<Inbox>, clientID: String) {
        self.channel = channel
        self.inbox = inbox
        self.clientID = clientID
    }

    /// Connects to a node.
    /// - Parameter reads: Whether what the node sends is taken from the socket.
    static func connect(
        to cluster: EmbeddedKafkaCluster,
        node: Int = 1,
        clientID: String = "test",
        reads: Bool = true,
        tls: NIOSSLContext? = nil
    ) async throws -> TestClient {
        guard cluster.bootstrapServers.count >= node else { throw Failure.closed }
        return try await Self.connect(
            port: port(of: cluster.bootstrapServers[node - 1]),
            clientID: clientID,
            reads: reads,
            tls: tls
        )
    }

    static func connect(
        port: Int,
        clientID: String = "test",
        reads: Bool = true,
        tls: NIOSSLContext? = nil
    ) async throws -> TestClient {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: reads)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connectTimeout(Self.patience)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        let handler = try NIOSSLClientHandler(context: tls, serverHostname: nil)
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                    try channel.pipeline.syncOperations.addHandler(Inbox(channel.eventLoop))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        let inbox = try await channel.eventLoop.submit {
            NIOLoopBound(try channel.pipeline.syncOperations.handler(type: Inbox.self), eventLoop: channel.eventLoop)
        }.get()
        return TestClient(channel, inbox, clientID: clientID)
    }

    /// The port in `host:port`.
    static func port(of address: String) -> Int { Int(address.split(separator: ":").last ?? "") ?? 0 }

    // MARK: Requests

    /// A request with its length in front.
    static func frame(
        _ api: Int16,
        _ version: Int16,
        correlation: Int32 = 1,
        clientID: String? = "test",
        isFlexible: Bool = false,
        _ body: (inout Encoding) -> Void = { _ in }
    ) -> [UInt8] {
        var header = Encoding(isFlexible: false)
        header.int16(api)
        header.int16(version)
        header.int32(correlation)
        header.string(clientID)
        var rest = Encoding(isFlexible: isFlexible)
        rest.tags()
        body(&rest)
        rest.tags()
        var length = Encoding(isFlexible: false)
        length.int32(Int32(header.bytes.count + rest.bytes.count))
        return length.bytes + header.bytes + rest.bytes
    }

    /// Sends a request and does not wait.
    /// - Returns: The number that the answer will have.
    @discardableResult
    func send(_ api: APIKey, _ version: Int16, _ body: (inout Encoding) -> Void = { _ in }) async throws -> Int32 {
        let correlation = self.lastCorrelation.withLock { last in
            last += 1
            return last
        }
        try await self.send(
            Self.frame(
                api.rawValue,
                version,
                correlation: correlation,
                clientID: self.clientID,
                isFlexible: api.isFlexible(version),
                body
            )
        )
        return correlation
    }

    /// Sends a request and waits for its answer, which is the next that comes.
    func call(
        _ api: APIKey,
        _ version: Int16,
        _ body: (inout Encoding) -> Void = { _ in }
    ) async throws -> Decoding {
        let correlation = try await self.send(api, version, body)
        return try await self.answer(api, version, correlation)
    }

    /// The next answer, which must be the one to this request.
    func answer(_ api: APIKey, _ version: Int16, _ correlation: Int32) async throws -> Decoding {
        var answer = Decoding(
            try await self.nextFrame(),
            isFlexible: api.isFlexible(version) && api != .apiVersions
        )
        let number = try answer.int32()
        guard number == correlation else { throw UnexpectedAnswer(expected: correlation, number: number) }
        try answer.tags()
        return answer
    }

    struct UnexpectedAnswer: Error {
        let expected: Int32
        let number: Int32
    }

    // MARK: Bytes

    func send(_ bytes: [UInt8]) async throws {
        try await self.channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
    }

    /// Hands bytes over for sending, however long the other side takes to accept them.
    func post(_ bytes: [UInt8]) -> EventLoopFuture<Void> {
        self.channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    /// The next frame that comes, without its length.
    func nextFrame() async throws -> [UInt8] {
        try await self.channel.eventLoop.flatSubmit { [inbox] in inbox.value.next() }.get()
    }

    /// How many frames are there that nobody has taken.
    var pendingFrames: Int {
        get async throws {
            // Twice: once around the loop reads what is in the socket.
            try await self.channel.eventLoop.submit {}.get()
            return try await self.channel.eventLoop.submit { [inbox] in inbox.value.frames.count }.get()
        }
    }

    /// Returns when the other side has closed the connection.
    func waitForClose() async throws {
        try await self.channel.eventLoop.flatSubmit { [inbox] in inbox.value.whenClosed() }.get()
    }

    var isOpen: Bool { self.channel.isActive }

    func setReads(_ reads: Bool) async throws {
        try await self.channel.setOption(.autoRead, value: reads).get()
    }

    func close() async throws {
        try? await self.channel.close()
    }
}

/// Parts what comes into frames.
private final class Inbox: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private(set) var frames: [[UInt8]] = []
    private let eventLoop: any EventLoop
    private var bytes = ByteBuffer()
    private var waiters: [(id: Int, promise: EventLoopPromise<[UInt8]>)] = []
    private var closeWaiters: [EventLoopPromise<Void>] = []
    private var lastID = 0
    private var isClosed = false

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var new = self.unwrapInboundIn(data)
        self.bytes.writeBuffer(&new)
        while let size = self.bytes.getInteger(at: self.bytes.readerIndex, as: Int32.self),
            self.bytes.readableBytes >= 4 + Int(size)
        {
            self.bytes.moveReaderIndex(forwardBy: 4)
            self.frames.append(self.bytes.readBytes(length: Int(size)) ?? [])
        }
        self.deliver()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.isClosed = true
        self.deliver()
        for waiter in self.waiters { waiter.promise.fail(TestClient.Failure.closed) }
        for waiter in self.closeWaiters { waiter.succeed() }
        self.waiters = []
        self.closeWaiters = []
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func deliver() {
        while !self.frames.isEmpty, !self.waiters.isEmpty {
            self.waiters.removeFirst().promise.succeed(self.frames.removeFirst())
        }
    }

    func next() -> EventLoopFuture<[UInt8]> {
        if !self.frames.isEmpty { return self.eventLoop.makeSucceededFuture(self.frames.removeFirst()) }
        guard !self.isClosed else { return self.eventLoop.makeFailedFuture(TestClient.Failure.closed) }
        self.lastID += 1
        let id = self.lastID
        let promise = self.eventLoop.makePromise(of: [UInt8].self)
        self.waiters.append((id, promise))
        let timer = self.eventLoop.assumeIsolated().scheduleTask(in: TestClient.patience) {
            guard let index = self.waiters.firstIndex(where: { $0.id == id }) else { return }
            self.waiters.remove(at: index).promise.fail(TestClient.Failure.timedOut)
        }
        promise.futureResult.whenComplete { _ in timer.cancel() }
        return promise.futureResult
    }

    func whenClosed() -> EventLoopFuture<Void> {
        guard !self.isClosed else { return self.eventLoop.makeSucceededVoidFuture() }
        let promise = self.eventLoop.makePromise(of: Void.self)
        self.closeWaiters.append(promise)
        let timer = self.eventLoop.scheduleTask(in: TestClient.patience) {
            promise.fail(TestClient.Failure.timedOut)
        }
        promise.futureResult.whenComplete { _ in timer.cancel() }
        return promise.futureResult
    }
}
