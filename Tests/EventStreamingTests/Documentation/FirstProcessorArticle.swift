import EventStreaming
import KafkaClient

// The code of the article "A first processor", which `ArticleTests` compares with the article. It is compiled, not run.

private struct OrderPlaced: Codable {
    var orderId: String
    var total: Int
}

private struct PaymentAuthorised: Codable {
    var orderId: String
    var amount: Int
}

private struct Shipment: Codable {}

private func first() async throws {
    let orders = Topic<String, OrderPlaced>("orders.events", key: .string, value: .json())
    let payments = Topic<String, PaymentAuthorised>("payments.events", key: .string, value: .json())
    let processor = Processor(
        ProcessorConfiguration(name: "payments", bootstrapServers: ["localhost:9092"]),
        reading: [orders]
    ) { message, output in
        let order = try message.value
        let payment = PaymentAuthorised(orderId: order.orderId, amount: order.total)
        try output.send(Message(key: order.orderId, value: payment), to: payments)
    }
    try await processor.run()
}

private func several(
    _ configuration: ProcessorConfiguration,
    _ orders: Topic<String, OrderPlaced>,
    _ shipments: Topic<String, Shipment>,
    _ authorise: @escaping @Sendable (OrderPlaced, ProcessorOutput) async throws -> Void,
    _ refund: @escaping @Sendable (Shipment, ProcessorOutput) async throws -> Void
) async throws {
    let processor = Processor(
        configuration,
        inputs: [
            ProcessorInput(orders) { message, output in
                try await authorise(try message.value, output)
            },
            ProcessorInput(shipments) { message, output in
                try await refund(try message.value, output)
            },
        ]
    )
    try await processor.run()
}

private func metadata(_ message: ReceivedMessage<String, OrderPlaced>) {
    guard let metadata = message.metadata else {
        // Somebody wrote it without; key, value and headers are there all the same.
        return
    }
    print(metadata.id, metadata.type, metadata.correlationID ?? metadata.id, metadata.causationID ?? "the beginning")
}

private func begin(
    _ configuration: KafkaProducer.Configuration,
    _ order: OrderPlaced,
    _ orders: Topic<String, OrderPlaced>
) async throws {
    try await withKafkaProducer(configuration) { producer in
        let events = EventProducer(producer, source: "/shop")
        try await events.send(Message(key: order.orderId, value: order), to: orders)
    }
}

private func probes(_ configuration: ProcessorConfiguration, _ processor: Processor) -> Bool {
    var configuration = configuration
    configuration.metrics = ProcessorMetrics()
    let isAlive = processor.status.isLive
    let isReady = processor.status.isReady
    return isAlive && isReady
}
