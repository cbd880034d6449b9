import NIOCore

@testable import EmbeddedKafka

/// Real requests: one of each API and version as the samples have them, and sequences that build up state.
enum FuzzCorpus {
    /// A request's frame, without the length.
    struct Entry {
        let api: APIKey
        let bytes: [UInt8]
        /// Where a record batch is in it.
        var batch: Range<Int>?

        var frame: [UInt8] {
            var length = Encoding(isFlexible: false)
            length.int32(Int32(self.bytes.count))
            return length.bytes + self.bytes
        }
    }

    static let all: [Entry] = RequestSample.all.map(Self.entry(of:)) + Self.batches.flatMap(Self.produces) + Self.reads

    private static func entry(of sample: RequestSample) -> Entry {
        let frame = TestClient.frame(
            sample.api.rawValue,
            sample.version,
            isFlexible: sample.api.isFlexible(sample.version)
        ).replacingBody(with: sample)
        return Entry(api: sample.api, bytes: Array(frame.dropFirst(4)))
    }

    private static func entry(_ api: APIKey, _ version: Int16, _ body: (inout Encoding) -> Void) -> Entry {
        let frame = TestClient.frame(api.rawValue, version, isFlexible: api.isFlexible(version), body)
        return Entry(api: api, bytes: Array(frame.dropFirst(4)))
    }

    // MARK: Records

    static let topics = ["orders", "compacted", "small", "appended"]

    /// Batches of each codec, keyed, with tombstones, idempotent and transactional.
    static let batches: [[UInt8]] = {
        let time: Int64 = 1_767_225_600_000
        var all = [
            keyed([("a", "1"), ("b", nil), ("a", "2")], timestamp: time),
            keyed([(nil, "plain"), (nil, nil)], timestamp: time),
            keyed([("k", "v")], timestamp: -1),
            keyed((0..<50).map { ("k\($0 % 7)", "value \($0)") }, timestamp: time),
        ]
        for id in Int64(0)...3 {
            for sequence in Int32(0)...2 {
                all.append(keyed([("p", "\(id)")], timestamp: time, producer: (id, 0, sequence)))
                all.append(
                    keyed([("t", "\(id)")], timestamp: time, producer: (id, 0, sequence), isTransactional: true)
                )
            }
        }
        var arrays = all.map { Array($0.readableBytesView) }
        // The records of the plain ones, as each codec stores them: in one literal.
        for batch in all.prefix(4) {
            let records = Array(batch.readableBytesView.dropFirst(RecordBatchHeader.size))
            for (codec, body) in [
                (Int16(1), [0x1f, 0x8b] + records), (2, Self.snappy(records)), (3, Self.lz4(records)), (4, records),
            ] {
                var bytes = Array(batch.readableBytesView.prefix(RecordBatchHeader.size)) + body
                bytes[22] = UInt8(codec)
                arrays.append(Self.sealed(bytes))
            }
        }
        return arrays
    }()

    private static func snappy(_ bytes: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var rest = bytes.count
        while rest > 127 {
            out.append(UInt8(rest & 127) | 128)
            rest >>= 7
        }
        out.append(UInt8(rest))
        // A literal whose length, less one, is in two bytes.
        return out + [61 << 2, UInt8((bytes.count - 1) & 255), UInt8((bytes.count - 1) >> 8)] + bytes
    }

    private static func lz4(_ bytes: [UInt8]) -> [UInt8] {
        let size = UInt32(bytes.count) | 1 << 31
        let word = (0..<4).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) }
        return [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82] + word + bytes + [0, 0, 0, 0]
    }

    /// The batch with the length and the checksum that its bytes ask for.
    static func sealed(_ batch: [UInt8], keepsLength: Bool = false) -> [UInt8] {
        guard batch.count >= RecordBatchHeader.size else { return batch }
        var buffer = ByteBuffer(bytes: batch)
        if !keepsLength { buffer.setInteger(Int32(batch.count - 12), at: 8) }
        let checksum = buffer.withUnsafeReadableBytes { bytes in
            CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[21...]))
        }
        buffer.setInteger(checksum, at: 17)
        return Array(buffer.readableBytesView)
    }

    /// A Produce of a batch to each kind of topic.
    private static func produces(_ batch: [UInt8]) -> [Entry] {
        self.topics.map { self.produce(batch, to: $0, transactionalID: batch[22] & 0x10 != 0 ? "tx" : nil) }
    }

    static func produce(_ batch: [UInt8], to topic: String, transactionalID: String?) -> Entry {
        var entry = self.entry(.produce, 8) {
            $0.string(transactionalID)
            $0.int16(-1)
            $0.int32(1000)
            $0.one {
                $0.string(topic)
                $0.one {
                    $0.int32(0)
                    $0.blob(batch)
                }
            }
        }
        entry.batch = entry.bytes.count - batch.count..<entry.bytes.count
        return entry
    }

    // MARK: Reads and state

    private static let reads: [Entry] = Self.topics.flatMap(Self.requests) + Self.stateful

    /// Requests about a topic.
    private static func requests(about topic: String) -> [Entry] {
        [
            self.entry(.fetch, 4) {
                $0.int32(-1)
                $0.int32(0)
                $0.int32(1)
                $0.int32(1 << 20)
                $0.int8(1)
                $0.one {
                    $0.string(topic)
                    $0.one {
                        $0.int32(0)
                        $0.int64(0)
                        $0.int32(1 << 20)
                    }
                }
            },
            self.entry(.listOffsets, 2) {
                $0.int32(-1)
                $0.int8(1)
                $0.one {
                    $0.string(topic)
                    $0.array([Int64(-3), -2, -1, 0, 1_767_225_600_000, .max]) {
                        $0.int32(0)
                        $0.int64($1)
                    }
                }
            },
            self.entry(.deleteRecords, 0) {
                $0.one {
                    $0.string(topic)
                    $0.one {
                        $0.int32(0)
                        $0.int64(1)
                    }
                }
                $0.int32(100)
            },
            self.entry(.addPartitionsToTransaction, 0) {
                $0.string("tx")
                $0.int64(0)
                $0.int16(0)
                $0.one {
                    $0.string(topic)
                    $0.int32s([0, 1])
                }
            },
            self.entry(.incrementalAlterConfigs, 0) {
                $0.one {
                    $0.int8(2)
                    $0.string(topic)
                    $0.array([("segment.bytes", "200"), ("max.message.bytes", "1000000"), ("retention.ms", "-1")]) {
                        $0.string($1.0)
                        $0.int8(0)
                        $0.string($1.1)
                    }
                }
                $0.bool(false)
            },
        ]
    }

    /// Requests that make transactions and groups.
    private static let stateful: [Entry] = [
        Self.entry(.initProducerID, 0) {
            $0.string("tx")
            $0.int32(60_000)
        },
        Self.entry(.initProducerID, 0) {
            $0.string(nil)
            $0.int32(60_000)
        },
        Self.entry(.endTransaction, 0) {
            $0.string("tx")
            $0.int64(0)
            $0.int16(0)
            $0.bool(false)
        },
        Self.entry(.joinGroup, 0) {
            $0.string("group")
            $0.int32(10_000)
            $0.string("")
            $0.string("consumer")
            $0.one {
                $0.string("range")
                $0.blob([0, 1, 0, 0, 0, 1, 0, 6] + Array("orders".utf8) + [0, 0, 0, 0])
            }
        },
        Self.entry(.offsetCommit, 2) {
            $0.string("group")
            $0.int32(-1)
            $0.string("")
            $0.int64(-1)
            $0.one {
                $0.string("orders")
                $0.one {
                    $0.int32(0)
                    $0.int64(3)
                    $0.string("note")
                }
            }
        },
    ]
}
