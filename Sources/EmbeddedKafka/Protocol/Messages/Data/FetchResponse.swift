internal import NIOCore

/// The record batches that a ``FetchRequest`` asked for.
struct FetchResponse {
    struct Topic {
        var topic: String
        var partitions: [Partition]
    }

    struct Partition {
        var partitionIndex: Int32
        var errorCode = ErrorCode.none
        var highWatermark: Int64 = -1
        var lastStableOffset: Int64 = -1
        var logStartOffset: Int64 = -1
        /// `nil` for who reads uncommitted.
        var abortedTransactions: [AbortedTransaction]?
        /// Which replica to read from instead (KIP-392); -1: stay.
        var preferredReadReplica: Int32 = -1
        /// Whole batches. None is empty, not `nil`, which some clients can't read.
        var records: BufferPieces? = BufferPieces()
    }

    struct AbortedTransaction: Equatable {
        var producerID: Int64
        var firstOffset: Int64
    }

    var errorCode = ErrorCode.none
    /// The fetch session (KIP-227); 0: none.
    var sessionID: Int32 = 0
    var responses: [Topic] = []
}

extension FetchResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttleTime()
        if version >= 7 {
            writer.error(self.errorCode)
            writer.int32(self.sessionID)
        }
        writer.elements(self.responses, version: version)
        writer.tags()
    }

}

extension FetchResponse.Topic: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.string(self.topic)
        writer.elements(self.partitions, version: version)
        writer.tags()
    }
}

extension FetchResponse.Partition: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.int32(self.partitionIndex)
        writer.error(self.errorCode)
        writer.int64(self.highWatermark)
        writer.int64(self.lastStableOffset)
        if version >= 5 { writer.int64(self.logStartOffset) }
        writer.elements(self.abortedTransactions, version: version)
        if version >= 11 { writer.int32(self.preferredReadReplica) }
        writer.pieces(self.records)
        writer.tags()
    }
}

extension FetchResponse.AbortedTransaction: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.int64(self.producerID)
        writer.int64(self.firstOffset)
        writer.tags()
    }
}
