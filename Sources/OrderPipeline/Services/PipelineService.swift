package import EventStreaming
package import Logging

/// The services of the pipeline: what each reads, and what it answers to each message.
///
/// They have no memory: what they must know of an order to decide, the events carry. So they go on rightly wherever, and
/// however often, they are started again.
package enum PipelineService: String, Sendable, CaseIterable {
    /// ``OrdersService``.
    case orders
    /// ``PaymentsService``.
    case payments
    /// ``ShippingService``.
    case shipping

    /// The consumer group.
    package var group: String { PipelineCluster.group(self.rawValue) }

    private var inputs: [ProcessorInput] {
        switch self {
        case .orders: OrdersService.inputs
        case .payments: PaymentsService.inputs
        case .shipping: ShippingService.inputs
        }
    }

    /// The processor that does the work of the service.
    ///
    /// - Parameters:
    ///   - cluster: where.
    ///   - guarantee: exactly once, unless repetitions are to be seen.
    ///   - instance: a name that the process has again when it is restarted.
    ///   - logger: takes what the service has to say: messages that it can't process.
    ///   - clientLogger: takes what its clients have to say.
    package func processor(
        on cluster: PipelineCluster,
        guarantee: ProcessingGuarantee = .exactlyOnce,
        instance: String? = nil,
        logger: Logger,
        clientLogger: Logger? = nil
    ) -> Processor {
        Processor(
            cluster.processor(self.group, guarantee: guarantee, instance: instance),
            inputs: self.inputs,
            logger: logger,
            clientLogger: clientLogger
        )
    }
}

extension ProcessorInput {
    /// Reads a topic with a function from its messages to the answers.
    static func pipeline<Value>(
        _ topic: Topic<String, Value>,
        _ answers: @escaping @Sendable (Value) -> [PipelineMessage]
    ) -> ProcessorInput {
        ProcessorInput(topic) { message, output in
            for answer in answers(try message.value) { try answer.send(to: output) }
        }
    }
}
