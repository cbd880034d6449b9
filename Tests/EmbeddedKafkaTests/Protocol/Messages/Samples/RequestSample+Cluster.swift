import NIOCore

@testable import EmbeddedKafka

extension RequestSample {
    static func metadata(_ version: Int16) -> RequestSample {
        let expected = MetadataRequest(
            topics: ["a", "b"],
            allowAutoTopicCreation: version < 4,
            includeClusterAuthorizedOperations: false,
            includeTopicAuthorizedOperations: version >= 8
        )
        return RequestSample(expected, version) {
            $0.strings(["a", "b"])
            if version >= 4 { $0.bool(false) }
            if version >= 8 {
                $0.bool(false)
                $0.bool(true)
            }
        }
    }

    static func findCoordinator(_ version: Int16) -> RequestSample {
        RequestSample(FindCoordinatorRequest(key: "group", keyType: version >= 1 ? 1 : 0), version) {
            $0.string("group")
            if version >= 1 { $0.int8(1) }
        }
    }

    static func apiVersions(_ version: Int16) -> RequestSample {
        let expected = ApiVersionsRequest(
            clientSoftwareName: version >= 3 ? "librdkafka" : "",
            clientSoftwareVersion: version >= 3 ? "2.16" : ""
        )
        return RequestSample(expected, version) {
            guard version >= 3 else { return }
            $0.string("librdkafka")
            $0.string("2.16")
        }
    }

    static func saslHandshake(_ version: Int16) -> RequestSample {
        RequestSample(SaslHandshakeRequest(mechanism: "PLAIN"), version) { $0.string("PLAIN") }
    }

    static func saslAuthenticate(_ version: Int16) -> RequestSample {
        RequestSample(SaslAuthenticateRequest(authBytes: ByteBuffer(bytes: [0, 1, 0, 2])), version) {
            $0.blob([0, 1, 0, 2])
        }
    }

    static func describeCluster(_ version: Int16) -> RequestSample {
        let expected = DescribeClusterRequest(
            includeClusterAuthorizedOperations: true,
            endpointType: version >= 1 ? 2 : 1
        )
        return RequestSample(expected, version) {
            $0.bool(true)
            if version >= 1 { $0.int8(2) }
        }
    }

    static func describeLogDirectories(_ version: Int16) -> RequestSample {
        let expected = DescribeLogDirectoriesRequest(topics: [.init(topic: "orders", partitions: [0, 5])])
        return RequestSample(expected, version) {
            $0.one {
                $0.string("orders")
                $0.int32s([0, 5])
            }
        }
    }

    static func describeACLs(_ version: Int16) -> RequestSample {
        RequestSample(DescribeACLsRequest(filter: Self.filter(version)), version) {
            Self.write(filter: version, to: &$0)
        }
    }

    static func deleteACLs(_ version: Int16) -> RequestSample {
        RequestSample(DeleteACLsRequest(filters: [Self.filter(version)]), version) {
            $0.one { Self.write(filter: version, to: &$0) }
        }
    }

    private static func filter(_ version: Int16) -> ACLFilter {
        ACLFilter(
            resourceTypeFilter: 2,
            resourceNameFilter: "orders",
            patternTypeFilter: version >= 1 ? 4 : 3,
            principalFilter: nil,
            hostFilter: "*",
            operation: 5,
            permissionType: 1
        )
    }

    private static func write(filter version: Int16, to encoding: inout Encoding) {
        encoding.int8(2)
        encoding.string("orders")
        if version >= 1 { encoding.int8(4) }
        encoding.string(nil)
        encoding.string("*")
        encoding.int8(5)
        encoding.int8(1)
    }

    static func createACLs(_ version: Int16) -> RequestSample {
        let expected = CreateACLsRequest(
            creations: [
                ACLBinding(
                    resourceType: 2,
                    resourceName: "orders",
                    patternType: version >= 1 ? 4 : 3,
                    principal: "User:alice",
                    host: "*",
                    operation: 5,
                    permissionType: 3
                )
            ]
        )
        return RequestSample(expected, version) {
            $0.one {
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
