import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("Groups: join, sync, heartbeat, leave")
struct GroupMembershipTests {
    private typealias Harness = GroupHarness

    @Test("The first member is answered at once, leads, and gets what it assigns itself")
    func oneMember() throws {
        let group = Harness()
        let join = group.join(Harness.request(metadata: "topics"))
        let joined = try #require(group.joined(join))
        #expect(joined.generation == 1)
        #expect(joined.protocolName == "range")
        #expect(joined.leader == joined.member)
        #expect(joined.member == "client-00000000-0000-0000-0000-000000000001")
        #expect(
            joined.members == [
                JoinedGroup.Member(id: joined.member, instance: nil, metadata: ByteBuffer(string: "topics"))
            ]
        )
        #expect(group.state == .completingRebalance)
        let sync = group.sync(joined.member, 1, [joined.member: "all"])
        #expect(group.share(sync) == "all")
        #expect(group.state == .stable)
        #expect(group.heartbeat(joined.member, 1) == .none)
        #expect(group.leave(joined.member) == ErrorCode.none)
        #expect(group.state == .empty)
        #expect(group.coordinator.nextDeadline == nil)
    }

    @Test(
        "A second member makes the first rejoin; both get their shares, whichever syncs first",
        arguments: [true, false]
    )
    func twoMembers(leaderSyncsFirst: Bool) throws {
        let group = Harness()
        let leader = try group.makeStable()[0]
        let second = group.join(Harness.request())
        #expect(group.isWaiting(second))
        #expect(group.heartbeat(leader, 1) == .rebalanceInProgress)
        let again = group.join(Harness.request(leader))
        let joined = try #require(group.joined(second))
        #expect(joined.generation == 2)
        #expect(joined.leader == leader)
        #expect(joined.members.isEmpty)
        #expect(group.joined(again)?.members.map(\.id) == [leader, joined.member])

        let shares = [leader: "a", joined.member: "b"]
        if leaderSyncsFirst {
            #expect(group.share(group.sync(leader, 2, shares)) == "a")
            #expect(group.share(group.sync(joined.member, 2)) == "b")
        } else {
            let waits = group.sync(joined.member, 2)
            #expect(group.isWaiting(waits))
            #expect(group.heartbeat(joined.member, 2) == .none)
            #expect(group.share(group.sync(leader, 2, shares)) == "a")
            #expect(group.share(waits) == "b")
        }
        #expect(group.state == .stable)
    }

    @Test("Three members: one leaves, the others share its part in the next generation")
    func threeMembers() throws {
        let group = Harness()
        let members = try group.makeStable(3)
        #expect(group.generation == 2)
        #expect(group.leave(members[0]) == ErrorCode.none)
        #expect(group.state == .preparingRebalance)
        let second = group.join(Harness.request(members[1]))
        #expect(group.isWaiting(second))
        let third = group.join(Harness.request(members[2]))
        #expect(group.joined(second)?.generation == 3)
        #expect(group.joined(second)?.leader == members[1])
        #expect(group.joined(third)?.leader == members[1])
        #expect(group.heartbeat(members[0], 3) == .unknownMemberID)
    }

    @Test("The members elect the protocol that most prefer among those that all support")
    func vote() throws {
        let group = Harness()
        let first = try #require(group.joined(group.join(Harness.request(protocols: ["sticky", "range", "robin"]))))
            .member
        let second = group.join(Harness.request(protocols: ["robin", "range"]))
        let third = group.join(Harness.request(protocols: ["new", "robin", "range"]))
        group.join(Harness.request(first, protocols: ["sticky", "range", "robin"]))
        #expect(group.joined(second)?.protocolName == "robin")
        #expect(group.joined(third)?.protocolName == "robin")
    }

    @Test("A member without a common protocol, or of another type, gets 23 and disturbs nobody")
    func inconsistentProtocol() throws {
        let group = Harness()
        let members = try group.makeStable()
        #expect(group.joinError(group.join(Harness.request(protocols: ["robin"]))) == .inconsistentGroupProtocol)
        #expect(group.joinError(group.join(Harness.request(type: "connect"))) == .inconsistentGroupProtocol)
        #expect(group.joinError(group.join(Harness.request(protocols: []))) == .inconsistentGroupProtocol)
        #expect(group.joinError(group.join(Harness.request(type: ""))) == .inconsistentGroupProtocol)
        #expect(group.heartbeat(members[0], 1) == .none)
    }

    @Test("What can't be: no group id, session time-outs out of bounds, ids nobody has, old generations")
    func refusals() throws {
        let group = Harness()
        var request = Harness.request()
        request.group = ""
        #expect(group.joinError(group.join(request)) == .invalidGroupID)
        #expect(group.joinError(group.join(Harness.request(session: 9))) == .invalidSessionTimeout)
        #expect(group.joinError(group.join(Harness.request(session: 1_800_001))) == .invalidSessionTimeout)
        #expect(group.joinError(group.join(Harness.request("nobody"))) == .unknownMemberID)
        #expect(group.heartbeat("nobody", 1) == .unknownMemberID)
        #expect(group.syncError(group.sync("nobody", 1)) == .unknownMemberID)
        #expect(group.leave("nobody") == .unknownMemberID)
        #expect(group.state == .dead)

        let member = try group.makeStable()[0]
        #expect(group.joinError(group.join(Harness.request("nobody"))) == .unknownMemberID)
        #expect(group.heartbeat(member, 0) == .illegalGeneration)
        #expect(group.heartbeat("nobody", 1) == .unknownMemberID)
        #expect(group.syncError(group.sync(member, 2)) == .illegalGeneration)
        #expect(group.leave("nobody") == .unknownMemberID)
        #expect(group.coordinator.heartbeat(group: "", member: "m", generation: 1, now: 0) == .invalidGroupID)
        #expect(group.coordinator.leave(group: "", [], now: 0).error == .invalidGroupID)
    }

    @Test("A follower that rejoins a stable group unchanged is told the generation; a leader or a change rebalances")
    func rejoin() throws {
        let group = Harness()
        let members = try group.makeStable(2)
        let follower = group.join(Harness.request(members[1]))
        #expect(group.joined(follower)?.generation == 2)
        #expect(group.joined(follower)?.members == [])
        #expect(group.state == .stable)
        #expect(group.share(group.sync(members[1], 2)) == "share of \(members[1])")

        let changed = group.join(Harness.request(members[1], metadata: "other topics"))
        #expect(group.isWaiting(changed))
        group.join(Harness.request(members[0]))
        #expect(group.joined(changed)?.generation == 3)
        group.sync(members[1], 3)
        group.sync(members[0], 3)
        #expect(group.state == .stable)

        let leader = group.join(Harness.request(members[0]))
        #expect(group.isWaiting(leader))
        #expect(group.state == .preparingRebalance)
    }

    @Test("A cooperative assignor's second rebalance: all rejoin with what they own now, and keep their ids")
    func cooperative() throws {
        let group = Harness()
        let members = try group.makeStable(2, metadata: "owns 0 1")
        // The one that has given up a partition rejoins with other metadata, the other on its heartbeat.
        let first = group.join(Harness.request(members[1], metadata: "owns 1"))
        #expect(group.heartbeat(members[0], 2) == .rebalanceInProgress)
        let second = group.join(Harness.request(members[0], metadata: "owns 0"))
        #expect(group.joined(first)?.generation == 3)
        #expect(group.joined(second)?.members.map(\.id) == members)
        #expect(group.joined(second)?.members.map { String(buffer: $0.metadata) } == ["owns 0", "owns 1"])
        #expect(group.joined(second)?.leader == members[0])
    }

    @Test("A sync that comes late, after the next rebalance has begun or ended, tells the member to join again")
    func lateSync() throws {
        let group = Harness()
        let first = try #require(group.joined(group.join(Harness.request()))).member
        let second = group.join(Harness.request())
        #expect(group.syncError(group.sync(first, 1)) == .rebalanceInProgress)
        group.join(Harness.request(first))
        #expect(group.joined(second) != nil)
        #expect(group.syncError(group.sync(first, 1)) == .illegalGeneration)
    }

    @Test("A rebalance that begins while members wait in sync sends them back to join")
    func joinDuringSync() throws {
        let group = Harness()
        let members = try group.makeStable(2)
        group.join(Harness.request(members[0]))
        group.join(Harness.request(members[1]))
        let sync = group.sync(members[1], 3)
        group.join(Harness.request())
        #expect(group.syncError(sync) == .rebalanceInProgress)
        #expect(group.state == .preparingRebalance)
    }

    @Test("A join whose answer was lost is answered again in the same generation")
    func lostAnswer() throws {
        let group = Harness()
        let joined = try #require(group.joined(group.join(Harness.request())))
        let again = group.join(Harness.request(joined.member))
        #expect(group.joined(again) == joined)
    }

    @Test("With KIP-394 a new member comes twice and is one member; an id that isn't used is forgotten")
    func pendingMember() throws {
        let group = Harness()
        let first = group.join(Harness.request(requiresKnownMemberID: true))
        #expect(group.joinError(first) == .memberIDRequired)
        #expect(group.state == .empty)
        #expect(group.members == [])
        let id = "client-00000000-0000-0000-0000-000000000001"
        #expect(group.heartbeat(id, 0) == .unknownMemberID)
        let again = group.join(Harness.request(id, requiresKnownMemberID: true))
        #expect(group.joined(again)?.member == id)
        #expect(group.members == [id])

        group.sync(id, 1)
        group.join(Harness.request(requiresKnownMemberID: true))
        group.advance(5000)
        #expect(group.heartbeat(id, 1) == .none)
        group.advance(5000)
        let late = group.join(Harness.request("client-00000000-0000-0000-0000-000000000002"))
        #expect(group.joinError(late) == .unknownMemberID)
        #expect(group.state == .stable)
    }

    @Test("A rebalance waits for an id that was given out, until it is used, given back, or forgotten")
    func rebalanceWaitsForPendingMember() throws {
        for way in 0..<3 {
            let group = Harness()
            let member = try group.makeStable()[0]
            group.join(Harness.request(session: 3000, requiresKnownMemberID: true))
            let pending = "client-00000000-0000-0000-0000-000000000002"
            let join = group.join(Harness.request(member))
            #expect(group.isWaiting(join))
            switch way {
            case 0: group.join(Harness.request(pending))
            case 1: #expect(group.leave(pending) == ErrorCode.none)
            default: group.advance(3000)
            }
            #expect(group.joined(join)?.members.count == (way == 0 ? 2 : 1), "way \(way)")
        }
    }

    @Test("An id that was given out and never came back leaves no group behind")
    func pendingOnly() {
        let group = Harness()
        group.join(Harness.request(requiresKnownMemberID: true))
        #expect(group.coordinator.list().count == 1)
        group.advance(10_000)
        #expect(group.coordinator.list().isEmpty)
        #expect(group.coordinator.nextDeadline == nil)
    }

    @Test("Groups are listed by state and described; the empty one can be deleted, once")
    func administration() throws {
        let group = Harness()
        let member = try group.makeStable(metadata: "topics")[0]
        #expect(group.coordinator.list() == [GroupListing(group: "group", protocolType: "consumer", state: .stable)])
        #expect(group.coordinator.list(states: ["stable", "Empty"]).count == 1)
        #expect(group.coordinator.list(states: ["Empty"]).isEmpty)
        #expect(group.coordinator.list(states: ["?"]).isEmpty)
        let description = group.coordinator.describe("group")
        #expect(description.protocolName == "range")
        #expect(
            description.members == [
                GroupDescription.Member(
                    id: member,
                    clientID: "client",
                    clientHost: "/127.0.0.1",
                    metadata: ByteBuffer(string: "topics"),
                    assignment: ByteBuffer(string: "share of \(member)")
                )
            ]
        )
        #expect(group.coordinator.describe("?").state == .dead)
        #expect(group.coordinator.delete(["group", "?"]) == [.nonEmptyGroup, .groupIDNotFound])
        #expect(group.leave(member) == ErrorCode.none)
        #expect(group.coordinator.describe("group").protocolType == "consumer")
        #expect(group.coordinator.delete(["group", "group"]) == [.none, .groupIDNotFound])
        #expect(group.state == .dead)
    }
}
