internal import NIOCore

extension ApiVersionsRequest: Refusable {
    var subject: FaultTable.Subject { FaultTable.Subject(api: Self.api) }

    func failure(_ code: ErrorCode) -> ApiVersionsResponse { ApiVersionsResponse(errorCode: code, apiKeys: []) }
}

extension MetadataRequest: Refusable {
    func explicit(in broker: Broker) -> MetadataRequest {
        var request = self
        // All topics that there are, so that a fault of a topic or of all topics finds them.
        request.topics = self.topics ?? broker.topics.topics.keys.sorted()
        return request
    }

    var subject: FaultTable.Subject {
        var subject = FaultTable.Subject(api: Self.api)
        subject.topics = self.topics ?? []
        return subject
    }

    func failure(_ code: ErrorCode) -> MetadataResponse {
        MetadataResponse(
            brokers: [],
            clusterID: nil,
            topics: (self.topics ?? []).map { .init(errorCode: code, name: $0) }
        )
    }
}

extension DescribeClusterRequest: Refusable {
    var subject: FaultTable.Subject { FaultTable.Subject(api: Self.api) }

    func failure(_ code: ErrorCode) -> DescribeClusterResponse {
        DescribeClusterResponse(errorCode: code, clusterID: "", brokers: [])
    }
}

extension FindCoordinatorRequest: Refusable {
    var subject: FaultTable.Subject {
        var subject = FaultTable.Subject(api: Self.api)
        if self.keyType == 0 { subject.group = self.key } else { subject.transactionalID = self.key }
        return subject
    }

    func failure(_ code: ErrorCode) -> FindCoordinatorResponse { FindCoordinatorResponse(errorCode: code) }
}

extension SaslHandshakeRequest: Refusable {
    var subject: FaultTable.Subject { FaultTable.Subject(api: Self.api) }

    func failure(_ code: ErrorCode) -> SaslHandshakeResponse { SaslHandshakeResponse(errorCode: code, mechanisms: []) }
}

extension SaslAuthenticateRequest: Refusable {
    var subject: FaultTable.Subject { FaultTable.Subject(api: Self.api) }

    func failure(_ code: ErrorCode) -> SaslAuthenticateResponse {
        SaslAuthenticateResponse(errorCode: code, errorMessage: nil, authBytes: ByteBuffer())
    }
}
