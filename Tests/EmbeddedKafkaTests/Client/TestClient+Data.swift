import NIOCore

@testable import EmbeddedKafka

extension TestClient {
    struct Produced: Equatable {
        var error: Int16
        var baseOffset: Int64
    }

    struct Fetched {
        var error: Int16
        var highWatermark: Int64
        var lastStableOffset: Int64
        var startOffset: Int64
        var aborted: [(producer: Int64, first: Int64)]
        var records: [UInt8]

        var batches: [Batch] { Batch.all(in: ByteBuffer(bytes: self.records)) }
        var values: [String] {
            self.batches.filter { !$0.header.isControl }.flatMap { $0.records.map { $0.value ?? "nil" } }
        }
    }

    struct Found: Equatable {
        var error: Int16
        var timestamp: Int64
        var offset: Int64
    }

    struct TopicInfo {
        var error: Int16
        var name: String
        var partitions: [PartitionInfo]
    }

    struct PartitionInfo {
        var error: Int16
        var leader: Int32
        var epoch: Int32
        var replicas: [Int32]
        var inSync: [Int32]
    }

    struct ClusterInfo {
        var nodes: [(id: Int32, port: Int32)]
        var clusterID: String
        var controller: Int32
        var topics: [TopicInfo]
    }

    // MARK: Produce

    @discardableResult
    func produce(
        _ records: ByteBuffer,
        to topic: String,
        _ partition: Int32 = 0,
        transactionalID: String? = nil,
        acks: Int16 = -1
    ) async throws -> Produced {
        let number = try await self.sendProduce(
            records,
            to: topic,
            partition,
            transactionalID: transactionalID,
            acks: acks
        )
        return try Self.produced(try await self.answer(.produce, 8, number))
    }

    @discardableResult
    func sendProduce(
        _ records: ByteBuffer,
        to topic: String,
        _ partition: Int32 = 0,
        transactionalID: String? = nil,
        acks: Int16 = -1
    ) async throws -> Int32 {
        try await self.send(.produce, 8) {
            $0.string(transactionalID)
            $0.int16(acks)
            $0.int32(1000)
            $0.one {
                $0.string(topic)
                $0.one {
                    $0.int32(partition)
                    $0.blob(Array(records.readableBytesView))
                }
            }
        }
    }

    static func produced(_ answer: Decoding) throws -> Produced {
        var answer = answer
        let topics = try answer.array { topic in
            _ = try topic.string()
            return try topic.array { partition in
                _ = try partition.int32()
                let result = Produced(error: try partition.int16(), baseOffset: try partition.int64())
                _ = (try partition.int64(), try partition.int64())
                _ = try partition.array { _ = (try $0.int32(), try $0.string()) }
                _ = try partition.string()
                return result
            }
        }
        _ = try answer.int32()
        guard answer.remaining == 0, let result = topics.first?.first else { throw Decoding.EndsEarly() }
        return result
    }

    // MARK: Fetch

    /// What a fetch asks for.
    struct Fetch {
        var topic: String
        var partitions: [Int32] = [0]
        var offset: Int64 = 0
        var wait: Int32 = 0
        var minBytes: Int32 = 1
        var maxBytes: Int32 = 1 << 24
        var partitionMaxBytes: Int32 = 1 << 20
        var committed = false
        var epoch: Int32 = -1
        var session: Int32 = 0
        var sessionEpoch: Int32 = -1
    }

    func fetch(_ topic: String, from offset: Int64 = 0, committed: Bool = false) async throws -> Fetched {
        let (_, _, partitions) = try await self.fetch(Fetch(topic: topic, offset: offset, committed: committed))
        guard let first = partitions.first else { throw Decoding.EndsEarly() }
        return first
    }

    func fetch(_ request: Fetch) async throws -> (error: Int16, session: Int32, partitions: [Fetched]) {
        try Self.fetched(try await self.answer(.fetch, 11, try await self.sendFetch(request)))
    }

    @discardableResult
    func sendFetch(_ request: Fetch) async throws -> Int32 {
        try await self.send(.fetch, 11) {
            $0.int32(-1)
            $0.int32(request.wait)
            $0.int32(request.minBytes)
            $0.int32(request.maxBytes)
            $0.int8(request.committed ? 1 : 0)
            $0.int32(request.session)
            $0.int32(request.sessionEpoch)
            $0.one {
                $0.string(request.topic)
                $0.array(request.partitions) {
                    $0.int32($1)
                    $0.int32(request.epoch)
                    $0.int64(request.offset)
                    $0.int64(-1)
                    $0.int32(request.partitionMaxBytes)
                }
            }
            $0.int32(0)
            $0.string("")
        }
    }

    static func fetched(_ answer: Decoding) throws -> (error: Int16, session: Int32, partitions: [Fetched]) {
        var answer = answer
        _ = try answer.int32()
        let error = try answer.int16()
        let session = try answer.int32()
        let topics = try answer.array { topic in
            _ = try topic.string()
            return try topic.array { partition in
                _ = try partition.int32()
                var fetched = Fetched(
                    error: try partition.int16(),
                    highWatermark: try partition.int64(),
                    lastStableOffset: try partition.int64(),
                    startOffset: try partition.int64(),
                    aborted: try partition.array { (try $0.int64(), try $0.int64()) },
                    records: []
                )
                _ = try partition.int32()
                fetched.records = try partition.blob() ?? []
                return fetched
            }
        }
        guard answer.remaining == 0 else { throw Decoding.EndsEarly() }
        return (error, session, topics.flatMap { $0 })
    }

    // MARK: Topics and offsets

    func endOffset(of topic: String, _ partition: Int32 = 0) async throws -> Int64 {
        try await self.offset(of: topic, partition, at: -1).offset
    }

    func offset(of topic: String, _ partition: Int32 = 0, at time: Int64, epoch: Int32 = -1) async throws -> Found {
        var answer = try await self.call(.listOffsets, 5) {
            $0.int32(-1)
            $0.int8(0)
            $0.one {
                $0.string(topic)
                $0.one {
                    $0.int32(partition)
                    $0.int32(epoch)
                    $0.int64(time)
                }
            }
        }
        _ = try answer.int32()
        let found = try answer.array { topic in
            _ = try topic.string()
            return try topic.array { partition in
                _ = try partition.int32()
                let found = Found(
                    error: try partition.int16(),
                    timestamp: try partition.int64(),
                    offset: try partition.int64()
                )
                _ = try partition.int32()
                return found
            }
        }
        guard answer.remaining == 0, let found = found.first?.first else { throw Decoding.EndsEarly() }
        return found
    }

    @discardableResult
    func metadata(_ topics: [String]? = nil, creates: Bool = true) async throws -> ClusterInfo {
        var answer = try await self.call(.metadata, 8) {
            $0.strings(topics)
            $0.bool(creates)
            $0.bool(false)
            $0.bool(false)
        }
        _ = try answer.int32()
        let nodes = try answer.array { node in
            let id = try node.int32()
            _ = try node.string()
            let port = try node.int32()
            _ = try node.string()
            return (id: id, port: port)
        }
        let clusterID = try answer.string() ?? ""
        let controller = try answer.int32()
        let infos = try answer.array { topic in
            let error = try topic.int16()
            let name = try topic.string() ?? ""
            _ = try topic.bool()
            let partitions = try topic.array { partition in
                let error = try partition.int16()
                _ = try partition.int32()
                let info = PartitionInfo(
                    error: error,
                    leader: try partition.int32(),
                    epoch: try partition.int32(),
                    replicas: try partition.int32s(),
                    inSync: try partition.int32s()
                )
                _ = try partition.int32s()
                return info
            }
            _ = try topic.int32()
            return TopicInfo(error: error, name: name, partitions: partitions)
        }
        _ = try answer.int32()
        guard answer.remaining == 0 else { throw Decoding.EndsEarly() }
        return ClusterInfo(nodes: nodes, clusterID: clusterID, controller: controller, topics: infos)
    }

    /// The leader of a partition.
    func leader(of topic: String, _ partition: Int = 0) async throws -> PartitionInfo {
        let info = try await self.metadata([topic])
        guard let topic = info.topics.first, topic.partitions.count > partition else { throw Decoding.EndsEarly() }
        return topic.partitions[partition]
    }
}
