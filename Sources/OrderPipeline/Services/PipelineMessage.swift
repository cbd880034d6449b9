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
}

extension JSONCodec {
    /// The message as the value of a record.
    func encode(_ message: PipelineMessage) throws -> [UInt8] {
        switch message {
        case .command(let command): try self.encode(command)
        case .order(let event): try self.encode(event)
        case .payment(let event): try self.encode(event)
        case .shipping(let event): try self.encode(event)
        case .status(let status): try self.encode(status)
        }
    }

    /// Reads the value of a record.
    /// - Throws: ``JSONFailure`` when it is not what the topic is for.
    func decode(_ bytes: [UInt8], from topic: PipelineTopic) throws(JSONFailure) -> PipelineMessage {
        switch topic {
        case .commands: .command(try self.decode(OrderCommand.self, from: bytes))
        case .orders: .order(try self.decode(OrderEvent.self, from: bytes))
        case .payments: .payment(try self.decode(PaymentEvent.self, from: bytes))
        case .shipping: .shipping(try self.decode(ShippingEvent.self, from: bytes))
        case .status: .status(try self.decode(OrderStatus.self, from: bytes))
        }
    }
}
