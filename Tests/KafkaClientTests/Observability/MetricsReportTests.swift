import MetricsTestKit
import Testing

@testable import KafkaClient

/// What a report makes of statistics: counters that only rise, gauges that go when their subject goes.
struct MetricsReportTests {
    private static let partition = KafkaTopicPartition(topic: "t", partition: 0)

    private func makeRegistry(_ metrics: TestMetrics) -> MetricRegistry {
        MetricRegistry(factory: metrics, prefix: "kafka", labels: [.init("client", "c")])
    }

    private func report(
        _ statistics: StatisticsSnapshot,
        counts: ClientMetrics.Counts = .init(),
        positions: [KafkaTopicPartition: Int64] = [:],
        assignment: Set<KafkaTopicPartition> = []
    ) -> MetricsReport {
        MetricsReport(
            statistics: statistics,
            counts: counts,
            positions: positions,
            consumer: .init(assignment: assignment, queuedRecords: 5)
        )
    }

    private func gauge(_ metrics: TestMetrics, _ name: String, _ labels: [(String, String)] = []) throws -> Double? {
        try metrics.expectMeter(name, [("client", "c")] + labels).lastValue
    }

    private func total(_ metrics: TestMetrics, _ name: String, _ labels: [(String, String)] = []) throws -> Int64 {
        try metrics.expectCounter(name, [("client", "c")] + labels).totalValue
    }

    @Test func aConsumersMetrics() throws {
        let metrics = TestMetrics()
        var registry = self.makeRegistry(metrics)
        let statistics = try StatisticsSnapshot(StatisticsDocument.bytes)
        self.report(
            statistics,
            counts: .init(failedRecords: 1, commits: 2, failedCommits: 3, lostPartitions: 4),
            assignment: [Self.partition]
        ).write(to: &registry, as: .consumer(group: "g", isolation: .readCommitted))

        #expect(try self.gauge(metrics, "kafka_consumer_lag_records", [("topic", "t"), ("partition", "0")]) == 50)
        #expect(metrics.meters(label: "kafka_consumer_lag_records").count == 1, "only of partitions that it has")
        #expect(try self.gauge(metrics, "kafka_consumer_queue_records") == 5)
        #expect(try self.gauge(metrics, "kafka_consumer_queue_bytes") == 640)
        #expect(try self.gauge(metrics, "kafka_consumer_assigned_partitions") == 1)
        #expect(try self.gauge(metrics, "kafka_consumer_rebalance_age_seconds") == 1.5)
        #expect(try self.total(metrics, "kafka_consumer_rebalances_total") == 3)
        #expect(try self.total(metrics, "kafka_consumer_lost_partitions_total") == 4)
        #expect(try self.total(metrics, "kafka_consumer_commits_total", [("outcome", "success")]) == 2)
        #expect(try self.total(metrics, "kafka_consumer_commits_total", [("outcome", "failure")]) == 3)
        #expect(try self.total(metrics, "kafka_consumer_received_records_total", [("topic", "t")]) == 60)
        #expect(try self.total(metrics, "kafka_consumer_received_bytes_total", [("topic", "t")]) == 600)
        #expect((metrics.meters.map(\.label) + metrics.counters.map(\.label)).allSatisfy { !$0.contains("producer") })
    }

    @Test func aProducersMetrics() throws {
        let metrics = TestMetrics()
        var registry = self.makeRegistry(metrics)
        let statistics = try StatisticsSnapshot(StatisticsDocument.bytes)
        self.report(statistics, counts: .init(failedRecords: 9)).write(to: &registry, as: .producer)

        #expect(try self.gauge(metrics, "kafka_producer_queue_records") == 11)
        #expect(try self.gauge(metrics, "kafka_producer_queue_records_limit") == 100_000)
        #expect(try self.gauge(metrics, "kafka_producer_queue_bytes") == 1_234)
        #expect(try self.gauge(metrics, "kafka_producer_queue_bytes_limit") == 67_108_864)
        #expect(try self.gauge(metrics, "kafka_producer_batch_records", [("topic", "t")]) == 50)
        #expect(try self.gauge(metrics, "kafka_producer_batch_bytes", [("topic", "t")]) == 578)
        #expect(try self.total(metrics, "kafka_producer_failed_records_total") == 9)
        #expect(try self.total(metrics, "kafka_producer_sent_records_total", [("topic", "t")]) == 100)
        #expect(try self.total(metrics, "kafka_producer_sent_bytes_total", [("topic", "t")]) == 300)
        #expect((metrics.meters.map(\.label) + metrics.counters.map(\.label)).allSatisfy { !$0.contains("consumer") })
    }

    @Test func brokers() throws {
        let metrics = TestMetrics()
        var registry = self.makeRegistry(metrics)
        self.report(try StatisticsSnapshot(StatisticsDocument.bytes)).write(to: &registry, as: .producer)

        let broker = [("broker", "1")]
        let gauges: [(String, Double)] = [
            ("kafka_broker_up", 1), ("kafka_broker_requests_waiting", 1), ("kafka_broker_requests_in_flight", 2),
        ]
        for (name, value) in gauges {
            #expect(try self.gauge(metrics, name, broker) == value, "\(name)")
        }
        let totals: [(String, Int64)] = [
            ("requests", 6), ("request_errors", 3), ("request_retries", 4), ("request_timeouts", 5),
            ("sent_bytes", 1_367), ("received_bytes", 563), ("connects", 7), ("disconnects", 8),
        ]
        for (name, value) in totals {
            #expect(try self.total(metrics, "kafka_broker_\(name)_total", broker) == value, "\(name)")
        }
        for (name, quantile, value) in [
            ("round_trip", "0.5", 65e-6), ("round_trip", "0.99", 74e-6), ("throttle", "0.5", 0.02),
            ("throttle", "0.99", 0.03),
        ] {
            let labels = broker + [("quantile", quantile)]
            #expect(try self.gauge(metrics, "kafka_broker_\(name)_seconds", labels) == value)
        }
        let connected = metrics.meters(label: "kafka_broker_up")
        #expect(
            Set(connected.flatMap(\.dimensions).filter { $0.0 == "broker" }.map(\.1)) == ["1", "GroupCoordinator"],
            "an address of which nobody knows the broker is left out"
        )
    }

    @Test func countersRiseByWhatIsNew() throws {
        let metrics = TestMetrics()
        var registry = self.makeRegistry(metrics)
        var statistics = StatisticsSnapshot()
        statistics.topics = [.init(name: "t", partitions: [.init(number: 0), .init(number: 1)])]
        // Of partition 0, and of 1, which goes away, comes back, and is counted from nought again.
        for (first, second, total) in [
            (10, 5, 15), (10, 5, 15), (12, 9, 21), (12, nil, 21), (13, nil, 22), (13, 2, 24), (13, 2, 24), (13, 4, 26),
        ] as [(Int64, Int64?, Int64)] {
            statistics.topics[0].partitions = [.init(number: 0, sentRecords: first)]
            if let second {
                statistics.topics[0].partitions.append(.init(number: 1, sentRecords: second))
            }
            self.report(statistics).write(to: &registry, as: .producer)
            #expect(try self.total(metrics, "kafka_producer_sent_records_total", [("topic", "t")]) == total)
        }
        let counter = try metrics.expectCounter("kafka_producer_sent_records_total", [("client", "c"), ("topic", "t")])
        #expect(counter.values.allSatisfy { $0 > 0 })
    }

    @Test func gaugesGoWithTheirSubject() throws {
        let metrics = TestMetrics()
        var registry = self.makeRegistry(metrics)
        let statistics = try StatisticsSnapshot(StatisticsDocument.bytes)
        let role = ClientMetrics.Role.consumer(group: nil, isolation: .readCommitted)
        self.report(statistics, assignment: [Self.partition]).write(to: &registry, as: role)
        #expect(metrics.meters(label: "kafka_consumer_lag_records").count == 1)

        self.report(statistics, assignment: []).write(to: &registry, as: role)
        #expect(metrics.meters(label: "kafka_consumer_lag_records").isEmpty, "the partition was given up")
        #expect(metrics.meters(label: "kafka_broker_up").count == 2)

        var fewer = statistics
        fewer.brokers.removeAll { $0.isLogical }
        self.report(fewer, assignment: [Self.partition]).write(to: &registry, as: role)
        #expect(metrics.meters(label: "kafka_broker_up").count == 1, "the broker is gone")
        #expect(metrics.meters(label: "kafka_consumer_lag_records").count == 1, "the partition came back")

        registry.destroy()
        #expect(metrics.meters.isEmpty)
        #expect(metrics.counters.isEmpty)
    }

    @Test func roundTripsKeepTheirLastValue() throws {
        let metrics = TestMetrics()
        var registry = self.makeRegistry(metrics)
        var statistics = try StatisticsSnapshot(StatisticsDocument.bytes)
        let labels = [("broker", "1"), ("quantile", "0.5")]
        self.report(statistics).write(to: &registry, as: .producer)
        statistics.brokers[1].roundTrip = .init()
        statistics.brokers[1].throttle = .init()
        self.report(statistics).write(to: &registry, as: .producer)
        #expect(try self.gauge(metrics, "kafka_broker_round_trip_seconds", labels) == 65e-6)
        #expect(try self.gauge(metrics, "kafka_broker_throttle_seconds", labels) == 0)
        #expect(
            metrics.meters(label: "kafka_broker_round_trip_seconds").count == 2,
            "none of a connection that had no answer yet"
        )
    }

    @Test func lag() throws {
        let partition = StatisticsSnapshot.Partition(
            number: 0,
            committedOffset: 40,
            highWatermark: 100,
            lastStableOffset: 90
        )
        func lag(
            _ partition: StatisticsSnapshot.Partition,
            position: Int64? = nil,
            isolation: KafkaConsumer.IsolationLevel = .readCommitted,
            assignment: Set<KafkaTopicPartition> = [Self.partition]
        ) -> Int64? {
            self.report(
                .init(),
                positions: position.map { [Self.partition: $0] } ?? [:],
                assignment: assignment
            ).lag(of: partition, topic: "t", isolation: isolation)
        }
        #expect(lag(partition) == 50, "from what is committed to the last stable offset")
        #expect(lag(partition, isolation: .readUncommitted) == 60, "to the end")
        #expect(lag(partition, position: 70) == 20, "from what is processed")
        #expect(lag(partition, position: 10) == 80, "also when it is before what is committed")
        #expect(lag(partition, position: 95) == 0, "never below 0: the end is that of the last fetch")
        #expect(lag(partition, assignment: []) == nil)
        #expect(lag(.init(number: 0, highWatermark: 100, lastStableOffset: 100)) == nil, "nobody knows where it is")
        #expect(lag(.init(number: 0, highWatermark: 100, lastStableOffset: 100), position: 0) == 100)
        #expect(lag(.init(number: 0, committedOffset: 40, highWatermark: 50)) == 10, "there is no last stable offset")
        #expect(lag(.init(number: 0, committedOffset: 40), position: 50) == nil, "nobody knows where the end is")
        #expect(lag(.init(number: .max, committedOffset: 1, lastStableOffset: 2)) == nil)
    }
}
