import EmbeddedKafka
import Testing

@testable import KafkaClient

/// Settings of topics and brokers.
@Suite(.timeLimit(.minutes(1)))
struct AdminConfigsTests {
    private func entry(_ entries: [KafkaConfigEntry], _ name: String) throws -> KafkaConfigEntry {
        try #require(entries.first { $0.name == name })
    }

    /// What a topic has of its own.
    private func own(_ admin: KafkaAdmin, _ topic: String) async throws -> [String: String?] {
        try await admin.describeConfigs(of: .topic(topic)).filter { $0.source == .topic }
            .reduce(into: [:]) { $0[$1.name] = $1.value }
    }

    @Test func settingsSayWhereTheyComeFrom() async throws {
        try await withTopic(settings: ["retention.ms": "1000"]) { cluster, topic in
            try await withAdmin(cluster) { admin in
                let entries = try await admin.describeConfigs(of: .topic(topic))
                #expect(entries.map(\.name) == entries.map(\.name).sorted())
                let own = try self.entry(entries, "retention.ms")
                #expect(own.value == "1000")
                #expect(own.source == .topic)
                #expect(!own.isDefault)
                #expect(!own.isSensitive)
                #expect(!own.isReadOnly)
                #expect(own.synonyms.map(\.source) == [.topic, .defaultValue])
                #expect(own.synonyms.first?.value == "1000")
                let standard = try self.entry(entries, "cleanup.policy")
                #expect(standard.value == "delete")
                #expect(standard.source == .defaultValue)
                #expect(standard.isDefault)
                let broker = try self.entry(
                    try await admin.describeConfigs(of: .broker(1)),
                    "num.partitions"
                )
                #expect(broker.value == "1")
                #expect(broker.source == .brokerProperties)
                #expect(broker.isReadOnly)
            }
        }
    }

    @Test func descriptionsHaveAResultEach() async throws {
        try await withCluster(nodes: 2, topics: ["a": 1, "b": 1]) { cluster in
            try await withAdmin(cluster) { admin in
                let results = try await admin.describeConfigs(
                    [
                        .topic("a"), .topic("b"), .topic("missing"), .topic("a"), .broker(1), .broker(2), .broker(77),
                        .broker(-1), .topic(""), .topic("a\0b"),
                    ],
                    timeout: .seconds(2)
                )
                for resource in [.topic("a"), .topic("b"), .broker(1), .broker(2)] as [KafkaConfigResource] {
                    let entries = try #require(try results[resource]?.get(), "\(resource)")
                    #expect(!entries.isEmpty)
                }
                for name in ["missing", "", "a\0b"] {
                    #expect(code(results[.topic(name)]) == .unknownTopicOrPartition, "\(name)")
                    let error = results[.topic(name)].flatMap { failure(of: $0) }
                    #expect(error?.topic == name)
                }
                #expect(code(results[.broker(-1)]) == .invalidRequest)
                #expect(code(results[.broker(77)]) != nil, "there is no such broker")
                #expect(results.count == 9)
            }
        }
    }

    @Test func changesLeaveTheOthersAsTheyAre() async throws {
        try await withTopic(settings: ["retention.ms": "1000", "segment.ms": "2000", "max.message.bytes": "3000"]) {
            cluster,
            topic in
            try await withAdmin(cluster) { admin in
                try await admin.alterConfigs(
                    of: .topic(topic),
                    [
                        "retention.ms": .set("5000"), "segment.ms": .delete, "flush.ms": .set("7"),
                        "flush.messages": .delete,
                    ]
                )
                var own = try await self.own(admin, topic)
                #expect(own == ["retention.ms": "5000", "flush.ms": "7", "max.message.bytes": "3000"])

                try await admin.alterConfigs(of: .topic(topic), ["cleanup.policy": .append("compact")])
                own = try await self.own(admin, topic)
                #expect(own["cleanup.policy"] == "delete,compact")
                try await admin.alterConfigs(of: .topic(topic), ["cleanup.policy": .subtract("delete")])
                own = try await self.own(admin, topic)
                #expect(own["cleanup.policy"] == "compact")
                try await admin.alterConfigs(of: .topic(topic), [:])
                own = try await self.own(admin, topic)
                #expect(own.count == 4)
            }
        }
    }

    @Test func changesHaveAResultEach() async throws {
        try await withTopic(settings: ["retention.ms": "1000"]) { cluster, topic in
            let other = uniqueName("other")
            let missing = uniqueName("missing")
            try await cluster.createTopic(other, partitions: 1)
            try await withAdmin(cluster) { admin in
                let results = try await admin.alterConfigs([
                    .topic(topic): ["retention.ms": .set("2000"), "no.such.setting": .set("1")],
                    .topic(other): ["retention.ms": .set("3000")],
                    .topic(missing): ["retention.ms": .set("3000")],
                    .topic("a\0b"): ["retention.ms": .set("3000")],
                    .topic("nul"): ["retention.ms": .set("1\0")],
                    .topic("noname"): ["": .delete],
                    .broker(1): ["num.partitions": .set("2")],
                ])
                #expect(code(results[.topic(topic)]) == .invalidRequest)
                #expect(succeeded(results[.topic(other)]))
                #expect(code(results[.topic(missing)]) == .unknownTopicOrPartition)
                #expect(code(results[.topic("a\0b")]) == .unknownTopicOrPartition)
                #expect(code(results[.topic("nul")]) == .invalidRequest)
                #expect(code(results[.topic("noname")]) == .invalidRequest)
                #expect(results.count == 7)
                let broker = try #require(results[.broker(1)].flatMap { failure(of: $0) })
                if !AdminCore.canAlterIncrementally {
                    #expect(broker.code == .unsupported)
                    #expect(broker.message.contains("2.2"), "\(broker)")
                }
                let first = try await self.own(admin, topic)
                #expect(first == ["retention.ms": "1000"], "all changes of a topic or none")
                let second = try await self.own(admin, other)
                #expect(second == ["retention.ms": "3000"])
                let value = await #expect(throws: KafkaError.self) {
                    try await admin.alterConfigs(of: .topic(topic), ["retention.ms": .set("soon")])
                }
                #expect(value?.code == .invalidRequest)
                #expect(value?.topic == topic)
                let list = await #expect(throws: KafkaError.self) {
                    try await admin.alterConfigs(of: .topic(topic), ["no.such.setting": .append("x")])
                }
                #expect(list?.code == .invalidRequest)
            }
        }
    }

    @Test func validationChangesNothing() async throws {
        try await withTopic(settings: ["retention.ms": "1000"]) { cluster, topic in
            try await withAdmin(cluster) { admin in
                let results = try await admin.alterConfigs(
                    [.topic(topic): ["retention.ms": .set("2000")]],
                    validateOnly: true
                )
                #expect(succeeded(results[.topic(topic)]))
                let own = try await self.own(admin, topic)
                #expect(own == ["retention.ms": "1000"])
            }
        }
    }
}

/// Changes made into the whole.
struct ConfigChangesTests {
    private func entry(
        _ name: String,
        _ value: String?,
        _ source: KafkaConfigEntry.Source = .topic
    ) -> KafkaConfigEntry {
        KafkaConfigEntry(
            name: name,
            value: value,
            source: source,
            isDefault: source == .defaultValue,
            isSensitive: value == nil,
            isReadOnly: false,
            synonyms: []
        )
    }

    @Test func onlyWhatTheTopicHasOfItsOwnIsWritten() throws {
        let entries = [
            self.entry("a", "1"), self.entry("b", "2", .brokerProperties), self.entry("c", "3", .defaultValue),
            self.entry("d", "4", .broker), self.entry("e", "5", .allBrokers), self.entry("f", "6", .unknown),
        ]
        #expect(try ConfigChanges.apply([:], to: entries) == ["a": "1"])
        #expect(try ConfigChanges.apply(["a": .delete, "b": .set("7")], to: entries) == ["b": "7"])
        #expect(try ConfigChanges.apply(["new": .set("8")], to: entries) == ["a": "1", "new": "8"])
    }

    @Test func aSecretThatWouldBeLostIsAProblem() throws {
        let entries = [self.entry("secret", nil), self.entry("a", "1")]
        #expect(throws: ConfigChanges.Problem.sensitive("secret")) {
            try ConfigChanges.apply(["a": .set("2")], to: entries)
        }
        #expect(try ConfigChanges.apply(["secret": .delete], to: entries) == ["a": "1"])
        #expect(try ConfigChanges.apply(["secret": .set("x")], to: entries) == ["a": "1", "secret": "x"])
        let others = [self.entry("secret", nil, .brokerProperties)]
        #expect(try ConfigChanges.apply(["a": .set("2")], to: others) == ["a": "2"])
    }

    @Test func lists() throws {
        let entries = [self.entry("list", "a, b", .defaultValue), self.entry("empty", "")]
        func list(_ name: String, _ change: KafkaConfigChange) throws -> String? {
            try ConfigChanges.apply([name: change], to: entries)[name]
        }
        #expect(try list("list", .append("c")) == "a,b,c")
        #expect(try list("list", .append("a")) == "b,a")
        #expect(try list("list", .subtract("a , x")) == "b")
        #expect(try list("list", .subtract("a,b")) == "")
        #expect(try list("empty", .append("a,,b")) == "a,b")
        #expect(throws: ConfigChanges.Problem.unknown("other")) { try list("other", .append("a")) }
    }
}
