internal import NIOCore

extension GroupCoordinator {
    /// All groups in the order of their names, or those in some states (ListGroups version 4; case doesn't matter).
    func list(states: [String] = []) -> [GroupListing] {
        let wanted = Set(states.map { $0.lowercased() })
        return self.groups.values
            .filter { wanted.isEmpty || wanted.contains($0.state.rawValue.lowercased()) }
            .sorted { $0.id < $1.id }
            .map { GroupListing(group: $0.id, protocolType: $0.protocolType ?? "", state: $0.state) }
    }

    /// A group that doesn't exist is described as dead, without an error.
    func describe(_ id: String) -> GroupDescription {
        guard let group = self.groups[id] else {
            return GroupDescription(
                group: id,
                state: .dead,
                protocolType: "",
                protocolName: "",
                generation: -1,
                members: []
            )
        }
        let isStable = group.state == .stable
        return GroupDescription(
            group: id,
            state: group.state,
            protocolType: group.protocolType ?? "",
            protocolName: isStable ? group.protocolName ?? "" : "",
            generation: group.generation,
            members: group.membersInOrder.map { member in
                GroupDescription.Member(
                    id: member.id,
                    instance: member.instance,
                    clientID: member.clientID,
                    clientHost: member.clientHost,
                    metadata: isStable ? member.metadata(for: group.protocolName) : ByteBuffer(),
                    assignment: isStable ? member.assignment : ByteBuffer()
                )
            }
        )
    }

    /// Deletes groups without members, with their offsets.
    ///
    /// - Returns: An error for each, in their order: 69 for one that doesn't exist, 68 for one that has members.
    mutating func delete(_ ids: [String]) -> [ErrorCode] {
        ids.map { id in
            guard let group = self.groups[id] else { return .groupIDNotFound }
            guard group.state == .empty else { return .nonEmptyGroup }
            self.groups[id] = nil
            self.offsets.removeGroup(id)
            return .none
        }
    }
}
