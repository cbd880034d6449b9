extension ProduceRequest: Refusable {
    var subject: FaultTable.Subject {
        var subject = FaultTable.Subject(api: Self.api)
        subject.partitions = self.topicData.flatMap { topic in
            topic.partitionData.map { TopicPartition(topic.name, $0.index) }
        }
        subject.transactionalID = self.transactionalID
        return subject
    }

    func failure(_ code: ErrorCode) -> ProduceResponse {
        ProduceResponse(
            responses: self.topicData.map { topic in
                .init(
                    name: topic.name,
                    partitionResponses: topic.partitionData.map { .init(index: $0.index, errorCode: code) }
                )
            }
        )
    }

    func refuse(_ code: ErrorCode, _ exchange: Exchange) {
        // Who asks for no answer gets none for an error either, but the end of the connection.
        if self.acks == 0 { exchange.connection.close() } else { exchange.answer(self.failure(code)) }
    }
}

extension FetchRequest: Refusable {
    var subject: FaultTable.Subject {
        var subject = FaultTable.Subject(api: Self.api)
        subject.partitions = self.topics.flatMap { topic in
            topic.partitions.map { TopicPartition(topic.topic, $0.partition) }
        }
        return subject
    }

    func failure(_ code: ErrorCode) -> FetchResponse {
        FetchResponse(
            responses: self.topics.map { topic in
                .init(
                    topic: topic.topic,
                    partitions: topic.partitions.map { .init(partitionIndex: $0.partition, errorCode: code) }
                )
            }
        )
    }
}

extension ListOffsetsRequest: Refusable {
    var subject: FaultTable.Subject {
        var subject = FaultTable.Subject(api: Self.api)
        subject.partitions = self.topics.flatMap { topic in
            topic.partitions.map { TopicPartition(topic.name, $0.partitionIndex) }
        }
        return subject
    }

    func failure(_ code: ErrorCode) -> ListOffsetsResponse {
        ListOffsetsResponse(
            topics: self.topics.map { topic in
                .init(
                    name: topic.name,
                    partitions: topic.partitions.map { .init(partitionIndex: $0.partitionIndex, errorCode: code) }
                )
            }
        )
    }
}

extension OffsetForLeaderEpochRequest: Refusable {
    var subject: FaultTable.Subject {
        var subject = FaultTable.Subject(api: Self.api)
        subject.partitions = self.topics.flatMap { topic in
            topic.partitions.map { TopicPartition(topic.topic, $0.partition) }
        }
        return subject
    }

    func failure(_ code: ErrorCode) -> OffsetForLeaderEpochResponse {
        OffsetForLeaderEpochResponse(
            topics: self.topics.map { topic in
                .init(
                    topic: topic.topic,
                    partitions: topic.partitions.map { .init(errorCode: code, partition: $0.partition) }
                )
            }
        )
    }
}

extension DeleteRecordsRequest: Refusable {
    var subject: FaultTable.Subject {
        var subject = FaultTable.Subject(api: Self.api)
        subject.partitions = self.topics.flatMap { topic in
            topic.partitions.map { TopicPartition(topic.name, $0.partitionIndex) }
        }
        return subject
    }

    func failure(_ code: ErrorCode) -> DeleteRecordsResponse {
        DeleteRecordsResponse(
            topics: self.topics.map { topic in
                .init(
                    name: topic.name,
                    partitions: topic.partitions.map { .init(partitionIndex: $0.partitionIndex, errorCode: code) }
                )
            }
        )
    }
}
