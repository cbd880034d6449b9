import EmbeddedKafka
import TestSupport
import Testing

@testable import KafkaClient

/// Consumer groups and their offsets.
@Suite(.timeLimit(.minutes(1)))
struct AdminGroupsTests {
    /// Commits for a group from outside.
    private func commit(
        _ cluster: EmbeddedKafkaCluster,
        group: String,
        _ offsets: [KafkaTopicPartition: Int64]
    ) async throws {
        try await withConsumer(.test(cluster, group: group)) { try await $0.commit(offsets) }
    }

    /// Runs `body` while a group has a member that reads all of a topic.
    private func withMember(
        _ cluster: EmbeddedKafkaCluster,
        group: String,
        topic: String,
        partitions: Int,
        _ body: (KafkaConsumer) async throws -> Void
    ) async throws {
        var configuration = KafkaConsumer.Configuration.test(cluster, group: group)
        configuration.clientID = "reader"
        configuration.groupInstanceID = "instance-1"
        try await withConsumer(configuration, subscribedTo: [topic]) { consumer in
            try await eventually("an assignment") { consumer.assignment.count == partitions }
            try await body(consumer)
        }
    }

    @Test func aGroupIsListedDescribedAndDeleted() async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            let group = uniqueName("group")
            try await withAdmin(cluster) { admin in
                try await self.withMember(cluster, group: group, topic: topic, partitions: 2) { consumer in
                    let described = try await admin.describeGroup(group)
                    #expect(described.group == group)
                    #expect(described.state == .stable)
                    #expect(!described.isSimple)
                    #expect(described.assignor == "cooperative-sticky")
                    #expect(described.coordinator?.id == 1)
                    #expect(described.coordinator.map { "\($0.host):\($0.port)" } == cluster.bootstrapServers[0])
                    let member = try #require(described.members.first)
                    #expect(described.members.count == 1)
                    #expect(member.clientID == "reader")
                    #expect(member.groupInstanceID == "instance-1")
                    #expect(!member.memberID.isEmpty)
                    #expect(member.host.contains("127.0.0.1"))
                    #expect(member.assignment == consumer.assignment)

                    let listed = try await admin.listGroups(states: [.stable])
                    #expect(listed.contains(KafkaGroupListing(group: group, state: .stable, isSimple: false)))
                    let empty = try await admin.listGroups(states: [.empty])
                    #expect(!empty.contains { $0.group == group })
                    let error = await #expect(throws: KafkaError.self) { try await admin.deleteGroup(group) }
                    #expect(error?.code == .groupMembership)
                    #expect(error?.group == group)
                    #expect(error?.description.contains(group) == true)
                    try await consumer.commit([place(topic): 0])
                }
                // A static member leaves by its session's end.
                let simple = uniqueName("simple")
                try await self.commit(cluster, group: simple, [place(topic): 0])
                let listed = try await admin.listGroups()
                let found = try #require(listed.first { $0.group == simple })
                #expect(found.state == .empty)
                #expect(found.isSimple)
                #expect(found.protocolType == "")
                #expect(listed.map(\.group) == listed.map(\.group).sorted())
                try await admin.deleteGroup(simple)
                let left = try await admin.listGroups()
                #expect(!left.contains { $0.group == simple })
            }
        }
    }

    @Test func groupsHaveAResultEach() async throws {
        try await withTopic { cluster, topic in
            let (one, two, missing) = (uniqueName("one"), uniqueName("two"), uniqueName("missing"))
            try await self.commit(cluster, group: one, [place(topic): 1])
            try await withAdmin(cluster) { admin in
                try await self.withMember(cluster, group: two, topic: topic, partitions: 1) { _ in
                    let described = try await admin.describeGroups([one, two, missing, one, "", "a\0b"])
                    let first = try #require(try described[one]?.get())
                    #expect(first.state == .empty)
                    #expect(first.members.isEmpty)
                    let second = try #require(try described[two]?.get())
                    #expect(second.members.count == 1)
                    let third = try #require(try described[missing]?.get())
                    #expect(third.state == .dead)
                    #expect(code(described[""]) == .invalidRequest)
                    #expect(code(described["a\0b"]) == .invalidRequest)
                    #expect(described.count == 5)

                    let deleted = try await admin.deleteGroups([one, two, missing, one, "", "a\0b"])
                    #expect(succeeded(deleted[one]))
                    #expect(code(deleted[two]) == .groupMembership)
                    #expect(code(deleted[missing]) == .unknownGroup)
                    #expect(code(deleted[""]) == .invalidRequest)
                    #expect(code(deleted["a\0b"]) == .invalidRequest)
                    #expect(deleted.count == 5)
                    for (name, result) in deleted {
                        guard let error = failure(of: result) else { continue }
                        #expect(error.group == name)
                    }
                }
            }
        }
    }

    @Test func offsetsAreListedAlteredAndDeleted() async throws {
        try await withTopic(partitions: 3) { cluster, topic in
            let group = uniqueName("group")
            let places = (0..<3).map { place(topic, $0) }
            try await withAdmin(cluster) { admin in
                let none = try await admin.listGroupOffsets(group)
                #expect(none.isEmpty, "a group that does not exist has no offsets")
                let altered = try await admin.alterGroupOffsets(group, to: [places[0]: 5, places[1]: 0])
                #expect(succeeded(altered[places[0]]))
                #expect(succeeded(altered[places[1]]))
                #expect(altered.count == 2)
                var offsets = try await admin.listGroupOffsets(group).mapValues { try $0.get().offset }
                #expect(offsets == [places[0]: 5, places[1]: 0])
                offsets = try await admin.listGroupOffsets(group, for: [places[0], places[2]], requireStable: true)
                    .mapValues { try $0.get().offset }
                #expect(offsets == [places[0]: 5], "without an offset there is nothing")
                offsets = try await admin.listGroupOffsets(group, for: []).mapValues { try $0.get().offset }
                #expect(offsets.isEmpty, "of no partitions there is none")
                let committed = try await withConsumer(.test(cluster, group: group)) {
                    try await $0.committedOffsets(for: places)
                }
                #expect(committed == [places[0]: 5, places[1]: 0])

                let deleted = try await admin.deleteGroupOffsets(group, of: [places[0], places[2], places[0]])
                #expect(succeeded(deleted[places[0]]))
                #expect(succeeded(deleted[places[2]]))
                #expect(deleted.count == 2)
                offsets = try await admin.listGroupOffsets(group).mapValues { try $0.get().offset }
                #expect(offsets == [places[1]: 0])
            }
        }
    }

    @Test func offsetsHaveAResultEach() async throws {
        try await withTopic { cluster, topic in
            let group = uniqueName("group")
            let (good, missing) = (place(topic), place(uniqueName("missing")))
            let hostile = [place(topic, 9), missing, place(topic, -1), place("", 0), place("a\0b", 0)]
            try await withAdmin(cluster) { admin in
                let unknown = await #expect(throws: KafkaError.self) {
                    try await admin.deleteGroupOffsets(group, of: [good])
                }
                #expect(unknown?.code == .unknownGroup)
                #expect(unknown?.group == group)

                var offsets: [KafkaTopicPartition: Int64] = [good: 3]
                for each in hostile { offsets[each] = 1 }
                let altered = try await admin.alterGroupOffsets(group, to: offsets)
                #expect(succeeded(altered[good]))
                let deleted = try await admin.deleteGroupOffsets(group, of: hostile + [good])
                #expect(succeeded(deleted[good]))
                for each in hostile {
                    #expect(code(altered[each]) == .unknownTopicOrPartition, "\(each)")
                    #expect(code(deleted[each]) == .unknownTopicOrPartition, "\(each)")
                    let error = altered[each].flatMap { failure(of: $0) }
                    #expect(error?.group == group)
                    #expect(error?.topic == each.topic)
                }
                #expect(altered.count == 6)
                #expect(deleted.count == 6)
                let listed = try await admin.listGroupOffsets(group, for: [place("a\0b"), good])
                #expect(code(listed[place("a\0b")]) == .unknownTopicOrPartition)
                let negative = try await admin.alterGroupOffsets(group, to: [good: -1])
                #expect(code(negative[good]) == .invalidRequest)
            }
        }
    }

    @Test func aGroupWithMembersKeepsItsOffsets() async throws {
        try await withTopic { cluster, topic in
            let other = uniqueName("other")
            try await cluster.createTopic(other, partitions: 1)
            let group = uniqueName("group")
            try await self.commit(cluster, group: group, [place(topic): 1, place(other): 2])
            try await withAdmin(cluster) { admin in
                try await self.withMember(cluster, group: group, topic: topic, partitions: 1) { _ in
                    let altered = try await admin.alterGroupOffsets(group, to: [place(topic): 7, place(other): 7])
                    #expect(code(altered[place(topic)]) == .groupMembership)
                    #expect(code(altered[place(other)]) == .groupMembership)
                    let deleted = try await admin.deleteGroupOffsets(group, of: [place(topic), place(other)])
                    #expect(code(deleted[place(topic)]) == .groupMembership)
                    #expect(succeeded(deleted[place(other)]), "its members do not read this one")
                    let offsets = try await admin.listGroupOffsets(group).mapValues { try $0.get().offset }
                    #expect(offsets == [place(topic): 1])
                }
            }
        }
    }

    @Test func namesOfGroupsAreChecked() async throws {
        try await withTopic { cluster, topic in
            try await withAdmin(cluster) { admin in
                for name in ["", "a\0b"] {
                    for call in [
                        { _ = try await admin.listGroupOffsets(name) },
                        { _ = try await admin.alterGroupOffsets(name, to: [place(topic): 0]) },
                        { _ = try await admin.deleteGroupOffsets(name, of: [place(topic)]) },
                        { _ = try await admin.lag(of: name) },
                    ] as [() async throws -> Void] {
                        let error = await #expect(throws: KafkaError.self) { try await call() }
                        #expect(error?.code == .invalidRequest)
                        #expect(error?.group == name)
                    }
                }
                // Kafka takes any other text.
                let strange = "grüße \n\u{1F680}'\"%s\\"
                let altered = try await admin.alterGroupOffsets(strange, to: [place(topic): 1])
                #expect(succeeded(altered[place(topic)]))
                let described = try await admin.describeGroup(strange)
                #expect(described.group == strange)
                let listed = try await admin.listGroups()
                #expect(listed.contains { $0.group == strange })
                try await admin.deleteGroup(strange)
            }
        }
    }

    /// Each broker is asked for the groups that it coordinates.
    @Test func groupsOfAllBrokersAreListed() async throws {
        try await withCluster(nodes: 3, topics: ["t": 1]) { cluster in
            try await withAdmin(cluster) { admin in
                let names = (0..<9).map { "group-\($0)" }
                for name in names {
                    let altered = try await admin.alterGroupOffsets(name, to: [place("t"): 1])
                    #expect(succeeded(altered[place("t")]))
                }
                let listed = try await admin.listGroups()
                #expect(listed.map(\.group) == names)
                let described = try await admin.describeGroups(names)
                let coordinators = try Set(described.values.map { try $0.get().coordinator?.id })
                #expect(coordinators.count > 1)
                let deleted = try await admin.deleteGroups(names)
                #expect(deleted.count == 9)
                #expect(deleted.values.allSatisfy { succeeded($0) })
            }
        }
    }
}
