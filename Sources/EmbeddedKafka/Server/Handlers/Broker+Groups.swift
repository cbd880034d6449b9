extension Broker {
    /// Lists groups (API 16): those that this node coordinates, as clients ask every node.
    func listGroups(_ request: ListGroupsRequest, _ exchange: Exchange) {
        let groups = self.groups.list(states: request.statesFilter).filter {
            self.coordinates(group: $0.group, exchange)
        }
        exchange.answer(
            ListGroupsResponse(
                groups: groups.map {
                    .init(groupID: $0.group, protocolType: $0.protocolType, groupState: $0.state.rawValue)
                }
            )
        )
    }

    /// Describes groups (API 15).
    func describeGroups(_ request: DescribeGroupsRequest, _ exchange: Exchange) {
        exchange.answer(
            DescribeGroupsResponse(
                groups: request.groups.uniqued().map { id in
                    guard self.coordinates(group: id, exchange) else {
                        return .init(errorCode: .notCoordinator, groupID: id)
                    }
                    let group = self.groups.describe(id)
                    return .init(
                        groupID: id,
                        groupState: group.state.rawValue,
                        protocolType: group.protocolType,
                        protocolData: group.protocolName,
                        members: group.members.map { member in
                            .init(
                                memberID: member.id,
                                groupInstanceID: member.instance,
                                clientID: member.clientID,
                                clientHost: member.clientHost,
                                memberMetadata: member.metadata,
                                memberAssignment: member.assignment
                            )
                        }
                    )
                }
            )
        )
    }

    /// Removes groups without members, and their offsets (API 42).
    func deleteGroups(_ request: DeleteGroupsRequest, _ exchange: Exchange) {
        exchange.answer(
            DeleteGroupsResponse(
                results: request.groupsNames.map { id in
                    guard self.coordinates(group: id, exchange) else {
                        return .init(groupID: id, errorCode: .notCoordinator)
                    }
                    return .init(groupID: id, errorCode: self.groups.delete([id]).first ?? .none)
                }
            )
        )
    }
}
