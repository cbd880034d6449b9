import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("Groups: what time does")
struct GroupTimeTests {
    private typealias Harness = GroupHarness

    @Test("A member of which nothing is heard is gone when its session ends; heartbeats keep one")
    func session() throws {
        let group = Harness()
        let members = try group.makeStable(2)
        group.advance(6000)
        #expect(group.heartbeat(members[0], 2) == .none)
        group.advance(3999)
        #expect(group.state == .stable)
        group.advance(1)
        #expect(group.members == [members[0]])
        #expect(group.heartbeat(members[0], 2) == .rebalanceInProgress)
        let join = group.join(Harness.request(members[0]))
        #expect(group.joined(join)?.generation == 3)
    }

    @Test("A group whose last member vanishes is empty")
    func lastMember() throws {
        let group = Harness()
        _ = try group.makeStable()
        group.advance(10_000)
        #expect(group.state == .empty)
        #expect(group.coordinator.nextDeadline == nil)
    }

    @Test("Sessions don't end while members wait, and begin anew with the answer")
    func waitingMembers() throws {
        let group = Harness()
        let members = try group.makeStable(2)
        let join = group.join(Harness.request(members[0], rebalance: 40_000))
        for _ in 0..<7 {
            group.advance(5000)
            #expect(group.heartbeat(members[1], 2) == .rebalanceInProgress)
        }
        #expect(group.isWaiting(join))
        group.join(Harness.request(members[1]))
        #expect(group.joined(join)?.generation == 3)
        let sync = group.sync(members[1], 3)
        for _ in 0..<3 {
            group.advance(5000)
            #expect(group.heartbeat(members[0], 3) == .none)
        }
        group.sync(members[0], 3, [members[1]: "share"])
        #expect(group.share(sync) == "share")
        group.advance(9999)
        #expect(group.members.count == 2)
    }

    @Test("Who doesn't rejoin in the largest member's rebalance time-out is left out, whatever its heartbeats say")
    func missedRebalance() throws {
        let group = Harness()
        let first = try group.makeStable(rebalance: 20_000)[0]
        let second = group.join(Harness.request(rebalance: 12_000))
        group.advance(9999)
        #expect(group.heartbeat(first, 1) == .rebalanceInProgress)
        group.advance(9999)
        #expect(group.heartbeat(first, 1) == .rebalanceInProgress)
        #expect(group.isWaiting(second))
        group.advance(2)
        let joined = try #require(group.joined(second))
        #expect(joined.leader == joined.member)
        #expect(joined.members.map(\.id) == [joined.member])
        #expect(group.heartbeat(first, 2) == .unknownMemberID)
    }

    @Test("A leader that doesn't sync is removed after the rebalance time-out, and the others join again")
    func leaderDoesNotSync() throws {
        let group = Harness()
        let members = try group.makeStable(2, rebalance: 20_000)
        group.join(Harness.request(members[0], rebalance: 20_000))
        group.join(Harness.request(members[1], rebalance: 20_000))
        let sync = group.sync(members[1], 3)
        for _ in 0..<3 {
            group.advance(5000)
            #expect(group.heartbeat(members[0], 3) == .none)
        }
        #expect(group.isWaiting(sync))
        group.advance(5000)
        #expect(group.syncError(sync) == .rebalanceInProgress)
        #expect(group.members == [members[1]])
        #expect(group.joined(group.join(Harness.request(members[1])))?.leader == members[1])
    }

    @Test("So is a member that has not synced when the leader has long assigned")
    func followerDoesNotSync() throws {
        let group = Harness()
        let members = try group.makeStable(2, rebalance: 8000)
        group.join(Harness.request(members[0], rebalance: 8000))
        group.join(Harness.request(members[1], rebalance: 8000))
        group.sync(members[0], 3)
        #expect(group.state == .stable)
        group.advance(8000)
        #expect(group.members == [members[0]])
        #expect(group.state == .preparingRebalance)
    }

    @Test("An empty group can be told to wait for more members before its first generation")
    func initialDelay() throws {
        let group = Harness(settings: GroupSettings(initialRebalanceDelay: 3000))
        let first = group.join(Harness.request(rebalance: 8000))
        group.advance(2000)
        let second = group.join(Harness.request(rebalance: 8000))
        group.advance(1000)
        #expect(group.isWaiting(first), "somebody came, so it waits once more")
        group.advance(3000)
        #expect(group.joined(first)?.members.count == 2)
        #expect(group.joined(second)?.generation == 1)
    }

    @Test("The wait for more members never exceeds the rebalance time-out")
    func initialDelayEnds() throws {
        let group = Harness(settings: GroupSettings(initialRebalanceDelay: 3000))
        let first = group.join(Harness.request(rebalance: 8000))
        for _ in 0..<7 {
            group.advance(1000)
            group.join(Harness.request(rebalance: 8000))
        }
        #expect(group.isWaiting(first))
        group.advance(1000)
        #expect(group.joined(first)?.members.count == 8)
    }

    @Test("A member whose connection is gone while it waits stays until its session ends, and may come again")
    func forgottenJoin() throws {
        for comesAgain in [true, false] {
            let group = Harness()
            let members = try group.makeStable(2)
            let lost = group.join(Harness.request(members[1], metadata: "other"))
            group.coordinator.forget(lost, now: group.now)
            let join = group.join(Harness.request(members[0]))
            #expect(group.isWaiting(join))
            if comesAgain { group.join(Harness.request(members[1])) } else { group.advance(10_000) }
            #expect(group.joined(join)?.members.count == (comesAgain ? 2 : 1))
            #expect(group.isWaiting(lost))
        }
    }

    @Test("A forgotten sync isn't answered, and its member can sync again")
    func forgottenSync() throws {
        let group = Harness()
        let members = try group.makeStable(2)
        group.join(Harness.request(members[0]))
        group.join(Harness.request(members[1]))
        let lost = group.sync(members[1], 3)
        group.coordinator.forget(lost, now: group.now)
        group.sync(members[0], 3, [members[1]: "share"])
        #expect(group.isWaiting(lost))
        #expect(group.share(group.sync(members[1], 3)) == "share")
    }

    @Test("The first join of a member that is never completed is given up in the end")
    func newMemberTimeout() throws {
        let group = Harness(settings: GroupSettings(newMemberTimeout: 30_000))
        let member = try group.makeStable(rebalance: 1_000_000)[0]
        let join = group.join(Harness.request(rebalance: 1_000_000))
        for _ in 0..<6 {
            #expect(group.heartbeat(member, 1) == .rebalanceInProgress)
            #expect(group.isWaiting(join))
            group.advance(5000)
        }
        #expect(group.joinError(join) == .unknownMemberID)
    }

    @Test("A member that repeats its join or sync is answered on the newer request")
    func supersededRequests() throws {
        let group = Harness()
        let members = try group.makeStable(2)
        let first = group.join(Harness.request(members[0]))
        let second = group.join(Harness.request(members[0]))
        #expect(group.joinError(first) == .rebalanceInProgress)
        group.join(Harness.request(members[1]))
        #expect(group.joined(second) != nil)
        let sync = group.sync(members[1], 3)
        let again = group.sync(members[1], 3)
        #expect(group.syncError(sync) == .rebalanceInProgress)
        group.sync(members[0], 3)
        #expect(group.share(again) == "")
    }
}
