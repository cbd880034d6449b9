public import Metrics

/// Which metrics a client reports, and how often.
///
/// The figures are librdkafka's statistics and some of the client's own. They are reported at an interval, on a thread that
/// neither sends nor reads; sending and reading cost the same with and without them.
///
/// ```swift
/// var configuration = KafkaConsumer.Configuration(bootstrapServers: ["localhost:9092"], group: "billing")
/// configuration.metrics = KafkaMetrics(interval: .seconds(10))
/// ```
///
/// ### What is reported
///
/// Names begin with ``prefix`` (`kafka`). All metrics have the label `client`, librdkafka's name of the client, such as
/// `kstream#consumer-2`, which no other client of the process has; those of a consumer in a group also have `group`.
/// A gauge is set at each report and destroyed when what it describes is gone: a partition that was given up, a broker
/// that left the cluster. A counter only rises. When the client is closed, all of its metrics are destroyed.
///
/// | producer | kind | unit | labels | |
/// |---|---|---|---|---|
/// | `kafka_producer_queue_records` | gauge | records | | in this process: waiting, or sent and not acknowledged |
/// | `kafka_producer_queue_bytes` | gauge | bytes | | the same, keys and values |
/// | `kafka_producer_queue_records_limit` | gauge | records | | ``KafkaProducer/Configuration/maxQueuedRecords`` |
/// | `kafka_producer_queue_bytes_limit` | gauge | bytes | | ``KafkaProducer/Configuration/maxQueuedBytes`` |
/// | `kafka_producer_sent_records_total` | counter | records | `topic` | sent to brokers |
/// | `kafka_producer_sent_bytes_total` | counter | bytes | `topic` | the same, keys and values |
/// | `kafka_producer_failed_records_total` | counter | records | | handed over, and not delivered |
/// | `kafka_producer_batch_records` | gauge | records | `topic` | mean of a record batch |
/// | `kafka_producer_batch_bytes` | gauge | bytes | `topic` | mean of a record batch |
///
/// | consumer | kind | unit | labels | |
/// |---|---|---|---|---|
/// | `kafka_consumer_lag_records` | gauge | records | `topic`, `partition` | from what is processed to the end |
/// | `kafka_consumer_queue_records` | gauge | records | | fetched, and not taken by the reader |
/// | `kafka_consumer_queue_bytes` | gauge | bytes | | the same |
/// | `kafka_consumer_received_records_total` | counter | records | `topic` | fetched |
/// | `kafka_consumer_received_bytes_total` | counter | bytes | `topic` | the same, keys and values |
/// | `kafka_consumer_assigned_partitions` | gauge | partitions | | |
/// | `kafka_consumer_rebalances_total` | counter | rebalances | | this and the following with a group only |
/// | `kafka_consumer_rebalance_age_seconds` | gauge | seconds | | since the last rebalance |
/// | `kafka_consumer_lost_partitions_total` | counter | partitions | | taken away without asking |
/// | `kafka_consumer_commits_total` | counter | commits | `outcome` | `success` or `failure` |
///
/// | each broker of a client | kind | unit | |
/// |---|---|---|---|
/// | `kafka_broker_up` | gauge | 0 or 1 | whether there is a connection |
/// | `kafka_broker_connects_total` | counter | | attempts |
/// | `kafka_broker_disconnects_total` | counter | | |
/// | `kafka_broker_requests_total` | counter | requests | sent |
/// | `kafka_broker_request_errors_total` | counter | requests | could not be sent |
/// | `kafka_broker_request_retries_total` | counter | requests | |
/// | `kafka_broker_request_timeouts_total` | counter | requests | not answered in time |
/// | `kafka_broker_requests_waiting` | gauge | requests | to be sent |
/// | `kafka_broker_requests_in_flight` | gauge | requests | to be answered |
/// | `kafka_broker_sent_bytes_total` | counter | bytes | |
/// | `kafka_broker_received_bytes_total` | counter | bytes | |
/// | `kafka_broker_round_trip_seconds` | gauge | seconds | `quantile` 0.5 and 0.99 of the time from request to answer |
/// | `kafka_broker_throttle_seconds` | gauge | seconds | `quantile` 0.5 and 0.99 of the pauses that quotas impose |
///
/// The label `broker` has the broker's number; `GroupCoordinator` and `TxnCoordinator` are connections of their own to
/// one of the brokers. Means and quantiles are those of the time since the last report; round trips keep their last
/// value while there are none.
///
/// The lag is the distance from what the consumer has processed, or else from what its group has committed, to the end of
/// the partition as the last fetch saw it; records of open transactions do not count with ``KafkaConsumer/IsolationLevel/readCommitted``.
/// While neither is known, it is not reported.
public struct KafkaMetrics: Sendable {
    /// The time between two reports, from 100 ms to a day. Default: 15 s.
    ///
    /// What happens between the last report and the end of the client is not counted.
    public var interval: Duration
    /// Where the metrics are made. Default: `nil`, the factory that the process has when the client is made
    /// (`MetricsSystem`).
    public var factory: (any MetricsFactory)?
    /// What all names begin with, in front of an underscore. Default: `kafka`.
    public var prefix = "kafka"
    /// Further labels (dimensions) of all metrics. Default: none.
    public var labels: [String: String] = [:]

    /// Makes a configuration of metrics.
    ///
    /// - Parameters:
    ///   - interval: the time between two reports.
    ///   - factory: where the metrics are made; `nil` is the process's factory.
    public init(interval: Duration = .seconds(15), factory: (any MetricsFactory)? = nil) {
        self.interval = interval
        self.factory = factory
    }
}

extension ConfigurationProperties {
    /// Asks librdkafka for statistics, if there is somebody to report them to.
    mutating func setMetrics(_ metrics: KafkaMetrics?, operation: String) throws(KafkaError) {
        if let metrics, !(.milliseconds(100) ... .seconds(86_400)).contains(metrics.interval) {
            throw KafkaError(
                .configuration,
                operation: operation,
                message: "the interval of `metrics` is \(metrics.interval): it must be from 100 ms to a day"
            )
        }
        self.setOwned(
            "statistics.interval.ms",
            String(metrics?.interval.milliseconds ?? 0),
            useInstead: "use `metrics`"
        )
    }
}
