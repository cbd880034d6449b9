internal import CLibrdkafka

/// Hands single records to librdkafka, which copies them.
enum RecordEncoding {
    /// Produces one record. `NO_ERROR` means that librdkafka will report on `opaque`.
    ///
    /// - Throws: `invalidRecord` for what librdkafka would misunderstand.
    static func produce(
        _ record: KafkaProducerRecord,
        client: OpaquePointer,
        topic: OpaquePointer,
        opaque: UnsafeMutableRawPointer?,
        operation: String
    ) throws(KafkaError) -> ResponseCode {
        let partition = try self.partition(of: record, operation: operation)
        guard !record.headers.isEmpty || record.timestamp != nil else {
            return withBytes(record.key) { key in
                withBytes(record.value) { value in
                    kstream_produce(
                        topic,
                        partition,
                        key.baseAddress,
                        key.count,
                        value.baseAddress,
                        value.count,
                        opaque
                    )
                }
            }
        }
        let timestamp = try self.timestamp(of: record, operation: operation)
        let headers = self.makeHeaders(record.headers)
        let response = withBytes(record.key) { key in
            withBytes(record.value) { value in
                kstream_produce_with_headers(
                    client,
                    topic,
                    partition,
                    key.baseAddress,
                    key.count,
                    value.baseAddress,
                    value.count,
                    timestamp,
                    headers,
                    opaque
                )
            }
        }
        if response != RD_KAFKA_RESP_ERR_NO_ERROR, let headers {
            rd_kafka_headers_destroy(headers)
        }
        return response
    }

    /// librdkafka's number of the partition, -1 for "the partitioner chooses".
    static func partition(of record: KafkaProducerRecord, operation: String) throws(KafkaError) -> Int32 {
        guard let partition = record.partition else { return -1 }
        guard partition >= 0 else {
            throw KafkaError(
                .invalidRecord,
                operation: operation,
                topic: record.topic,
                message: "partition \(partition) is negative: leave it nil to let the partitioner choose"
            )
        }
        return partition
    }

    private static func timestamp(of record: KafkaProducerRecord, operation: String) throws(KafkaError) -> Int64 {
        guard let timestamp = record.timestamp else { return 0 }
        guard timestamp.millisecondsSince1970 > 0 else {
            throw KafkaError(
                .invalidRecord,
                operation: operation,
                topic: record.topic,
                partition: record.partition,
                message: "timestamp \(timestamp.millisecondsSince1970) can't be sent: it must be above 0"
            )
        }
        return timestamp.millisecondsSince1970
    }

    private static func makeHeaders(_ headers: [KafkaHeader]) -> OpaquePointer? {
        guard !headers.isEmpty, let list = rd_kafka_headers_new(headers.count) else { return nil }
        for header in headers {
            var key = header.key
            key.withUTF8 { key in
                self.withBytes(header.value) { value in
                    // The key's length is given, so it need not end in NUL; a null pointer is the null value.
                    key.withMemoryRebound(to: CChar.self) { key in
                        _ = rd_kafka_header_add(
                            list,
                            key.baseAddress,
                            key.count,
                            value.baseAddress,
                            value.count
                        )
                    }
                }
            }
        }
        return list
    }

    /// The bytes of an optional array: a null pointer for `nil`, another one for an empty array.
    static func withBytes<R>(_ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        guard let bytes else { return body(UnsafeRawBufferPointer(start: nil, count: 0)) }
        return bytes.withUnsafeBytes { buffer in
            guard !buffer.isEmpty else {
                var nothing: UInt8 = 0
                return withUnsafeBytes(of: &nothing) { body(UnsafeRawBufferPointer(start: $0.baseAddress, count: 0)) }
            }
            return body(buffer)
        }
    }
}
