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
        case RD_KAFKA_EVENT_ERROR:
            let (response, text) = events.error(event)
            if response == RD_KAFKA_RESP_ERR__FATAL, let error = client.fatalError(operation: "read") {
                self.fail(error)
            } else if response != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, response != RD_KAFKA_RESP_ERR__TRANSPORT,
                response != RD_KAFKA_RESP_ERR__RESOLVE
            {
                self.report(response, text: text, partition: nil)
            }
        default:
            break
        }
    }

    private func rebalance(_ event: OpaquePointer, client: ClientHandle) {
        let partitions =
            rd_kafka_event_topic_partition_list(event).map { PartitionList(borrowing: $0).partitions } ?? []
        switch rd_kafka_event_error(event) {
        case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS:
            self.wasAssigned = true
            client.setLeaked(false)
            self.state.withLock { $0.assigned(partitions) }
            self.forward(partitions, client: client)
            self.logger.info("assigned \(partitions.count) partitions", metadata: ["partitions": "\(partitions)"])
            self.change(partitions, client: client, isAssignment: true)
        case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS:
            let isLost = rd_kafka_assignment_lost(client.pointer) == 1
            self.logger.info(
                "\(isLost ? "lost" : "giving up") \(partitions.count) partitions",
                metadata: ["partitions": "\(partitions)"]
            )
            switch self.state.withLock({ $0.revoke(partitions, isLost: isLost) }) {
            case .answer(let revocation, let positions):
                self.store(positions)
                self.answer(revocation, client: client)
            case .wait(let revocation):
                self.signal.signal()
                let deadline = DispatchTime.now() + .milliseconds(self.configuration.revocationTimeout.milliseconds)
                client.pump.dispatchQueue.asyncAfter(deadline: deadline) { [weak self, weak client] in
                    guard let self, let client else { return }
                    self.revocationExpired(revocation.id, client: client)
                }
            }
        case let response:
            self.logger.error("rebalance failed", metadata: ["error": "\(String(cString: rd_kafka_err2str(response)))"])
            rd_kafka_assign(client.pointer, nil)
        }
    }

    private func revocationExpired(_ id: Int, client: ClientHandle) {
        guard let (revocation, positions) = self.state.withLock({ $0.revocationExpired(id: id) }) else { return }
        self.store(positions)
        self.logger.warning(
            "processing took longer than revocationTimeout: what is in hand of these partitions is not committed",
            metadata: ["partitions": "\(revocation.partitions)"]
        )
        self.answer(revocation, client: client)
    }

    /// Tells librdkafka that partitions are given up; it commits what was stored of them.
    func answer(_ revocation: State.Revocation, client: ClientHandle) {
        self.change(revocation.partitions, client: client, isAssignment: false)
        for partition in revocation.partitions {
            if let queue = self.partitionQueues.removeValue(forKey: partition) {
                rd_kafka_queue_destroy(queue)
            }
        }
    }

    private func change(_ partitions: [KafkaTopicPartition], client: ClientHandle, isAssignment: Bool) {
        let isCooperative = rd_kafka_rebalance_protocol(client.pointer).map { String(cString: $0) } == "COOPERATIVE"
        let list = PartitionList(partitions)
        let response: ResponseCode
        if isCooperative {
            let error =
                isAssignment
                ? rd_kafka_incremental_assign(client.pointer, list.pointer)
                : rd_kafka_incremental_unassign(client.pointer, list.pointer)
            response = rd_kafka_error_code(error)
            rd_kafka_error_destroy(error)
        } else {
            response = rd_kafka_assign(client.pointer, isAssignment ? list.pointer : nil)
        }
        if response != RD_KAFKA_RESP_ERR_NO_ERROR {
            self.report(response, text: nil, partition: partitions.first)
        }
    }

    /// Sends the records of partitions to the data queue, before they are assigned.
    func forward(_ partitions: [KafkaTopicPartition], client: ClientHandle) {
        for partition in partitions {
            guard let queue = rd_kafka_queue_get_partition(client.pointer, partition.topic, partition.partition) else {
                continue
            }
            rd_kafka_queue_forward(queue, self.dataQueue.value)
            if let old = self.partitionQueues.updateValue(queue, forKey: partition) {
                rd_kafka_queue_destroy(old)
            }
        }
    }
}
