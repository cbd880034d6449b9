import KafkaClient

// The code of the article "Sending records", which `ArticleTests` compares with the article. It is compiled, not run.

private func first() async throws {
    try await withKafkaProducer(.init(bootstrapServers: ["localhost:9092"])) { producer in
        let metadata = try await producer.send(.init(topic: "orders", key: "42", value: "placed"))
        print(metadata.partition, metadata.offset ?? -1)
    }
}

private func many(_ producer: KafkaProducer, _ records: [KafkaProducerRecord]) async throws {
    for result in try await producer.send(contentsOf: records) {
        _ = try result.get()
    }

    var receipts: [KafkaSendReceipt] = []
    for record in records {
        receipts.append(try await producer.enqueue(record))
    }
    for receipt in receipts {
        print(try await receipt.metadata.partition)
    }
}

private func withoutWaiting(_ producer: KafkaProducer, _ record: KafkaProducerRecord, _ dropped: inout Int) throws {
    do {
        _ = try producer.trySend(record)
    } catch {
        guard error.code == .queueFull else { throw error }
        dropped += 1
    }
}

private func shapes(_ payload: [UInt8], _ invoiceTime: KafkaTimestamp) -> [KafkaProducerRecord] {
    let source = KafkaHeader(key: "source", value: "shop")
    let placed = KafkaProducerRecord(topic: "orders", key: "42", value: payload, headers: [source])
    let gone = KafkaProducerRecord(topic: "orders", key: "42", value: nil)
    let dated = KafkaProducerRecord(topic: "orders", partition: 3, value: payload, timestamp: invoiceTime)
    return [placed, gone, dated]
}
