import NIOCore

@testable import EmbeddedKafka

extension ResponseSample {
    static func metadata(_ version: Int16) -> ResponseSample {
        let response = MetadataResponse(
            brokers: [.init(nodeID: 1, host: "localhost", port: 9092, rack: "rack")],
            clusterID: "cluster",
            controllerID: 2,
            topics: [
                .init(
                    errorCode: .invalidTopic,
                    name: "orders",
                    isInternal: true,
                    partitions: [
                        .init(
                            errorCode: .leaderNotAvailable,
                            partitionIndex: 3,
                            leaderID: 4,
                            leaderEpoch: 5,
                            replicaNodes: [1, 2],
                            isrNodes: [1],
                            offlineReplicas: [2]
                        )
                    ],
                    topicAuthorizedOperations: 0x0df8
                )
            ],
            clusterAuthorizedOperations: 0x1234
        )
        return ResponseSample(.metadata, response, version) {
            if version >= 3 { $0.int32(0) }
            $0.one {
                $0.int32(1)
                $0.string("localhost")
                $0.int32(9092)
                if version >= 1 { $0.string("rack") }
            }
            if version >= 2 { $0.string("cluster") }
            if version >= 1 { $0.int32(2) }
            $0.one {
                $0.int16(17)
                $0.string("orders")
                if version >= 1 { $0.bool(true) }
                $0.one {
                    $0.int16(5)
                    $0.int32(3)
                    $0.int32(4)
                    if version >= 7 { $0.int32(5) }
                    $0.int32s([1, 2])
                    $0.int32s([1])
                    if version >= 5 { $0.int32s([2]) }
                }
                if version >= 8 { $0.int32(0x0df8) }
            }
            if version >= 8 { $0.int32(0x1234) }
        }
    }

    static func findCoordinator(_ version: Int16) -> ResponseSample {
        let response = FindCoordinatorResponse(
            errorCode: .invalidRequest,
            errorMessage: "why",
            nodeID: 3,
            host: "localhost",
            port: 9092
        )
        return ResponseSample(.findCoordinator, response, version) {
            if version >= 1 { $0.int32(0) }
            $0.int16(42)
            if version >= 1 { $0.string("why") }
            $0.int32(3)
            $0.string("localhost")
            $0.int32(9092)
        }
    }

    static func apiVersions(_ version: Int16) -> ResponseSample {
        let response = ApiVersionsResponse(
            // Clients take a response with an error for one of version 0.
            errorCode: version >= 3 ? .none : .unsupportedVersion,
            apiKeys: [
                .init(apiKey: 18, minVersion: 0, maxVersion: 3), .init(apiKey: 1, minVersion: 4, maxVersion: 11),
            ]
        )
        return ResponseSample(.apiVersions, response, version) {
            $0.int16(version >= 3 ? 0 : 35)
            $0.array([(Int16(18), Int16(0), Int16(3)), (1, 4, 11)]) {
                $0.int16($1.0)
                $0.int16($1.1)
                $0.int16($1.2)
                $0.tags()
            }
            if version >= 1 { $0.int32(0) }
        }
    }

    static func saslHandshake(_ version: Int16) -> ResponseSample {
        let response = SaslHandshakeResponse(
            errorCode: .unsupportedSASLMechanism,
            mechanisms: ["PLAIN", "SCRAM-SHA-256"]
        )
        return ResponseSample(.saslHandshake, response, version) {
            $0.int16(33)
            $0.strings(["PLAIN", "SCRAM-SHA-256"])
        }
    }

    static func saslAuthenticate(_ version: Int16) -> ResponseSample {
        let response = SaslAuthenticateResponse(
            errorCode: .saslAuthenticationFailed,
            errorMessage: "no",
            authBytes: ByteBuffer(bytes: [5, 6]),
            sessionLifetimeMs: 3_600_000
        )
        return ResponseSample(.saslAuthenticate, response, version) {
            $0.int16(58)
            $0.string("no")
            $0.blob([5, 6])
            if version >= 1 { $0.int64(3_600_000) }
        }
    }

    static func describeCluster(_ version: Int16) -> ResponseSample {
        let response = DescribeClusterResponse(
            errorCode: .invalidRequest,
            errorMessage: "why",
            endpointType: 2,
            clusterID: "cluster",
            controllerID: 3,
            brokers: [.init(brokerID: 1, host: "localhost", port: 9092, rack: nil)],
            clusterAuthorizedOperations: 0x1234
        )
        return ResponseSample(.describeCluster, response, version) {
            $0.int32(0)
            $0.int16(42)
            $0.string("why")
            if version >= 1 { $0.int8(2) }
            $0.string("cluster")
            $0.int32(3)
            $0.one {
                $0.int32(1)
                $0.string("localhost")
                $0.int32(9092)
                $0.string(nil)
            }
            $0.int32(0x1234)
        }
    }

    static func describeLogDirectories(_ version: Int16) -> ResponseSample {
        let response = DescribeLogDirectoriesResponse(
            results: [
                .init(
                    errorCode: .storageError,
                    logDirectory: "/data",
                    topics: [
                        .init(
                            name: "orders",
                            partitions: [
                                .init(partitionIndex: 1, partitionSize: 1 << 33, offsetLag: 4, isFutureKey: true)
                            ]
                        )
                    ]
                )
            ]
        )
        return ResponseSample(.describeLogDirectories, response, version) {
            $0.int32(0)
            $0.one {
                $0.int16(56)
                $0.string("/data")
                $0.one {
                    $0.string("orders")
                    $0.one {
                        $0.int32(1)
                        $0.int64(1 << 33)
                        $0.int64(4)
                        $0.bool(true)
                    }
                }
            }
        }
    }

    static func describeACLs(_ version: Int16) -> ResponseSample {
        let response = DescribeACLsResponse(
            errorCode: .securityDisabled,
            errorMessage: "off",
            resources: [
                .init(
                    resourceType: 2,
                    resourceName: "orders",
                    patternType: 4,
                    acls: [.init(principal: "User:alice", host: "*", operation: 5, permissionType: 3)]
                )
            ]
        )
        return ResponseSample(.describeACLs, response, version) {
            $0.int32(0)
            $0.int16(54)
            $0.string("off")
            $0.one {
                $0.int8(2)
                $0.string("orders")
                if version >= 1 { $0.int8(4) }
                $0.one {
                    $0.string("User:alice")
                    $0.string("*")
                    $0.int8(5)
                    $0.int8(3)
                }
            }
        }
    }

    static func createACLs(_ version: Int16) -> ResponseSample {
        let response = CreateACLsResponse(results: [.init(errorCode: .securityDisabled, errorMessage: "off")])
        return ResponseSample(.createACLs, response, version) {
            $0.int32(0)
            $0.one {
                $0.int16(54)
                $0.string("off")
            }
        }
    }

    static func deleteACLs(_ version: Int16) -> ResponseSample {
        let binding = ACLBinding(
            resourceType: 2,
            resourceName: "orders",
            patternType: 4,
            principal: "User:alice",
            host: "*",
            operation: 5,
            permissionType: 3
        )
        let response = DeleteACLsResponse(
            filterResults: [
                .init(
                    errorCode: .invalidRequest,
                    errorMessage: "why",
                    matchingACLs: [.init(errorCode: .securityDisabled, errorMessage: "off", binding: binding)]
                )
            ]
        )
        return ResponseSample(.deleteACLs, response, version) {
            $0.int32(0)
            $0.one {
                $0.int16(42)
                $0.string("why")
                $0.one {
                    $0.int16(54)
                    $0.string("off")
                    $0.int8(2)
                    $0.string("orders")
                    if version >= 1 { $0.int8(4) }
                    $0.string("User:alice")
                    $0.string("*")
                    $0.int8(5)
                    $0.int8(3)
                }
            }
        }
    }
}
