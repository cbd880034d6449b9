internal import NIOCore

/// A piece of a coordinator's state that has changed, for the journal: the latest value of a key is the state.
struct StateChange: Hashable, Sendable {
    var key: ByteBuffer
    /// Nil when the piece is gone.
    var value: ByteBuffer?
}

/// What a key of the journal is about. All coordinators may share one journal.
enum StateKind: Int8 {
    case committedOffset = 1
    case pendingOffset = 2
    case transaction = 3
    case producerIDs = 4
}

/// How keys and values are laid out: a version byte, in keys the kind, and then fields like the protocol's.
enum StateCoding {
    static let version: Int8 = 1

    static func key(_ kind: StateKind, _ fields: (inout WireWriter) -> Void) -> ByteBuffer {
        self.value { writer in
            writer.int8(kind.rawValue)
            fields(&writer)
        }
    }

    static func value(_ fields: (inout WireWriter) -> Void) -> ByteBuffer {
        var writer = WireWriter(isFlexible: false)
        writer.int8(self.version)
        fields(&writer)
        return writer.buffer
    }

    /// A reader behind the version byte.
    static func reader(_ bytes: ByteBuffer) throws(WireError) -> WireReader {
        var reader = WireReader(bytes, isFlexible: false)
        let version = try reader.int8()
        guard version == self.version else { throw WireError("state of version \(version), which isn't known") }
        return reader
    }

    /// What a key is about, from a reader behind its version byte.
    static func kind(_ reader: inout WireReader) throws(WireError) -> StateKind {
        let raw = try reader.int8()
        guard let kind = StateKind(rawValue: raw) else { throw WireError("state of kind \(raw), which isn't known") }
        return kind
    }
}

extension WireReader {
    mutating func topicPartition() throws(WireError) -> TopicPartition {
        TopicPartition(try self.string(), try self.int32())
    }
}

extension WireWriter {
    mutating func topicPartition(_ partition: TopicPartition) {
        self.string(partition.topic)
        self.int32(partition.partition)
    }
}
