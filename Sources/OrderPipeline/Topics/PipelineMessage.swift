internal import EventStreaming
internal import KafkaClient

/// The value of a record in one of the pipeline's topics.
enum PipelineMessage: Sendable, Hashable {
    case command(OrderCommand)
    case order(OrderEvent)
    case payment(PaymentEvent)
    case shipping(ShippingEvent)
    case status(OrderStatus)

    /// The topic that it belongs to.
    var topic: PipelineTopic {
        switch self {
        case .command: .commands
        case .order: .orders
        case .payment: .payments
        case .shipping: .shipping
        case .status: .status
        }
    }

    /// The order that it is about, which is the record's key.
    var orderID: String {
        switch self {
        case .command(let command): command.invoice.number
        case .order(let event): event.orderID
        case .payment(let event): event.orderID
        case .shipping(let event): event.orderID
        case .status(let status): status.orderId
        }
    }

    /// Reads the value of a record.
    ///
    /// - Throws: `SerdeError` when it is not what the topic is for.
    init(_ value: [UInt8]?, of topic: PipelineTopic) throws(SerdeError) {
        switch topic {
        case .commands: self = .command(try PipelineTopics.commands.value.decode(value))
        case .orders: self = .order(try PipelineTopics.orders.value.decode(value))
        case .payments: self = .payment(try PipelineTopics.payments.value.decode(value))
        case .shipping: self = .shipping(try PipelineTopics.shipping.value.decode(value))
        case .status: self = .status(try PipelineTopics.status.value.decode(value))
        }
    }

    /// Sends it to its topic.
    func send(to output: ProcessorOutput) throws(SerdeError) {
        let key = self.orderID
        switch self {
        case .command(let value): try output.send(Message(key: key, value: value), to: PipelineTopics.commands)
        case .order(let value): try output.send(Message(key: key, value: value), to: PipelineTopics.orders)
        case .payment(let value): try output.send(Message(key: key, value: value), to: PipelineTopics.payments)
        case .shipping(let value): try output.send(Message(key: key, value: value), to: PipelineTopics.shipping)
        case .status(let value): try output.send(Message(key: key, value: value), to: PipelineTopics.status)
        }
    }
}
