extension FaultTable.Subject {
    init(_ api: APIKey, topics: [String]) {
        self.init(api: api)
        self.topics = topics
    }
}

extension CreateTopicsRequest: Refusable {
    var subject: FaultTable.Subject { FaultTable.Subject(Self.api, topics: self.topics.map(\.name)) }

    func failure(_ code: ErrorCode) -> CreateTopicsResponse {
        CreateTopicsResponse(topics: self.topics.map { .init(name: $0.name, errorCode: code) })
    }
}

extension DeleteTopicsRequest: Refusable {
    var subject: FaultTable.Subject { FaultTable.Subject(Self.api, topics: self.topicNames) }

    func failure(_ code: ErrorCode) -> DeleteTopicsResponse {
        DeleteTopicsResponse(responses: self.topicNames.map { .init(name: $0, errorCode: code) })
    }
}

extension CreatePartitionsRequest: Refusable {
    var subject: FaultTable.Subject { FaultTable.Subject(Self.api, topics: self.topics.map(\.name)) }

    func failure(_ code: ErrorCode) -> CreatePartitionsResponse {
        CreatePartitionsResponse(results: self.topics.map { .init(name: $0.name, errorCode: code) })
    }
}

extension DescribeConfigsRequest: Refusable {
    var subject: FaultTable.Subject { FaultTable.Subject(Self.api, topics: self.resources.map(\.resourceName)) }

    func failure(_ code: ErrorCode) -> DescribeConfigsResponse {
        DescribeConfigsResponse(
            results: self.resources.map {
                .init(errorCode: code, resourceType: $0.resourceType, resourceName: $0.resourceName)
            }
        )
    }
}

extension AlterConfigsRequest: Refusable {
    var subject: FaultTable.Subject { FaultTable.Subject(Self.api, topics: self.resources.map(\.resourceName)) }

    func failure(_ code: ErrorCode) -> AlterConfigsResponse {
        AlterConfigsResponse(
            responses: self.resources.map {
                .init(errorCode: code, resourceType: $0.resourceType, resourceName: $0.resourceName)
            }
        )
    }
}

extension IncrementalAlterConfigsRequest: Refusable {
    var subject: FaultTable.Subject { FaultTable.Subject(Self.api, topics: self.resources.map(\.resourceName)) }

    func failure(_ code: ErrorCode) -> IncrementalAlterConfigsResponse {
        IncrementalAlterConfigsResponse(
            responses: self.resources.map {
                .init(errorCode: code, resourceType: $0.resourceType, resourceName: $0.resourceName)
            }
        )
    }
}
