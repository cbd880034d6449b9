internal import CLibrdkafka

/// Handles the events of a producer, on its pump.
struct ProducerEvents: Sendable {
    let events: ClientEvents
    let room: QueueRoom
    let context: DeliveryContext
    let maxQueuedRecords: Int
    let metrics: ClientMetrics?

    func handle(_ event: OpaquePointer) -> EventPump.Disposition {
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_DR:
            self.deliver(event)
            // Only destroying the event frees the room that its messages took.
            return .afterwards { self.wakeIfThereIsRoom() }
        case RD_KAFKA_EVENT_LOG:
            self.events.log(event)
        case RD_KAFKA_EVENT_ERROR:
            self.events.error(event)
        case RD_KAFKA_EVENT_STATS:
            self.metrics?.report(event)
        default:
            break
        }
        return .done
    }

    /// Wakes those who wait for room, if there is some.
    func wakeIfThereIsRoom() {
        guard self.room.isAwaited else { return }
        if rd_kafka_outq_len(self.events.client.value) <= self.maxQueuedRecords / 2 {
            self.room.wake()
        }
    }

    /// Gives each report to its waiter; reports of one batch that follow each other are given together.
    private func deliver(_ event: OpaquePointer) {
        var run: [(slot: UnsafeMutablePointer<BatchDelivery.Slot>, report: DeliveryReport)] = []
        run.reserveCapacity(rd_kafka_event_message_count(event))
        var runBatch: Unmanaged<BatchDelivery>?
        var didSucceed = false
        var failures: Int64 = 0
        while let message = rd_kafka_event_message_next(event) {
            guard let opaque = message.pointee._private else { continue }
            let report = DeliveryReport(message)
            if report.response == RD_KAFKA_RESP_ERR_NO_ERROR {
                didSucceed = true
            } else {
                failures += 1
                if report.wasGivenUp {
                    self.context.lookForFatalError(of: self.events.client.value)
                }
            }
            guard BatchDelivery.owns(opaque) else {
                DeliveryWaiter.take(opaque: opaque).deliver(report)
                continue
            }
            let slot = BatchDelivery.slot(opaque)
            if let current = runBatch, current.toOpaque() != slot.pointee.batch.toOpaque() {
                current.takeUnretainedValue().deliver(run)
                run.removeAll(keepingCapacity: true)
            }
            runBatch = slot.pointee.batch
            run.append((slot, report))
        }
        runBatch?.takeUnretainedValue().deliver(run)
        if failures > 0 {
            self.metrics?.count { $0.failedRecords += failures }
        }
        if didSucceed {
            self.events.connectionProblem.clear()
        }
    }
}
