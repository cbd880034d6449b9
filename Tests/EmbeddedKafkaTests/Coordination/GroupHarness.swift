import NIOCore
import Testing

@testable import EmbeddedKafka

/// A coordinator with a clock that the test moves, and every answer it has given.
final class GroupHarness {
    var coordinator: GroupCoordinator
    var now: Int64 = 1_000_000
    private(set) var joins: [Waiter: Result<JoinedGroup, JoinFailure>] = [:]
    private(set) var syncs: [Waiter: Result<SyncedGroup, ErrorCode>] = [:]
    private var lastWaiter: Waiter = 0

    init(settings: GroupSettings = GroupSettings()) {
        var count: UInt64 = 0
        self.coordinator = GroupCoordinator(settings: settings) {
            count += 1
            return WireUUID(high: 0, low: count)
        }
    }

    // MARK: Requests

    static func request(
        _ member: String = "",
        instance: String? = nil,
        protocols: [String] = ["range"],
        metadata: String = "",
        type: String = "consumer",
        session: Int32 = 10_000,
        rebalance: Int32 = 60_000,
        requiresKnownMemberID: Bool = false
    ) -> GroupJoin {
        GroupJoin(
            group: "group",
            member: member,
            instance: instance,
            clientID: "client",
            clientHost: "/127.0.0.1",
            protocolType: type,
            protocols: protocols.map { GroupProtocol(name: $0, metadata: ByteBuffer(string: metadata)) },
            sessionTimeout: session,
            rebalanceTimeout: rebalance,
            requiresKnownMemberID: requiresKnownMemberID
        )
    }

    @discardableResult
    func join(_ request: GroupJoin) -> Waiter {
        self.lastWaiter += 1
        self.note(self.coordinator.join(request, waiter: self.lastWaiter, now: self.now))
        return self.lastWaiter
    }

    @discardableResult
    func sync(
        _ member: String,
        _ generation: Int32,
        instance: String? = nil,
        _ assignments: [String: String] = [:]
    ) -> Waiter {
        self.lastWaiter += 1
        let request = GroupSync(
            group: "group",
            member: member,
            instance: instance,
            generation: generation,
            assignments: assignments.map { ($0.key, ByteBuffer(string: $0.value)) }
        )
        self.note(self.coordinator.sync(request, waiter: self.lastWaiter, now: self.now))
        return self.lastWaiter
    }

    func heartbeat(_ member: String, _ generation: Int32, instance: String? = nil) -> ErrorCode {
        self.coordinator.heartbeat(
            group: "group",
            member: member,
            instance: instance,
            generation: generation,
            now: self.now
        )
    }

    func leave(_ member: String, instance: String? = nil) -> ErrorCode? {
        let leave = [GroupLeave(member: member, instance: instance)]
        let result = self.coordinator.leave(group: "group", leave, now: self.now)
        self.note(result.answers)
        return result.members.first
    }

    /// Moves the clock, ticking at each deadline on the way as the server does.
    func advance(_ milliseconds: Int64) {
        let end = self.now + milliseconds
        while let deadline = self.coordinator.nextDeadline, deadline <= end {
            self.now = max(self.now, deadline)
            self.note(self.coordinator.tick(now: self.now))
        }
        self.now = end
    }

    // MARK: Answers

    private func note(_ answers: [GroupAnswer]) {
        for answer in answers {
            #expect(self.joins[answer.waiter] == nil && self.syncs[answer.waiter] == nil, "answered twice")
            switch answer {
            case .joined(let waiter, let result): self.joins[waiter] = result
            case .synced(let waiter, let result): self.syncs[waiter] = result
            }
        }
    }

    func joined(_ waiter: Waiter) -> JoinedGroup? { try? self.joins[waiter]?.get() }

    func joinError(_ waiter: Waiter) -> ErrorCode? {
        if case .failure(let failure) = self.joins[waiter] { failure.error } else { nil }
    }

    func share(_ waiter: Waiter) -> String? {
        (try? self.syncs[waiter]?.get()).map { String(buffer: $0.assignment) }
    }

    func syncError(_ waiter: Waiter) -> ErrorCode? {
        if case .failure(let error) = self.syncs[waiter] { error } else { nil }
    }

    func isWaiting(_ waiter: Waiter) -> Bool { self.joins[waiter] == nil && self.syncs[waiter] == nil }

    var state: GroupState { self.coordinator.describe("group").state }
    var generation: Int32 { self.coordinator.describe("group").generation }
    var members: [String] { self.coordinator.describe("group").members.map(\.id) }

    // MARK: Whole groups

    /// A stable group of so many dynamic members, in one generation after the first.
    func makeStable(
        _ count: Int = 1,
        metadata: String = "",
        session: Int32 = 10_000,
        rebalance: Int32 = 60_000
    ) throws -> [String] {
        let request = Self.request(metadata: metadata, session: session, rebalance: rebalance)
        let first = self.join(request)
        let leader = try #require(self.joined(first)).member
        let others = (1..<count).map { _ in self.join(request) }
        if count > 1 {
            self.join(Self.request(leader, metadata: metadata, session: session, rebalance: rebalance))
        }
        let members = try [leader] + others.map { try #require(self.joined($0)).member }
        let shares = Dictionary(uniqueKeysWithValues: members.map { ($0, "share of \($0)") })
        for member in members.reversed() { self.sync(member, self.generation, shares) }
        try #require(self.state == .stable)
        return members
    }
}
