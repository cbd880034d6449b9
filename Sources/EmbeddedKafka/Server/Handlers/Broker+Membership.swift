internal import NIOCore

extension Broker {
    /// Joins a group (API 11); answered when the group has formed.
    func joinGroup(_ request: JoinGroupRequest, _ exchange: Exchange) {
        guard self.coordinates(group: request.groupID, exchange) else {
            return request.refuse(.notCoordinator, exchange)
        }
        let waiter = self.makeID()
        self.groupWaiters[waiter] = exchange
        self.perform(
            self.groups.join(
                GroupJoin(
                    group: request.groupID,
                    member: request.memberID,
                    instance: request.groupInstanceID,
                    clientID: exchange.clientID,
                    clientHost: "/" + exchange.connection.clientHost,
                    protocolType: request.protocolType,
                    protocols: request.protocols.map { GroupProtocol(name: $0.name, metadata: $0.metadata) },
                    sessionTimeout: request.sessionTimeoutMs,
                    rebalanceTimeout: request.rebalanceTimeoutMs,
                    requiresKnownMemberID: exchange.version >= 4
                ),
                waiter: waiter,
                now: self.now
            )
        )
    }

    /// Gets a member's assignment (API 14); answered when the leader has sent it.
    func syncGroup(_ request: SyncGroupRequest, _ exchange: Exchange) {
        guard self.coordinates(group: request.groupID, exchange) else {
            return request.refuse(.notCoordinator, exchange)
        }
        let waiter = self.makeID()
        self.groupWaiters[waiter] = exchange
        self.perform(
            self.groups.sync(
                GroupSync(
                    group: request.groupID,
                    member: request.memberID,
                    instance: request.groupInstanceID,
                    generation: request.generationID,
                    assignments: request.assignments.map { ($0.memberID, $0.assignment) }
                ),
                waiter: waiter,
                now: self.now
            )
        )
    }

    /// Sends the answers that members waited for.
    func perform(_ answers: [GroupAnswer]) {
        for answer in answers {
            guard let exchange = self.groupWaiters.removeValue(forKey: answer.waiter) else { continue }
            switch answer {
            case .joined(_, .success(let group)): exchange.answer(JoinGroupResponse(group))
            case .joined(_, .failure(let failure)):
                exchange.answer(JoinGroupResponse(errorCode: failure.error, memberID: failure.member))
            case .synced(_, .success(let group)):
                exchange.answer(SyncGroupResponse(errorCode: .none, assignment: group.assignment))
            case .synced(_, .failure(let code)): exchange.answer(SyncGroupResponse(errorCode: code))
            }
        }
    }

    /// Takes a member's sign of life (API 12).
    func heartbeat(_ request: HeartbeatRequest, _ exchange: Exchange) {
        guard self.coordinates(group: request.groupID, exchange) else {
            return request.refuse(.notCoordinator, exchange)
        }
        let code = self.groups.heartbeat(
            group: request.groupID,
            member: request.memberID,
            instance: request.groupInstanceID,
            generation: request.generationID,
            now: self.now
        )
        exchange.answer(HeartbeatResponse(errorCode: code))
    }

    /// Takes members out of a group (API 13).
    func leaveGroup(_ request: LeaveGroupRequest, _ exchange: Exchange) {
        guard self.coordinates(group: request.groupID, exchange) else {
            return request.refuse(.notCoordinator, exchange)
        }
        let result = self.groups.leave(
            group: request.groupID,
            request.members.map { GroupLeave(member: $0.memberID, instance: $0.groupInstanceID) },
            now: self.now
        )
        if exchange.version < 3 {
            let error = result.error == .none ? result.members.first ?? .none : result.error
            exchange.answer(LeaveGroupResponse(errorCode: error))
        } else {
            exchange.answer(
                LeaveGroupResponse(
                    errorCode: result.error,
                    members: zip(request.members, result.members).map { member, code in
                        .init(memberID: member.memberID, groupInstanceID: member.groupInstanceID, errorCode: code)
                    }
                )
            )
        }
        self.perform(result.answers)
    }
}

extension JoinGroupResponse {
    init(_ group: JoinedGroup) {
        self.init(
            errorCode: .none,
            generationID: group.generation,
            protocolName: group.protocolName,
            leader: group.leader,
            memberID: group.member,
            members: group.members.map { .init(memberID: $0.id, groupInstanceID: $0.instance, metadata: $0.metadata) }
        )
    }
}
