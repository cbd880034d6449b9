extension Broker {
    /// Says how large partitions are (API 35). There is one directory, whatever the nodes.
    func describeLogDirectories(_ request: DescribeLogDirectoriesRequest, _ exchange: Exchange) {
        let asked = request.topics.map { topics in
            Set(topics.flatMap { topic in topic.partitions.map { TopicPartition(topic.topic, $0) } })
        }
        let topics = self.topics.topics.values.sorted { $0.name < $1.name }.compactMap { topic in
            let partitions = topic.partitions.filter { partition in
                partition.replicas.contains(exchange.node) && asked?.contains(partition.id) ?? true
            }
            return partitions.isEmpty
                ? nil
                : DescribeLogDirectoriesResponse.Topic(
                    name: topic.name,
                    partitions: partitions.map {
                        .init(partitionIndex: $0.id.partition, partitionSize: $0.log.size)
                    }
                )
        }
        let directory =
            switch self.options.storage {
            case .memory: "/memory"
            case .directory(let path): path
            }
        exchange.answer(DescribeLogDirectoriesResponse(results: [.init(logDirectory: directory, topics: topics)]))
    }
}

extension DescribeLogDirectoriesRequest: Refusable {
    var subject: FaultTable.Subject {
        FaultTable.Subject(Self.api, topics: (self.topics ?? []).map(\.topic))
    }

    func failure(_ code: ErrorCode) -> DescribeLogDirectoriesResponse {
        DescribeLogDirectoriesResponse(results: [.init(errorCode: code, logDirectory: "")])
    }
}
