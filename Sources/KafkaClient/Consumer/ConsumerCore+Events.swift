internal import CLibrdkafka
internal import Dispatch
internal import Logging
internal import Synchronization

/// What the pump does: rebalances, commits and errors, one after the other.
extension ConsumerCore {
    func handle(_ event: OpaquePointer, client: ClientHandle) {
        let events = ClientEvents(client: client, logger: self.logger)
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_REBALANCE:
            self.rebalance(event, client: client)
        case RD_KAFKA_EVENT_LOG:
            events.log(event)
        case RD_KAFKA_EVENT_STATS:
            self.reportMetrics(event)
        case RD_KAFKA_EVENT_ERROR:
            let (response, text) = events.error(event)
            if response == RD_KAFKA_RESP_ERR__FATAL, let error = client.fatalError(operation: "read") {
                self.fail(error)
            } else if response != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, response != RD_KAFKA_RESP_ERR__TRANSPORT,
                response != RD_KAFKA_RESP_ERR__RESOLVE
            {
                self.report(response, text: text, client: client)
            }
        default:
            break
        }
    }

    /// An error of the client as a whole.
    private func report(_ response: ResponseCode, text: String, client: ClientHandle) {
        guard let diagnosis = ConnectionDiagnosis(response, text: text) else {
            return self.report(response, text: text, partition: nil)
        }
        // Before the first contact another broker may let the client in; if none does, the reader is told by `refused`. What
        // is no more than a guess goes to the log, as all errors of connections.
        guard client.connectionProblem.hasContact, diagnosis.code == .authentication else { return }
        self.report(response, text: "\(text); \(diagnosis.advice)", partition: nil)
    }

    /// Sends the records of partitions to the data queue, before they are assigned.
    func forward(_ partitions: [KafkaTopicPartition], client: ClientHandle) {
        self.metrics?.forgetPositions(of: partitions)
        let paused = self.paused
        for partition in partitions {
            guard let queue = rd_kafka_queue_get_partition(client.pointer, partition.topic, partition.partition) else {
                continue
            }
            // Also a paused one may not go where librdkafka would send it.
            rd_kafka_queue_forward(queue, paused.contains(partition) ? nil : self.dataQueue.value)
            if let old = self.partitionQueues.updateValue(queue, forKey: partition) {
                rd_kafka_queue_destroy(old)
            }
        }
    }
}
