internal import CLibrdkafka
internal import Dispatch

/// What the mock cluster refused.
package struct MockClusterError: Error, CustomStringConvertible {
    package let description: String
}

/// librdkafka's own mock of a Kafka cluster, for tests of the client and for the demo of the pipeline.
///
/// It listens on loopback ports, runs on a thread of its own and serves any number of librdkafka clients. Know its limits
/// (librdkafka 2.0.2): a partition keeps 5 MB or 100,000 batches and drops its oldest records without a word; the first
/// join of a group takes 3 s; an empty fetch waits the whole `fetch.wait.max.ms`; transactions are not isolated.
///
/// Unchecked, because librdkafka's mock takes calls from any thread.
package final class MockCluster: @unchecked Sendable {
    /// Requests whose answers can be replaced by errors (Kafka protocol guide, "Api Keys").
    package enum Request: Int16, Sendable {
        case produce = 0
        case fetch = 1
        case listOffsets = 2
        case metadata = 3
        case offsetCommit = 8
        case offsetFetch = 9
        case findCoordinator = 10
        case joinGroup = 11
        case heartbeat = 12
        case syncGroup = 14
        case initProducerID = 22
    }

    /// Errors of the protocol (Kafka protocol guide, "Error codes").
    package enum ErrorCode: Int32, Sendable {
        case unknownTopicOrPartition = 3
        case leaderNotAvailable = 5
        case notLeaderForPartition = 6
        case requestTimedOut = 7
        case messageTooLarge = 10
        case coordinatorLoadInProgress = 14
        case coordinatorNotAvailable = 15
        case notCoordinator = 16
        case notEnoughReplicas = 19
        case illegalGeneration = 22
        case unknownMemberID = 25
        case rebalanceInProgress = 27
        case topicAuthorizationFailed = 29
        case groupAuthorizationFailed = 30
        /// The connection is cut instead of an answer.
        case transport = -195
    }

    private let client: OpaquePointer
    private let cluster: OpaquePointer

    /// Starts a cluster.
    package init(brokers: Int = 1) throws(MockClusterError) {
        let configuration = rd_kafka_conf_new()
        // Connections come and go; the mock's own client logs each.
        rd_kafka_conf_set(configuration, "log_level", "2", nil, 0)
        guard let client = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, nil, 0) else {
            rd_kafka_conf_destroy(configuration)
            throw MockClusterError(description: "librdkafka could not make a client for the mock cluster")
        }
        guard let cluster = rd_kafka_mock_cluster_new(client, Int32(brokers)) else {
            rd_kafka_destroy(client)
            throw MockClusterError(description: "librdkafka could not start a mock cluster of \(brokers) brokers")
        }
        self.client = client
        self.cluster = cluster
    }

    deinit {
        let client = Pointer(value: self.client)
        let cluster = Pointer(value: self.cluster)
        // Both wait for threads.
        DispatchQueue(label: "kafka.mock.destroy").async {
            rd_kafka_mock_cluster_destroy(cluster.value)
            rd_kafka_destroy(client.value)
        }
    }

    /// The addresses of the brokers.
    package var bootstrapServers: [String] {
        guard let servers = rd_kafka_mock_cluster_bootstraps(self.cluster) else { return [] }
        return String(cString: servers).split(separator: ",").map(String.init)
    }

    /// Creates a topic. A topic that a client asks for without it being created gets 4 partitions.
    package func createTopic(_ name: String, partitions: Int, replicationFactor: Int = 1) throws(MockClusterError) {
        try self.check("create topic \(name)") {
            rd_kafka_mock_topic_create(self.cluster, name, Int32(partitions), Int32(replicationFactor))
        }
    }

    // MARK: Faults

    /// The next requests of a kind are answered with these errors, one each.
    package func failNext(_ request: Request, with errors: [ErrorCode]) {
        var codes = errors.map { rd_kafka_resp_err_t(rawValue: $0.rawValue) }
        rd_kafka_mock_push_request_errors_array(self.cluster, request.rawValue, codes.count, &codes)
    }

    /// Requests of a kind are answered normally again.
    package func clearErrors(of request: Request) {
        rd_kafka_mock_clear_request_errors(self.cluster, request.rawValue)
    }

    /// Makes every answer about a topic an error; `nil` ends it.
    package func setTopicError(_ topic: String, _ error: ErrorCode?) {
        rd_kafka_mock_topic_set_error(self.cluster, topic, rd_kafka_resp_err_t(rawValue: error?.rawValue ?? 0))
    }

    /// Moves the leader of a partition to a broker (numbered from 1).
    package func setLeader(of topic: String, partition: Int32, broker: Int32) throws(MockClusterError) {
        try self.check("move \(topic)[\(partition)]") {
            rd_kafka_mock_partition_set_leader(self.cluster, topic, partition, broker)
        }
    }

    /// Moves the coordinator of a group to a broker (numbered from 1).
    package func setCoordinator(ofGroup group: String, broker: Int32) throws(MockClusterError) {
        try self.check("move the coordinator of \(group)") {
            rd_kafka_mock_coordinator_set(self.cluster, "group", group, broker)
        }
    }

    /// Cuts a broker's connections and refuses new ones. It can't be started again: librdkafka aborts the process when the
    /// broker's port was taken meanwhile.
    package func stopBroker(_ broker: Int32) throws(MockClusterError) {
        try self.check("stop broker \(broker)") { rd_kafka_mock_broker_set_down(self.cluster, broker) }
    }

    /// Delays every answer of a broker.
    package func setRoundTripTime(ofBroker broker: Int32, milliseconds: Int32) throws(MockClusterError) {
        try self.check("delay broker \(broker)") {
            rd_kafka_mock_broker_set_rtt(self.cluster, broker, milliseconds)
        }
    }

    private func check(_ action: String, _ call: () -> rd_kafka_resp_err_t) throws(MockClusterError) {
        let response = call()
        guard response == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw MockClusterError(description: "\(action): \(String(cString: rd_kafka_err2str(response)))")
        }
    }

    /// A C pointer on its way to the thread that destroys it.
    private struct Pointer: @unchecked Sendable {
        let value: OpaquePointer
    }
}
