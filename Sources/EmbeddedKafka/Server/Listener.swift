internal import NIOCore
internal import NIOPosix

/// A node's socket.
enum Listener {
    /// Binds a node's socket. Everything it accepts lives on the broker's one event loop.
    static func bind(
        node: Int32,
        host: String,
        port: Int,
        broker: NIOLoopBound<Broker>,
        group: any EventLoopGroup
    ) -> EventLoopFuture<any Channel> {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.autoRead, value: false)
            // Requests are up to a megabyte and answers too; small reads would cost a system call for each 64 kB.
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 16_384, maximum: 1 << 20)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let broker = broker.value
                    if let handler = try broker.security.makeTLSHandler() {
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                    let connection = Connection(id: broker.makeID(), node: node, broker: broker)
                    try channel.pipeline.syncOperations.addHandler(connection)
                }
            }
            .bind(host: host, port: port)
    }
}
