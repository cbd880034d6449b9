import NIOCore
import NIOEmbedded

@testable import EmbeddedKafka

/// A broker without sockets, whose requests a fuzzer sends, with state in it that valid prefixes reach.
///
/// Everything is on one embedded event loop, whose time only moves when it is told to: delayed work is under control too.
final class FuzzVictim {
    let loop = EmbeddedEventLoop()
    let clock = EmbeddedKafkaClock.Manual()
    let broker: Broker
    /// How many requests were answered, and how many connections were ended for what they sent.
    private(set) var answers = 0
    private(set) var closed = 0
    private var channel: EmbeddedChannel?

    init() throws {
        var options = EmbeddedKafkaCluster.Configuration(nodes: 3, clock: .manual(self.clock))
        options.maxRequestBytes = 4 << 20
        options.security.users = [:]
        self.broker = try Broker(options: options, security: Security(options.security), eventLoop: self.loop)
        for node in Int32(1)...3 { self.broker.nodes.set(node, host: "127.0.0.1", port: 9091 + Int(node)) }
        try self.fill()
    }

    /// Makes topics of each kind, with the names that the corpus uses. One node leads and coordinates all.
    private func fill() throws {
        let kinds: [(String, [String: String])] = [
            ("orders", [:]),
            ("compacted", ["cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0", "segment.bytes": "600"]),
            ("small", ["segment.bytes": "300", "retention.bytes": "2000"]),
            ("appended", ["message.timestamp.type": "LogAppendTime"]),
        ]
        for (name, settings) in kinds {
            let topic = try self.broker.topics.create(
                name,
                partitions: 3,
                replicationFactor: 3,
                settings: settings,
                nodes: self.broker.nodes.ids,
                now: self.clock.now
            )
            for partition in topic?.partitions ?? [] { partition.lead(by: 1) }
        }
        for key in ["group", "tx", "g", "h", "ty"] {
            self.broker.nodes.movedCoordinators[.init(isTransaction: true, id: key)] = 1
            self.broker.nodes.movedCoordinators[.init(isTransaction: false, id: key)] = 1
        }
    }

    /// Throws all state away and begins anew, so that memory stays bounded however long the run.
    func reset() throws {
        try self.drop()
        try self.broker.reset()
        try self.fill()
    }

    /// Sends bytes on the connection that there is, or on a new one.
    func send(_ bytes: [UInt8]) throws {
        let channel = try self.connect()
        do {
            try channel.writeInbound(ByteBuffer(bytes: bytes))
        } catch ChannelError.ioOnClosedChannel, ChannelError.alreadyClosed {
        }
        self.loop.run()
        // Answers come whole, in one piece or several.
        var written = ByteBuffer()
        while var piece = try channel.readOutbound(as: ByteBuffer.self) { written.writeBuffer(&piece) }
        while written.readableBytes > 0 {
            let length = written.readInteger(as: Int32.self) ?? -1
            precondition(written.readSlice(length: max(-1, Int(length))) != nil, "an answer's length is wrong")
            self.answers += 1
        }
        if !channel.isActive {
            self.closed += 1
            try self.drop()
        }
    }

    /// Leaves the connection, with whatever waits on it.
    func drop() throws {
        guard let channel = self.channel else { return }
        self.channel = nil
        _ = try? channel.finish(acceptAlreadyClosed: true)
        self.loop.run()
    }

    /// Lets time pass: for groups, transactions and logs, and for what waits in real time.
    func advance(milliseconds: Int64) async throws {
        await self.clock.advance(by: .milliseconds(milliseconds))
        self.broker.timePassed()
        self.loop.advanceTime(by: .milliseconds(milliseconds))
    }

    private func connect() throws -> EmbeddedChannel {
        if let channel, channel.isActive { return channel }
        let connection = Connection(id: self.broker.makeID(), node: 1, broker: self.broker)
        let channel = EmbeddedChannel(handler: nil, loop: self.loop)
        try channel.pipeline.syncOperations.addHandler(connection)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        self.channel = channel
        return channel
    }
}
