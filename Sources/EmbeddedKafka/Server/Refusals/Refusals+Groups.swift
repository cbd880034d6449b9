extension FaultTable.Subject {
    init(_ api: APIKey, group: String) {
        self.init(api: api)
        self.group = group
    }
}

extension JoinGroupRequest: Refusable {
    var subject: FaultTable.Subject { FaultTable.Subject(Self.api, group: self.groupID) }

    func failure(_ code: ErrorCode) -> JoinGroupResponse {
        JoinGroupResponse(errorCode: code, memberID: self.memberID)
    }
}

extension SyncGroupRequest: Refusable {
    var subject: FaultTable.Subject { FaultTable.Subject(Self.api, group: self.groupID) }

    func failure(_ code: ErrorCode) -> SyncGroupResponse { SyncGroupResponse(errorCode: code) }
}

extension HeartbeatRequest: Refusable {
    var subject: FaultTable.Subject { FaultTable.Subject(Self.api, group: self.groupID) }

    func failure(_ code: ErrorCode) -> HeartbeatResponse { HeartbeatResponse(errorCode: code) }
}

extension LeaveGroupRequest: Refusable {
    var subject: FaultTable.Subject { FaultTable.Subject(Self.api, group: self.groupID) }

    func failure(_ code: ErrorCode) -> LeaveGroupResponse { LeaveGroupResponse(errorCode: code) }
}

extension OffsetCommitRequest: Refusable {
    var subject: FaultTable.Subject {
        var subject = FaultTable.Subject(Self.api, group: self.groupID)
        subject.partitions = self.topics.flatMap { topic in
            topic.partitions.map { TopicPartition(topic.name, $0.partitionIndex) }
        }
        return subject
    }

    func failure(_ code: ErrorCode) -> OffsetCommitResponse {
        OffsetCommitResponse(
            topics: self.topics.map { topic in
                .init(
                    name: topic.name,
                    partitions: topic.partitions.map { .init(partitionIndex: $0.partitionIndex, errorCode: code) }
                )
            }
        )
    }
}

extension OffsetFetchRequest: Refusable {
    var subject: FaultTable.Subject {
        var subject = FaultTable.Subject(Self.api, group: self.groupID)
        subject.partitions = (self.topics ?? []).flatMap { topic in
            topic.partitionIndexes.map { TopicPartition(topic.name, $0) }
        }
        return subject
    }

    func failure(_ code: ErrorCode) -> OffsetFetchResponse {
        OffsetFetchResponse(
            topics: (self.topics ?? []).map { topic in
                .init(
                    name: topic.name,
                    partitions: topic.partitionIndexes.map { .init(partitionIndex: $0, errorCode: code) }
                )
            },
            errorCode: code
        )
    }
}

extension OffsetDeleteRequest: Refusable {
    var subject: FaultTable.Subject { FaultTable.Subject(Self.api, group: self.groupID) }

    func failure(_ code: ErrorCode) -> OffsetDeleteResponse { OffsetDeleteResponse(errorCode: code) }
}

extension DescribeGroupsRequest: Refusable {
    var subject: FaultTable.Subject { FaultTable.Subject(api: Self.api) }

    func failure(_ code: ErrorCode) -> DescribeGroupsResponse {
        DescribeGroupsResponse(groups: self.groups.map { .init(errorCode: code, groupID: $0) })
    }
}

extension ListGroupsRequest: Refusable {
    var subject: FaultTable.Subject { FaultTable.Subject(api: Self.api) }

    func failure(_ code: ErrorCode) -> ListGroupsResponse { ListGroupsResponse(errorCode: code) }
}

extension DeleteGroupsRequest: Refusable {
    var subject: FaultTable.Subject { FaultTable.Subject(api: Self.api) }

    func failure(_ code: ErrorCode) -> DeleteGroupsResponse {
        DeleteGroupsResponse(results: self.groupsNames.map { .init(groupID: $0, errorCode: code) })
    }
}
