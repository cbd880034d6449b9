import NIOCore

@testable import EmbeddedKafka

extension TestClient {
    struct Joined: Equatable {
        var error: Int16
        var generation: Int32
        var leader: String
        var member: String
        var members: [String]
    }

    struct Committed: Equatable {
        var offset: Int64
        var metadata: String
        var error: Int16
    }

    /// Which node coordinates a group (type 0) or a transaction (type 1).
    func coordinator(of key: String, type: Int8 = 0) async throws -> (error: Int16, node: Int32, port: Int32) {
        var answer = try await self.call(.findCoordinator, 2) {
            $0.string(key)
            $0.int8(type)
        }
        _ = try answer.int32()
        let error = try answer.int16()
        _ = try answer.string()
        let node = try answer.int32()
        _ = try answer.string()
        return (error, node, try answer.int32())
    }

    func join(
        _ group: String,
        member: String = "",
        session: Int32 = 10_000,
        rebalance: Int32 = 60_000
    ) async throws -> Joined {
        let number = try await self.sendJoin(group, member: member, session: session, rebalance: rebalance)
        return try Self.joined(try await self.answer(.joinGroup, 5, number))
    }

    @discardableResult
    func sendJoin(
        _ group: String,
        member: String,
        session: Int32 = 10_000,
        rebalance: Int32 = 60_000
    ) async throws -> Int32 {
        try await self.send(.joinGroup, 5) {
            $0.string(group)
            $0.int32(session)
            $0.int32(rebalance)
            $0.string(member)
            $0.string(nil)
            $0.string("consumer")
            $0.one {
                $0.string("range")
                $0.blob([0, 1, 0, 0, 0, 0, 0, 0, 0, 0])
            }
        }
    }

    static func joined(_ answer: Decoding) throws -> Joined {
        var answer = answer
        _ = try answer.int32()
        let error = try answer.int16()
        let generation = try answer.int32()
        _ = try answer.string()
        let leader = try answer.string() ?? ""
        let member = try answer.string() ?? ""
        let members = try answer.array { each in
            let id = try each.string() ?? ""
            _ = (try each.string(), try each.blob())
            return id
        }
        guard answer.remaining == 0 else { throw Decoding.EndsEarly() }
        return Joined(error: error, generation: generation, leader: leader, member: member, members: members)
    }

    /// Joins for the first time: gets an id, then the generation.
    func joinAsNew(_ group: String, session: Int32 = 10_000, rebalance: Int32 = 60_000) async throws -> Joined {
        let first = try await self.join(group, session: session, rebalance: rebalance)
        return try await self.join(group, member: first.member, session: session, rebalance: rebalance)
    }

    func sync(_ group: String, _ joined: Joined) async throws -> (error: Int16, assignment: [UInt8]) {
        var answer = try await self.call(.syncGroup, 3) {
            $0.string(group)
            $0.int32(joined.generation)
            $0.string(joined.member)
            $0.string(nil)
            $0.array(joined.members) {
                $0.string($1)
                $0.blob(Array("for \($1)".utf8))
            }
        }
        _ = try answer.int32()
        return (try answer.int16(), try answer.blob() ?? [])
    }

    func heartbeat(_ group: String, _ joined: Joined) async throws -> Int16 {
        var answer = try await self.call(.heartbeat, 3) {
            $0.string(group)
            $0.int32(joined.generation)
            $0.string(joined.member)
            $0.string(nil)
        }
        _ = try answer.int32()
        return try answer.int16()
    }

    func commit(
        _ group: String,
        _ topic: String,
        _ partition: Int32 = 0,
        offset: Int64,
        metadata: String = "",
        generation: Int32 = -1,
        member: String = ""
    ) async throws -> Int16 {
        var answer = try await self.call(.offsetCommit, 7) {
            $0.string(group)
            $0.int32(generation)
            $0.string(member)
            $0.string(nil)
            $0.one {
                $0.string(topic)
                $0.one {
                    $0.int32(partition)
                    $0.int64(offset)
                    $0.int32(-1)
                    $0.string(metadata)
                }
            }
        }
        _ = try answer.int32()
        let errors = try answer.array { topic in
            _ = try topic.string()
            return try topic.array { partition in
                _ = try partition.int32()
                return try partition.int16()
            }
        }
        guard let error = errors.first?.first else { throw Decoding.EndsEarly() }
        return error
    }

    func committed(
        _ group: String,
        _ topic: String,
        _ partition: Int32 = 0,
        stable: Bool = false
    ) async throws -> Committed {
        var answer = try await self.call(.offsetFetch, 7) {
            $0.string(group)
            $0.one {
                $0.string(topic)
                $0.int32s([partition])
            }
            $0.bool(stable)
        }
        _ = try answer.int32()
        let topics = try answer.array { topic in
            _ = try topic.string()
            return try topic.array { partition in
                _ = try partition.int32()
                let offset = try partition.int64()
                _ = try partition.int32()
                return Committed(offset: offset, metadata: try partition.string() ?? "", error: try partition.int16())
            }
        }
        let error = try answer.int16()
        guard let found = topics.first?.first else { return Committed(offset: -1, metadata: "", error: error) }
        return found
    }
}
