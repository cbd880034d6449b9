/// What one report says: librdkafka's statistics, and what the client knows better.
struct MetricsReport {
    private typealias Label = MetricRegistry.Label

    let statistics: StatisticsSnapshot
    let counts: ClientMetrics.Counts
    /// The offset of the first record that is not processed yet, of partitions where that is known.
    let positions: [KafkaTopicPartition: Int64]
    let consumer: ClientMetrics.ConsumerView?

    /// Sets the metrics of a client.
    func write(to registry: inout MetricRegistry, as role: ClientMetrics.Role) {
        registry.begin()
        switch role {
        case .producer:
            self.writeProducer(to: &registry)
        case .consumer(let group, let isolation):
            if group != nil {
                self.writeMembership(to: &registry)
            }
            self.writeConsumer(to: &registry, isolation: isolation)
        }
        for broker in self.statistics.brokers {
            self.write(broker, to: &registry)
        }
        registry.end()
    }

    private func writeProducer(to registry: inout MetricRegistry) {
        let statistics = self.statistics
        registry.gauge("producer_queue_records", to: statistics.queuedRecords)
        registry.gauge("producer_queue_records_limit", to: statistics.maxQueuedRecords)
        registry.gauge("producer_queue_bytes", to: statistics.queuedBytes)
        registry.gauge("producer_queue_bytes_limit", to: statistics.maxQueuedBytes)
        registry.count("producer_failed_records_total", total: self.counts.failedRecords)
        for topic in statistics.topics {
            let labels = [Label("topic", topic.name)]
            for partition in topic.partitions {
                let part = partition.number
                registry.count("producer_sent_records_total", labels, part: part, total: partition.sentRecords)
                registry.count("producer_sent_bytes_total", labels, part: part, total: partition.sentBytes)
            }
            registry.gauge("producer_batch_records", labels, to: topic.batchRecords.mean)
            registry.gauge("producer_batch_bytes", labels, to: topic.batchBytes.mean)
        }
    }

    private func writeMembership(to registry: inout MetricRegistry) {
        if let group = self.statistics.group {
            registry.count("consumer_rebalances_total", total: group.rebalances)
            registry.gauge("consumer_rebalance_age_seconds", to: Double(group.rebalanceAge) / 1_000)
        }
        registry.count("consumer_lost_partitions_total", total: self.counts.lostPartitions)
        registry.count("consumer_commits_total", [Label("outcome", "success")], total: self.counts.commits)
        registry.count("consumer_commits_total", [Label("outcome", "failure")], total: self.counts.failedCommits)
    }

    private func writeConsumer(to registry: inout MetricRegistry, isolation: KafkaConsumer.IsolationLevel) {
        registry.gauge("consumer_assigned_partitions", to: Int64(self.consumer?.assignment.count ?? 0))
        registry.gauge("consumer_queue_records", to: Int64(self.consumer?.queuedRecords ?? 0))
        registry.gauge("consumer_queue_bytes", to: self.queuedBytes)
        for topic in self.statistics.topics {
            let labels = [Label("topic", topic.name)]
            for partition in topic.partitions {
                let part = partition.number
                registry.count("consumer_received_records_total", labels, part: part, total: partition.receivedRecords)
                registry.count("consumer_received_bytes_total", labels, part: part, total: partition.receivedBytes)
                if let lag = self.lag(of: partition, topic: topic.name, isolation: isolation) {
                    registry.gauge("consumer_lag_records", labels + [Label("partition", "\(part)")], to: lag)
                }
            }
        }
    }

    /// Fetched bytes that wait: all partitions of a consumer have one queue, which librdkafka reports for each of them.
    private var queuedBytes: Int64 {
        self.statistics.topics.lazy.flatMap(\.partitions).map(\.fetchedBytes).max() ?? 0
    }

    /// The lag of a partition that the consumer reads.
    ///
    /// librdkafka's own figures are those of what was committed, and of what was stored for a commit; neither exists before
    /// the first one, or without a group.
    func lag(
        of partition: StatisticsSnapshot.Partition,
        topic: String,
        isolation: KafkaConsumer.IsolationLevel
    ) -> Int64? {
        guard let number = Int32(exactly: partition.number) else { return nil }
        let topicPartition = KafkaTopicPartition(topic: topic, partition: number)
        // Very old brokers tell no last stable offset.
        let isBounded = isolation == .readCommitted && partition.lastStableOffset >= 0
        let end = isBounded ? partition.lastStableOffset : partition.highWatermark
        guard end >= 0, let consumer, consumer.assignment.contains(topicPartition) else { return nil }
        guard let position = self.positions[topicPartition] ?? partition.committed else { return nil }
        return max(0, end - position)
    }

    private func write(_ broker: StatisticsSnapshot.Broker, to registry: inout MetricRegistry) {
        // Addresses of bootstrap servers become brokers when one has answered.
        guard broker.isLogical || broker.id >= 0 else { return }
        let labels = [Label("broker", broker.isLogical ? broker.name : "\(broker.id)")]
        registry.gauge("broker_up", labels, to: broker.isUp ? 1 : 0)
        registry.count("broker_connects_total", labels, total: broker.connects)
        registry.count("broker_disconnects_total", labels, total: broker.disconnects)
        registry.count("broker_requests_total", labels, total: broker.requests)
        registry.count("broker_request_errors_total", labels, total: broker.errors)
        registry.count("broker_request_retries_total", labels, total: broker.retries)
        registry.count("broker_request_timeouts_total", labels, total: broker.timeouts)
        registry.gauge("broker_requests_waiting", labels, to: broker.requestsWaiting)
        registry.gauge("broker_requests_in_flight", labels, to: broker.requestsInFlight)
        registry.count("broker_sent_bytes_total", labels, total: broker.sentBytes)
        registry.count("broker_received_bytes_total", labels, total: broker.receivedBytes)
        let (median, percentile99) = (Label("quantile", "0.5"), Label("quantile", "0.99"))
        let answers = broker.roundTrip.count > 0 ? broker.roundTrip : nil
        registry.gauge("broker_round_trip_seconds", labels + [median], to: answers.map { Double($0.median) / 1e6 })
        registry.gauge(
            "broker_round_trip_seconds",
            labels + [percentile99],
            to: answers.map { Double($0.percentile99) / 1e6 }
        )
        registry.gauge("broker_throttle_seconds", labels + [median], to: Double(broker.throttle.median) / 1e3)
        registry.gauge(
            "broker_throttle_seconds",
            labels + [percentile99],
            to: Double(broker.throttle.percentile99) / 1e3
        )
    }
}

extension StatisticsSnapshot.Window {
    /// The mean, if there was anything.
    fileprivate var mean: Double? { self.count > 0 ? Double(self.average) : nil }
}

extension StatisticsSnapshot.Partition {
    /// What the group has committed, if anything.
    fileprivate var committed: Int64? { self.committedOffset >= 0 ? self.committedOffset : nil }
}
