import NIOCore

@testable import EmbeddedKafka

extension TestClient {
    struct Producer: Equatable {
        var error: Int16
        var id: Int64
        var epoch: Int16
    }

    func initProducer(_ transactionalID: String?, timeout: Int32 = 60_000) async throws -> Producer {
        var answer = try await self.call(.initProducerID, 4) {
            $0.string(transactionalID)
            $0.int32(timeout)
            $0.int64(-1)
            $0.int16(-1)
        }
        _ = try answer.int32()
        return Producer(error: try answer.int16(), id: try answer.int64(), epoch: try answer.int16())
    }

    func addPartition(
        _ topic: String,
        _ partition: Int32 = 0,
        to transactionalID: String,
        _ producer: Producer
    ) async throws -> Int16 {
        var answer = try await self.call(.addPartitionsToTransaction, 2) {
            $0.string(transactionalID)
            $0.int64(producer.id)
            $0.int16(producer.epoch)
            $0.one {
                $0.string(topic)
                $0.int32s([partition])
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

    func end(_ transactionalID: String, _ producer: Producer, commit: Bool) async throws -> Int16 {
        var answer = try await self.call(.endTransaction, 2) {
            $0.string(transactionalID)
            $0.int64(producer.id)
            $0.int16(producer.epoch)
            $0.bool(commit)
        }
        _ = try answer.int32()
        return try answer.int16()
    }

    /// A batch of a producer.
    static func batch(
        _ values: String...,
        by producer: Producer,
        sequence: Int32 = 0,
        timestamp: Int64 = 1_000,
        isTransactional: Bool = true
    ) -> ByteBuffer {
        keyed(
            values.map { (nil, $0) },
            timestamp: timestamp,
            producer: (producer.id, producer.epoch, sequence),
            isTransactional: isTransactional
        )
    }

    /// Commits an offset within a transaction, with AddOffsetsToTxn before.
    func commitOffset(
        _ group: String,
        _ topic: String,
        offset: Int64,
        in transactionalID: String,
        _ producer: Producer
    ) async throws -> [Int16] {
        var added = try await self.call(.addOffsetsToTransaction, 2) {
            $0.string(transactionalID)
            $0.int64(producer.id)
            $0.int16(producer.epoch)
            $0.string(group)
        }
        _ = try added.int32()
        var answer = try await self.call(.transactionOffsetCommit, 3) {
            $0.string(transactionalID)
            $0.string(group)
            $0.int64(producer.id)
            $0.int16(producer.epoch)
            $0.int32(-1)
            $0.string("")
            $0.string(nil)
            $0.one {
                $0.string(topic)
                $0.one {
                    $0.int32(0)
                    $0.int64(offset)
                    $0.int32(-1)
                    $0.string("in a transaction")
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
        return [try added.int16()] + errors.flatMap { $0 }
    }
}
