internal import Logging
internal import NIOCore

/// One client's connection: frames in, answers out, one request at a time.
///
/// Like Apache Kafka, it takes no further request from a connection before the one in hand is answered, and reads no
/// further bytes meanwhile, nor while answers wait for the client to read them: answers keep the order of the requests, and
/// a client that sends without reading fills the socket's buffers, not our memory.
final class Connection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What a frame may hold at most, in bytes (`socket.request.max.bytes`).
    private let maxRequestBytes: Int
    /// Room that is made for an announced frame before its bytes are there, in bytes.
    private static let maxReservation = 1 << 20

    let id: UInt64
    /// The node that the client speaks to.
    let node: Int32
    /// How far the client has come with proving who it is.
    var authentication: AuthenticationState
    private let broker: Broker
    private var context: ChannelHandlerContext?
    private var inbound = ByteBuffer()
    private var exchange: Exchange?
    private var isWorking = false
    private var needsFlush = false
    /// Nothing more is taken from a client whose connection ends; with TLS that takes a while.
    private var isClosing = false

    init(id: UInt64, node: Int32, broker: Broker) {
        self.id = id
        self.node = node
        self.broker = broker
        self.maxRequestBytes = broker.options.maxRequestBytes
        self.authentication = broker.security.initialState
    }

    var isOpen: Bool { self.context != nil }

    /// The room that is made for bytes of requests, in bytes.
    var inboundCapacity: Int { self.inbound.capacity }

    /// The client's address, without the port, as groups list it.
    var clientHost: String { self.context?.remoteAddress?.ipAddress ?? "" }

    /// Ends the connection. The answers that were given go out before: who is refused is to know why.
    func close() {
        guard !self.isClosing else { return }
        self.isClosing = true
        self.flush()
        self.context?.close(promise: nil)
    }

    // MARK: Events of the channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        self.broker.opened(self)
        context.read()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        self.exchange = nil
        self.broker.closed(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = self.unwrapInboundIn(data)
        if self.inbound.readableBytes == 0 {
            self.inbound = bytes
        } else {
            self.inbound.writeBuffer(&bytes)
        }
        self.work()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.readMore()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        self.work()
        self.readMore()
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.broker.logger.debug("connection ended", metadata: ["reason": "\(error)", "node": "\(self.node)"])
        context.close(promise: nil)
    }

    // MARK: Requests and answers

    /// Whether a request may be taken: none is in hand, and the client reads the answers that it got.
    private func canTakeRequest() -> Bool {
        guard self.exchange == nil, !self.isClosing, let context = self.context else { return false }
        if !context.channel.isWritable { self.flush() }
        return context.channel.isWritable
    }

    private func readMore() {
        if !self.isWorking, self.canTakeRequest() { self.context?.read() }
    }

    private func flush() {
        guard self.needsFlush else { return }
        self.needsFlush = false
        self.context?.flush()
    }

    /// Takes the frames that are there, until one must wait for its answer, or its answers for the client.
    private func work() {
        guard !self.isWorking else { return }
        self.isWorking = true
        defer { self.isWorking = false }
        do throws(WireError) {
            while self.canTakeRequest(), let frame = try self.nextFrame() {
                let exchange = Exchange(connection: self)
                self.exchange = exchange
                try self.broker.receive(frame, exchange)
            }
        } catch {
            self.broker.logger.debug("bytes that are no request", metadata: ["reason": "\(error)"])
            self.close()
        }
        self.flush()
    }

    private func nextFrame() throws(WireError) -> ByteBuffer? {
        guard let size = self.inbound.getInteger(at: self.inbound.readerIndex, as: Int32.self) else { return nil }
        guard size >= 0, size <= self.maxRequestBytes else {
            throw WireError("a request of \(size) bytes; the limit is \(self.maxRequestBytes)")
        }
        let needed = 4 + Int(size)
        guard self.inbound.readableBytes >= needed else {
            self.inbound.discardReadBytes()
            self.inbound.reserveCapacity(min(needed, Self.maxReservation))
            return nil
        }
        self.inbound.moveReaderIndex(forwardBy: 4)
        let frame = self.inbound.readSlice(length: Int(size))
        // Memory for a large request is not kept while the connection idles.
        if self.inbound.readableBytes == 0 { self.inbound = ByteBuffer() }
        return frame
    }

    /// Sends the answer of the request in hand, which may have none, and goes on to the next.
    func finish(_ exchange: Exchange, response: BufferPieces?) {
        guard self.exchange === exchange, let context = self.context else { return }
        self.exchange = nil
        if let response {
            for piece in response.pieces { context.write(self.wrapOutboundOut(piece), promise: nil) }
            self.needsFlush = true
        }
        guard !self.isWorking else { return }
        self.work()
        self.readMore()
    }
}
