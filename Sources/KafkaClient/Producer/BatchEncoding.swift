internal import CLibrdkafka

/// Hands runs of records to librdkafka.
///
/// Records of one topic (and partition, where given) without headers and times go in one `rd_kafka_produce_batch`, which costs a third of single
/// calls; the others go one by one.
enum BatchEncoding {
    /// How many records go in one call of librdkafka at most.
    private static let maxRun = 1024
    /// How many bytes of keys and values are gathered for one call; larger records go by themselves.
    private static let stagingBytes = 256 * 1024

    /// The batch that records belong to, and what to tell of those that are refused.
    struct Target {
        let batch: BatchDelivery
        let client: ClientHandle
        let operation: String
        /// Makes the error of a record that librdkafka did not take.
        let refusal: (ResponseCode, KafkaProducerRecord) -> KafkaError
        /// The errors of records that can't be sent, by position in the batch.
        var errors: [Int: KafkaError] = [:]
    }

    /// Hands over records until all are, or the local queue is full.
    ///
    /// - Parameters:
    ///   - records: what is left of the batch.
    ///   - offset: the position of the first of them in the batch.
    /// - Returns: how many need no further attempt, and whether the queue is full.
    static func produce(
        _ records: ArraySlice<KafkaProducerRecord>,
        startingAt offset: Int,
        to target: inout Target
    ) -> (count: Int, isFull: Bool) {
        var staging = Staging(records: records.prefix(self.maxRun))
        var done = 0
        while done < records.count {
            let rest = records.dropFirst(done)
            let position = offset + done
            let run = self.run(at: rest)
            let handedOver: Int
            do throws(KafkaError) {
                if run > 1 {
                    handedOver = try self.produceRun(
                        rest.prefix(run),
                        startingAt: position,
                        to: &target,
                        staging: &staging
                    )
                } else {
                    handedOver = try self.produceOne(rest[rest.startIndex], at: position, to: &target)
                }
            } catch {
                target.errors[position] = error
                done += 1
                continue
            }
            done += handedOver
            if handedOver < run { return (done, true) }
        }
        return (done, false)
    }

    /// How many records from the first on fit for one call; 1 when the first goes by itself.
    private static func run(at records: ArraySlice<KafkaProducerRecord>) -> Int {
        guard let first = records.first else { return 0 }
        var bytes = 0
        var count = 0
        for record in records.prefix(self.maxRun) {
            bytes += self.size(of: record)
            guard record.headers.isEmpty, record.timestamp == nil, (record.partition ?? 0) >= 0,
                bytes <= self.stagingBytes,
                count == 0 || (record.topic == first.topic && record.partition == first.partition)
            else { break }
            count += 1
        }
        return max(1, count)
    }

    private static func size(of record: KafkaProducerRecord) -> Int {
        (record.key?.count ?? 0) + (record.value?.count ?? 0)
    }

    private static func produceOne(
        _ record: KafkaProducerRecord,
        at position: Int,
        to target: inout Target
    ) throws(KafkaError) -> Int {
        let topic = try target.client.topic(record.topic, operation: target.operation)
        target.batch.willHandOver(1)
        let response: ResponseCode
        do throws(KafkaError) {
            response = try RecordEncoding.produce(
                record,
                client: target.client.pointer,
                topic: topic,
                opaque: target.batch.opaque(at: position),
                operation: target.operation
            )
        } catch {
            target.batch.didNotTake(1)
            throw error
        }
        guard response != RD_KAFKA_RESP_ERR_NO_ERROR else { return 1 }
        target.batch.didNotTake(1)
        if response == RD_KAFKA_RESP_ERR__QUEUE_FULL { return 0 }
        throw target.refusal(response, record)
    }

    /// Produces a run; the answer is how many need no further attempt: all, or those before the queue was full.
    private static func produceRun(
        _ records: ArraySlice<KafkaProducerRecord>,
        startingAt position: Int,
        to target: inout Target,
        staging: inout Staging
    ) throws(KafkaError) -> Int {
        let first = records[records.startIndex]
        let topic = try target.client.topic(first.topic, operation: target.operation)
        staging.gather(records, startingAt: position, batch: target.batch)
        target.batch.willHandOver(records.count)
        let taken = staging.produce(to: topic, partition: first.partition ?? -1)
        guard taken < records.count else { return records.count }

        target.batch.didNotTake(records.count - taken)
        // librdkafka stops at the first record that finds the queue full; others were refused for reasons of their own.
        for (index, record) in records.enumerated() {
            let response = staging.response(at: index)
            if response == RD_KAFKA_RESP_ERR__QUEUE_FULL { return index }
            if response != RD_KAFKA_RESP_ERR_NO_ERROR {
                target.errors[position + index] = target.refusal(response, record)
            }
        }
        return records.count
    }
}

extension BatchEncoding {
    /// The messages of one call, with keys and values copied to one place: pointers into Swift arrays are valid only
    /// within a closure, and a thousand closures can't be nested.
    private struct Staging: ~Copyable {
        private let bytes: UnsafeMutableRawBufferPointer
        private let messages: UnsafeMutableBufferPointer<rd_kafka_message_t>
        private var count = 0

        /// Makes room for a run of the length of these records.
        init(records: ArraySlice<KafkaProducerRecord>) {
            // Later runs of the batch may be larger than the first ones.
            let isLast = records.count < BatchEncoding.maxRun
            let size = isLast ? records.reduce(0) { $0 + BatchEncoding.size(of: $1) } : BatchEncoding.stagingBytes
            // One more byte, so that an empty key or value at the end has an address too.
            let byteCount = min(size, BatchEncoding.stagingBytes) + 1
            self.bytes = .allocate(byteCount: byteCount, alignment: 16)
            self.messages = .allocate(capacity: records.count)
            self.messages.initialize(repeating: rd_kafka_message_t())
        }

        deinit {
            self.bytes.deallocate()
            self.messages.deallocate()
        }

        mutating func gather(
            _ records: ArraySlice<KafkaProducerRecord>,
            startingAt position: Int,
            batch: BatchDelivery
        ) {
            var used = 0
            self.count = 0
            for record in records {
                var message = rd_kafka_message_t()
                message._private = batch.opaque(at: position + self.count)
                if let key = record.key {
                    message.key = self.copy(key, at: &used)
                    message.key_len = key.count
                }
                if let value = record.value {
                    message.payload = self.copy(value, at: &used)
                    message.len = value.count
                }
                self.messages[self.count] = message
                self.count += 1
            }
        }

        private func copy(_ source: [UInt8], at used: inout Int) -> UnsafeMutableRawPointer? {
            let target = UnsafeMutableRawBufferPointer(rebasing: self.bytes[used...])
            source.withUnsafeBytes { target.copyMemory(from: $0) }
            used += source.count
            return target.baseAddress
        }

        /// The answer is how many librdkafka took.
        ///
        /// One partition for the whole call: with `RD_KAFKA_MSG_F_PARTITION`, librdkafka 2.0.2 loses count of records for
        /// partitions that do not exist.
        func produce(to topic: OpaquePointer, partition: Int32) -> Int {
            Int(
                rd_kafka_produce_batch(
                    topic,
                    partition,
                    RD_KAFKA_MSG_F_COPY,
                    self.messages.baseAddress,
                    Int32(self.count)
                )
            )
        }

        func response(at index: Int) -> ResponseCode {
            self.messages[index].err
        }
    }
}
