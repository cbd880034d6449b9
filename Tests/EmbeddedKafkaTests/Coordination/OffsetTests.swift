import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("Committed offsets")
struct OffsetTests {
    private typealias Harness = GroupHarness

    private let partition = TopicPartition("topic", 0)

    private func commit(
        _ offset: Int64,
        member: String = "",
        generation: Int32 = -1,
        metadata: String = "",
        partition: TopicPartition = TopicPartition("topic", 0)
    ) -> OffsetCommit {
        OffsetCommit(
            group: "group",
            member: member,
            generation: generation,
            partitions: [
                OffsetCommit.Partition(partition: partition, offset: offset, leaderEpoch: 3, metadata: metadata)
            ]
        )
    }

    private func committed(_ group: Harness, _ partition: TopicPartition = TopicPartition("topic", 0)) -> Int64? {
        group.coordinator.fetchOffsets(group: "group", partitions: [partition])[0].committed?.offset
    }

    @Test("A consumer that is no member commits to a group that then exists, and reads all back")
    func simpleConsumer() {
        let group = Harness()
        #expect(group.coordinator.commitOffsets(self.commit(7, metadata: "größe"), now: group.now) == [.none])
        #expect(group.coordinator.list() == [GroupListing(group: "group", protocolType: "", state: .empty)])
        let expected = CommittedOffset(offset: 7, leaderEpoch: 3, metadata: "größe", commitTime: group.now)
        let fetched = FetchedOffset(partition: self.partition, committed: expected)
        #expect(group.coordinator.fetchOffsets(group: "group", partitions: nil) == [fetched])
        let other = TopicPartition("topic", 1)
        #expect(
            group.coordinator.fetchOffsets(group: "group", partitions: [other, self.partition])
                == [FetchedOffset(partition: other), fetched]
        )
        #expect(group.coordinator.fetchOffsets(group: "?", partitions: nil).isEmpty)
        #expect(
            group.coordinator.fetchOffsets(group: "?", partitions: [other]) == [FetchedOffset(partition: other)]
        )
    }

    @Test("Members commit while stable and while others are gathered, nobody while the leader assigns")
    func states() throws {
        let group = Harness()
        let members = try group.makeStable(2)
        func attempt(_ offset: Int64, _ member: String, _ generation: Int32) -> ErrorCode {
            group.coordinator.commitOffsets(
                self.commit(offset, member: member, generation: generation),
                now: group.now
            )[0]
        }
        #expect(attempt(1, members[0], 2) == .none)
        #expect(attempt(2, members[0], 1) == .illegalGeneration)
        #expect(attempt(2, members[0], -1) == .illegalGeneration)
        #expect(attempt(2, "?", 2) == .unknownMemberID)
        #expect(attempt(2, "", -1) == .unknownMemberID)
        #expect(self.committed(group) == 1)

        group.join(Harness.request(members[0]))
        #expect(group.state == .preparingRebalance)
        #expect(attempt(3, members[1], 2) == .none)
        #expect(attempt(4, "", -1) == .unknownMemberID)
        group.join(Harness.request(members[1]))
        #expect(group.state == .completingRebalance)
        #expect(attempt(5, members[1], 3) == .rebalanceInProgress)
        #expect(attempt(5, "", -1) == .unknownMemberID)
        #expect(self.committed(group) == 3)

        for member in members { _ = group.leave(member) }
        #expect(group.state == .empty)
        #expect(attempt(6, members[0], 3) == .unknownMemberID)
        #expect(attempt(7, "", -1) == .none)
        #expect(self.committed(group) == 7)
        var unknown = self.commit(1, member: "m", generation: 1)
        unknown.group = "?"
        #expect(group.coordinator.commitOffsets(unknown, now: group.now) == [.illegalGeneration])
        #expect(group.coordinator.describe("?").state == .dead)
    }

    @Test("A commit is a sign of life")
    func session() throws {
        let group = Harness()
        let member = try group.makeStable()[0]
        for offset in 0..<4 {
            group.advance(6000)
            let commit = self.commit(Int64(offset), member: member, generation: 1)
            #expect(group.coordinator.commitOffsets(commit, now: group.now) == [.none])
        }
        #expect(group.state == .stable)
    }

    @Test("Metadata above the limit fails its partition alone")
    func metadata() {
        let group = Harness()
        var commit = self.commit(1, metadata: String(repeating: "é", count: 4096))
        let long = String(repeating: "e", count: 4097)
        commit.partitions.append(OffsetCommit.Partition(partition: TopicPartition("t", 1), offset: 2, metadata: long))
        #expect(group.coordinator.commitOffsets(commit, now: 0) == [.none, .offsetMetadataTooLarge])
        #expect(self.committed(group, TopicPartition("t", 1)) == nil)
        #expect(self.committed(group) == 1)
    }

    @Test("Offsets of a transaction show when it commits and vanish when it aborts", arguments: [true, false])
    func transaction(commits: Bool) {
        let group = Harness()
        _ = group.coordinator.commitOffsets(self.commit(1), now: 0)
        #expect(group.coordinator.commitTransactionalOffsets(self.commit(5), producerID: 9, now: 0) == [.none])
        #expect(self.committed(group) == 1)
        let fetched = group.coordinator.fetchOffsets(group: "group", partitions: nil, requiresStable: true)
        #expect(fetched == [FetchedOffset(partition: self.partition, error: .unstableOffsetCommit)])
        let other = TopicPartition("topic", 1)
        let stable = group.coordinator.fetchOffsets(group: "group", partitions: [other], requiresStable: true)
        #expect(stable == [FetchedOffset(partition: other)])

        group.coordinator.completeTransaction(producerID: 8, groups: ["group"], commit: true)
        #expect(self.committed(group) == 1, "another producer's transaction changes nothing")
        for _ in 0..<2 {
            group.coordinator.completeTransaction(producerID: 9, groups: ["group", "?"], commit: commits)
            #expect(self.committed(group) == (commits ? 5 : 1))
        }
        let after = group.coordinator.fetchOffsets(group: "group", partitions: nil, requiresStable: true)
        #expect(after.map(\.error) == [.none])
    }

    @Test("What was committed last stands, whenever the transaction ends")
    func latestWins() {
        let group = Harness()
        _ = group.coordinator.commitTransactionalOffsets(self.commit(5), producerID: 1, now: 0)
        _ = group.coordinator.commitOffsets(self.commit(9), now: 0)
        group.coordinator.completeTransaction(producerID: 1, groups: ["group"], commit: true)
        #expect(self.committed(group) == 9)
        _ = group.coordinator.commitTransactionalOffsets(self.commit(6), producerID: 1, now: 0)
        _ = group.coordinator.commitTransactionalOffsets(self.commit(7), producerID: 2, now: 0)
        group.coordinator.completeTransaction(producerID: 2, groups: ["group"], commit: true)
        group.coordinator.completeTransaction(producerID: 1, groups: ["group"], commit: true)
        #expect(self.committed(group) == 7)
    }

    @Test("A commit in a transaction that names a member is checked, one that doesn't is trusted (KIP-447)")
    func transactionalChecks() throws {
        let group = Harness()
        let member = try group.makeStable()[0]
        func attempt(_ member: String, _ generation: Int32) -> [ErrorCode] {
            let commit = self.commit(1, member: member, generation: generation)
            return group.coordinator.commitTransactionalOffsets(commit, producerID: 1, now: 0)
        }
        #expect(attempt("", -1) == [.none])
        #expect(attempt(member, 1) == [.none])
        #expect(attempt(member, 0) == [.illegalGeneration])
        #expect(attempt("?", 1) == [.unknownMemberID])
        group.join(Harness.request(member))
        #expect(group.state == .completingRebalance)
        #expect(attempt(member, 2) == [.none])
    }

    @Test("An aborted transaction leaves no group behind that never was")
    func abortedGroup() {
        let group = Harness()
        _ = group.coordinator.commitTransactionalOffsets(self.commit(1), producerID: 1, now: 0)
        #expect(group.coordinator.list().count == 1)
        group.coordinator.completeTransaction(producerID: 1, groups: ["group"], commit: false)
        #expect(group.coordinator.list().isEmpty)
    }

    // MARK: Deleting

    /// What the Java consumer writes: version 1, topics, user data, owned partitions.
    private func subscription(_ topics: [String]) -> ByteBuffer {
        var writer = WireWriter(isFlexible: false)
        writer.int16(1)
        writer.strings(topics)
        writer.bytes(nil)
        writer.int32(0)
        return writer.buffer
    }

    @Test("OffsetDelete spares what a member subscribes to, and anything of a group it doesn't understand")
    func deleteOffsets() {
        let group = Harness()
        let mine = TopicPartition("mine", 0)
        let old = TopicPartition("old", 0)
        for partition in [mine, old] {
            _ = group.coordinator.commitOffsets(self.commit(1, partition: partition), now: 0)
        }
        var join = Harness.request()
        join.protocols = [GroupProtocol(name: "range", metadata: self.subscription(["mine"]))]
        let member = group.joined(group.join(join))?.member ?? ""
        group.sync(member, 1)
        let result = group.coordinator.deleteOffsets(group: "group", partitions: [mine, old])
        #expect(result.error == .none)
        #expect(result.partitions == [.groupSubscribedToTopic, .none])
        #expect(self.committed(group, mine) == 1)
        #expect(self.committed(group, old) == nil)

        join.member = member
        join.protocols = [GroupProtocol(name: "range", metadata: ByteBuffer(bytes: [0, 1, 0xff, 0xff, 0xff]))]
        group.join(join)
        #expect(
            group.coordinator.deleteOffsets(group: "group", partitions: [old]).partitions == [.groupSubscribedToTopic]
        )
        #expect(group.leave(member) == ErrorCode.none)
        #expect(group.coordinator.deleteOffsets(group: "group", partitions: [mine]).partitions == [.none])
        #expect(group.coordinator.list().isEmpty, "nothing is left of the group")
        #expect(group.coordinator.deleteOffsets(group: "group", partitions: [mine]).error == .groupIDNotFound)

        group.join(Harness.request(type: "connect"))
        #expect(group.coordinator.deleteOffsets(group: "group", partitions: [mine]).error == .nonEmptyGroup)
    }

    @Test("A topic's end is the end of its offsets, and of a group that has nothing else")
    func deletedTopic() {
        let group = Harness()
        let other = TopicPartition("other", 0)
        _ = group.coordinator.commitOffsets(self.commit(1), now: 0)
        _ = group.coordinator.commitTransactionalOffsets(self.commit(2), producerID: 1, now: 0)
        _ = group.coordinator.commitOffsets(self.commit(1, partition: other), now: 0)
        group.coordinator.removeTopics(["topic"])
        group.coordinator.completeTransaction(producerID: 1, groups: ["group"], commit: true)
        #expect(self.committed(group) == nil)
        #expect(self.committed(group, other) == 1)
        group.coordinator.removeTopics(["other"])
        #expect(group.coordinator.list().isEmpty)
    }

    @Test("A deleted group's offsets are gone, also those of an open transaction")
    func deletedGroup() {
        let group = Harness()
        _ = group.coordinator.commitOffsets(self.commit(1), now: 0)
        _ = group.coordinator.commitTransactionalOffsets(self.commit(2), producerID: 1, now: 0)
        #expect(group.coordinator.delete(["group"]) == [.none])
        group.coordinator.completeTransaction(producerID: 1, groups: ["group"], commit: true)
        #expect(self.committed(group) == nil)
    }
}
