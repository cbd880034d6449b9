@testable import EmbeddedKafka

extension ResponseSample {
    static func createTopics(_ version: Int16) -> ResponseSample {
        let response = CreateTopicsResponse(
            topics: [.init(name: "orders", errorCode: .topicAlreadyExists, errorMessage: "there")])
        return ResponseSample(.createTopics, response, version) {
            if version >= 2 { $0.int32(0) }
            $0.one {
                $0.string("orders")
                $0.int16(36)
                if version >= 1 { $0.string("there") }
            }
        }
    }

    static func deleteTopics(_ version: Int16) -> ResponseSample {
        let response = DeleteTopicsResponse(responses: [.init(name: "orders", errorCode: .topicDeletionDisabled)])
        return ResponseSample(.deleteTopics, response, version) {
            if version >= 1 { $0.int32(0) }
            $0.one {
                $0.string("orders")
                $0.int16(73)
            }
        }
    }

    static func createPartitions(_ version: Int16) -> ResponseSample {
        let response = CreatePartitionsResponse(
            results: [.init(name: "orders", errorCode: .invalidPartitions, errorMessage: "fewer")])
        return ResponseSample(.createPartitions, response, version) {
            $0.int32(0)
            $0.one {
                $0.string("orders")
                $0.int16(37)
                $0.string("fewer")
            }
        }
    }

    static func describeConfigs(_ version: Int16) -> ResponseSample {
        let response = DescribeConfigsResponse(
            results: [
                .init(
                    errorCode: .invalidConfig,
                    errorMessage: "why",
                    resourceType: 2,
                    resourceName: "orders",
                    configs: [
                        .init(
                            name: "retention.ms",
                            value: "1000",
                            isReadOnly: true,
                            isDefault: false,
                            configSource: 4,
                            isSensitive: true,
                            synonyms: [.init(name: "log.retention.ms", value: nil, source: 5)],
                            configType: 3,
                            documentation: "how long"
                        )
                    ]
                )
            ]
        )
        return ResponseSample(.describeConfigs, response, version) {
            $0.int32(0)
            $0.one {
                $0.int16(40)
                $0.string("why")
                $0.int8(2)
                $0.string("orders")
                $0.one {
                    $0.string("retention.ms")
                    $0.string("1000")
                    $0.bool(true)
                    if version == 0 { $0.bool(false) }
                    if version >= 1 { $0.int8(4) }
                    $0.bool(true)
                    if version >= 1 {
                        $0.one {
                            $0.string("log.retention.ms")
                            $0.string(nil)
                            $0.int8(5)
                        }
                    }
                    if version >= 3 {
                        $0.int8(3)
                        $0.string("how long")
                    }
                }
            }
        }
    }

    static func alterConfigs(_ api: APIKey, _ version: Int16) -> ResponseSample {
        let response = AlterConfigsResponse(
            responses: [.init(errorCode: .invalidConfig, errorMessage: "why", resourceType: 2, resourceName: "orders")])
        return ResponseSample(api, response, version) {
            $0.int32(0)
            $0.one {
                $0.int16(40)
                $0.string("why")
                $0.int8(2)
                $0.string("orders")
            }
        }
    }
}
