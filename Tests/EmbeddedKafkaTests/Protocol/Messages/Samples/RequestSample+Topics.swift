@testable import EmbeddedKafka

extension RequestSample {
    static func createTopics(_ version: Int16) -> RequestSample {
        let expected = CreateTopicsRequest(
            topics: [
                .init(
                    name: "orders",
                    numPartitions: 6,
                    replicationFactor: 3,
                    assignments: [.init(partitionIndex: 0, brokerIDs: [1, 2])],
                    configs: [.init(name: "cleanup.policy", value: "compact")]
                )
            ],
            timeoutMs: 900,
            validateOnly: version >= 1
        )
        return RequestSample(expected, version) {
            $0.one {
                $0.string("orders")
                $0.int32(6)
                $0.int16(3)
                $0.one {
                    $0.int32(0)
                    $0.int32s([1, 2])
                }
                $0.one {
                    $0.string("cleanup.policy")
                    $0.string("compact")
                }
            }
            $0.int32(900)
            if version >= 1 { $0.bool(true) }
        }
    }

    static func deleteTopics(_ version: Int16) -> RequestSample {
        RequestSample(DeleteTopicsRequest(topicNames: ["a", "b"], timeoutMs: 900), version) {
            $0.strings(["a", "b"])
            $0.int32(900)
        }
    }

    static func createPartitions(_ version: Int16) -> RequestSample {
        let expected = CreatePartitionsRequest(
            topics: [.init(name: "orders", count: 8, assignments: [.init(brokerIDs: [1, 2])])],
            timeoutMs: 900,
            validateOnly: true
        )
        return RequestSample(expected, version) {
            $0.one {
                $0.string("orders")
                $0.int32(8)
                $0.one { $0.int32s([1, 2]) }
            }
            $0.int32(900)
            $0.bool(true)
        }
    }

    static func describeConfigs(_ version: Int16) -> RequestSample {
        let expected = DescribeConfigsRequest(
            resources: [
                .init(resourceType: 2, resourceName: "orders", configurationKeys: ["retention.ms"]),
                .init(resourceType: 4, resourceName: "1", configurationKeys: nil),
            ],
            includeSynonyms: version >= 1,
            includeDocumentation: version >= 3
        )
        return RequestSample(expected, version) {
            $0.array([(Int8(2), "orders", [String]?(["retention.ms"])), (4, "1", nil)]) {
                $0.int8($1.0)
                $0.string($1.1)
                $0.strings($1.2)
            }
            if version >= 1 { $0.bool(true) }
            if version >= 3 { $0.bool(true) }
        }
    }

    static func alterConfigs(_ version: Int16) -> RequestSample {
        let expected = AlterConfigsRequest(
            resources: [
                .init(
                    resourceType: 2,
                    resourceName: "orders",
                    configs: [.init(name: "retention.ms", value: "1000"), .init(name: "max.message.bytes", value: nil)]
                )
            ],
            validateOnly: true
        )
        return RequestSample(expected, version) {
            $0.one {
                $0.int8(2)
                $0.string("orders")
                $0.array([("retention.ms", String?("1000")), ("max.message.bytes", nil)]) {
                    $0.string($1.0)
                    $0.string($1.1)
                }
            }
            $0.bool(true)
        }
    }

    static func incrementalAlterConfigs(_ version: Int16) -> RequestSample {
        let expected = IncrementalAlterConfigsRequest(
            resources: [
                .init(
                    resourceType: 2,
                    resourceName: "orders",
                    configs: [
                        .init(name: "retention.ms", configOperation: 1, value: nil),
                        .init(name: "cleanup.policy", configOperation: 2, value: "compact"),
                    ]
                )
            ],
            validateOnly: true
        )
        return RequestSample(expected, version) {
            $0.one {
                $0.int8(2)
                $0.string("orders")
                $0.array([("retention.ms", Int8(1), String?.none), ("cleanup.policy", 2, "compact")]) {
                    $0.string($1.0)
                    $0.int8($1.1)
                    $0.string($1.2)
                }
            }
            $0.bool(true)
        }
    }
}
