import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("Groups: static members (KIP-345)")
struct StaticMemberTests {
    private typealias Harness = GroupHarness

    /// A stable group of a dynamic leader and a static follower, or the other way round.
    private func makeGroup(leaderIsStatic: Bool) throws -> (group: Harness, dynamic: String, fixed: String) {
        let group = Harness()
        let first = group.join(Harness.request(instance: leaderIsStatic ? "i" : nil))
        let leader = try #require(group.joined(first)).member
        let second = group.join(Harness.request(instance: leaderIsStatic ? nil : "i"))
        group.join(Harness.request(leader, instance: leaderIsStatic ? "i" : nil))
        let follower = try #require(group.joined(second)).member
        group.sync(leader, 2, [leader: "leader's", follower: "follower's"])
        group.sync(follower, 2)
        return leaderIsStatic ? (group, follower, leader) : (group, leader, follower)
    }

    @Test("A restart keeps generation and assignment under a new id; the old one is fenced", arguments: [true, false])
    func replacement(leaderIsStatic: Bool) throws {
        let (group, dynamic, former) = try self.makeGroup(leaderIsStatic: leaderIsStatic)
        #expect(former.hasPrefix("i-"))
        let join = group.join(Harness.request(instance: "i", requiresKnownMemberID: true))
        let joined = try #require(group.joined(join))
        #expect(joined.generation == 2)
        #expect(joined.member != former)
        #expect(joined.members.isEmpty)
        // Never its own id, or it would assign: as Apache Kafka does, the former leader is named.
        #expect(joined.leader == (leaderIsStatic ? former : dynamic))
        #expect(group.state == .stable)
        let share = group.sync(joined.member, 2, instance: "i")
        #expect(group.share(share) == (leaderIsStatic ? "leader's" : "follower's"))
        #expect(group.heartbeat(dynamic, 2) == .none)

        #expect(group.heartbeat(former, 2, instance: "i") == .fencedInstanceID)
        #expect(group.syncError(group.sync(former, 2, instance: "i")) == .fencedInstanceID)
        #expect(group.joinError(group.join(Harness.request(former, instance: "i"))) == .fencedInstanceID)
        #expect(group.leave(former, instance: "i") == .fencedInstanceID)
        let commit = OffsetCommit(
            group: "group",
            member: former,
            instance: "i",
            generation: 2,
            partitions: [OffsetCommit.Partition(partition: TopicPartition("t", 0), offset: 1)]
        )
        #expect(group.coordinator.commitOffsets(commit, now: group.now) == [.fencedInstanceID])
        let transactional = group.coordinator.commitTransactionalOffsets(commit, producerID: 1, now: group.now)
        #expect(transactional == [.fencedInstanceID])
        #expect(group.heartbeat(former, 2) == .unknownMemberID)
        #expect(group.heartbeat(joined.member, 2, instance: "i") == .none)
        #expect(group.heartbeat(joined.member, 2, instance: "j") == .unknownMemberID)
    }

    @Test("A restart with protocols that change the vote rebalances")
    func changedProtocols() throws {
        let group = Harness()
        let first = group.join(Harness.request(instance: "i", protocols: ["range", "robin"]))
        group.sync(try #require(group.joined(first)).member, 1, instance: "i")
        let again = group.join(Harness.request(instance: "i", protocols: ["robin", "range"]))
        #expect(group.joined(again)?.generation == 2)
        #expect(group.joined(again)?.protocolName == "robin")
    }

    @Test("A restart while the leader assigns begins anew, since the assignment would be for the old id")
    func replacementWhileCompleting() throws {
        let (group, dynamic, former) = try self.makeGroup(leaderIsStatic: false)
        group.join(Harness.request(former, instance: "i", metadata: "changed"))
        group.join(Harness.request(dynamic))
        let waits = group.sync(former, 3, instance: "i")
        let join = group.join(Harness.request(instance: "i"))
        #expect(group.syncError(waits) == .fencedInstanceID)
        #expect(group.isWaiting(join))
        group.join(Harness.request(dynamic))
        #expect(group.joined(join)?.generation == 4)
    }

    @Test("A restart while members are gathered takes the place of the join that waits")
    func replacementWhilePreparing() throws {
        let (group, dynamic, former) = try self.makeGroup(leaderIsStatic: false)
        let waits = group.join(Harness.request(former, instance: "i", metadata: "changed"))
        let join = group.join(Harness.request(instance: "i"))
        #expect(group.joinError(waits) == .fencedInstanceID)
        group.join(Harness.request(dynamic))
        #expect(group.joined(join)?.generation == 3)
        #expect(group.members.count == 2)
    }

    @Test("A static member that is away keeps its place through a rebalance, until its session ends")
    func away() throws {
        let group = Harness()
        let fixed = try #require(
            group.joined(group.join(Harness.request(instance: "i", session: 60_000, rebalance: 5000)))
        ).member
        group.sync(fixed, 1, instance: "i")
        let second = group.join(Harness.request(session: 60_000, rebalance: 5000))
        group.advance(5000)
        let joined = try #require(group.joined(second))
        #expect(joined.leader == joined.member, "a leader that is away can't lead")
        #expect(joined.members.map(\.id) == [fixed, joined.member])
        let back = group.join(Harness.request(instance: "i", session: 60_000, rebalance: 5000))
        #expect(group.isWaiting(back))
        group.join(Harness.request(joined.member, session: 60_000, rebalance: 5000))
        #expect(group.joined(back)?.generation == 3)
    }

    @Test("A group of static members that are all away waits for them, then is empty")
    func allAway() throws {
        let group = Harness()
        let request = Harness.request(instance: "i", session: 20_000, rebalance: 5000)
        let member = try #require(group.joined(group.join(request))).member
        group.sync(member, 1, instance: "i")
        let lost = group.join(Harness.request(instance: "j", session: 12_000, rebalance: 5000))
        group.coordinator.forget(lost, now: group.now)
        group.advance(11_999)
        #expect(group.members.count == 2)
        #expect(group.state == .preparingRebalance)
        group.advance(1)
        #expect(group.members == [member])
        group.advance(8000)
        #expect(group.state == .empty)
        #expect(group.coordinator.nextDeadline == nil)
    }

    @Test("Who joins static members that are all away waits for them no longer than a rebalance may take")
    func joinWhileAllAway() throws {
        let group = Harness()
        let request = Harness.request(instance: "i", session: 60_000, rebalance: 5000)
        let member = try #require(group.joined(group.join(request))).member
        group.sync(member, 1, instance: "i")
        let lost = group.join(Harness.request(instance: "j", session: 60_000, rebalance: 5000))
        group.coordinator.forget(lost, now: group.now)
        group.advance(20_000)
        #expect(group.state == .preparingRebalance)
        let join = group.join(Harness.request(session: 60_000, rebalance: 5000))
        group.advance(4999)
        #expect(group.isWaiting(join))
        group.advance(1)
        #expect(group.joined(join)?.members.count == 3)
        #expect(group.joined(join)?.leader == group.joined(join)?.member)
    }

    @Test("LeaveGroup 3 removes by instance alone, and answers each")
    func leaveByInstance() throws {
        let (group, dynamic, _) = try self.makeGroup(leaderIsStatic: false)
        let result = group.coordinator.leave(
            group: "group",
            [
                GroupLeave(member: "", instance: "i"), GroupLeave(member: "", instance: "?"),
                GroupLeave(member: "?", instance: nil), GroupLeave(member: "", instance: nil),
            ],
            now: group.now
        )
        #expect(result.error == .none)
        #expect(result.members == [.none, .unknownMemberID, .unknownMemberID, .unknownMemberID])
        #expect(group.members == [dynamic])
    }
}
