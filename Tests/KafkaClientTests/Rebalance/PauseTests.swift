import EmbeddedKafka
import TestSupport
import Testing

@testable import KafkaClient

/// Paused partitions: nothing is handed out of them, and nothing is lost, repeated or out of order afterwards.
@Suite(.timeLimit(.minutes(1)))
struct PauseTests {
    private func partition(_ topic: String, _ number: Int32) -> KafkaTopicPartition {
        KafkaTopicPartition(topic: topic, partition: number)
    }

    private func fill(_ topic: String, _ range: Range<Int>, _ cluster: EmbeddedKafkaCluster) async throws {
        try await withProducer(.test(cluster)) { producer in
            for partition in 0..<Int32(2) {
                try await producer.fill(topic, partition: partition, values: range.map { "\($0)" })
            }
        }
    }

    /// Reads in the background, record by record or in batches.
    private func read(
        _ consumer: KafkaConsumer,
        inBatches: Bool,
        _ took: @escaping @Sendable (KafkaConsumerRecord) async -> Void
    ) -> Task<Void, any Error> {
        Task {
            if inBatches {
                for try await batch in consumer.batches { for record in batch { await took(record) } }
            } else {
                for try await record in consumer.records { await took(record) }
            }
        }
    }

    @Test(arguments: [true, false])
    func nothingComesOfAPausedPartitionAndAllOfItLater(inBatches: Bool) async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            try await self.fill(topic, 0..<300, cluster)
            var configuration = KafkaConsumer.Configuration.test(cluster)
            configuration.maxBatchRecords = 50
            let paused = self.partition(topic, 0)
            let other = self.partition(topic, 1)
            try await withConsumer(configuration, assigned: [paused: .beginning, other: .beginning]) { consumer in
                let seen = Collected<KafkaTopicPartition>()
                let offsets = Collected<Int64>()
                let inHand = Gate()
                let goOn = Gate()
                let reader = self.read(consumer, inBatches: inBatches) { record in
                    seen.append(record.topicPartition)
                    if record.topicPartition == paused { offsets.append(record.offset) }
                    if seen.count == 120 {
                        inHand.open()
                        await goOn.wait()
                    }
                }
                await inHand.wait()
                try await consumer.pause([paused])
                #expect(consumer.paused == [paused])
                // A batch that is in hand is.
                let before = offsets.count + (inBatches ? 50 : 0)
                goOn.open()
                try await eventually("the other partition is read") { seen.elements.count { $0 == other } == 300 }
                #expect(offsets.count <= before)
                let stopped = offsets.count
                try await always(for: .milliseconds(300), "nothing comes of it") { offsets.count == stopped }
                try await consumer.resume([paused])
                #expect(consumer.paused.isEmpty)
                try await eventually("all is read") { offsets.count >= 300 }
                #expect(offsets.elements == Array(0..<300))
                reader.cancel()
                try await reader.value
            }
        }
    }

    @Test(arguments: [true, false])
    func pausingAllTheTimeLosesAndRepeatsNothing(inBatches: Bool) async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            var configuration = KafkaConsumer.Configuration.test(cluster)
            configuration.maxBatchRecords = 20
            configuration.fetchMaxWait = .milliseconds(10)
            let partitions = [self.partition(topic, 0), self.partition(topic, 1)]
            let seen = [Collected<Int64>(), Collected<Int64>()]
            try await withConsumer(
                configuration,
                assigned: [partitions[0]: .beginning, partitions[1]: .beginning]
            ) { consumer in
                let reader = self.read(consumer, inBatches: inBatches) { record in
                    seen[Int(record.topicPartition.partition)].append(record.offset)
                }
                let fill = Task {
                    for round in 0..<40 { try await self.fill(topic, round * 50..<(round + 1) * 50, cluster) }
                }
                for round in 0..<100 {
                    let partition = partitions[round % 2]
                    let collected = seen[round % 2]
                    let start = collected.count
                    try await consumer.pause([partition])
                    for _ in 0..<50 { await Task.yield() }
                    try await consumer.resume([partition])
                    if round % 10 == 0, start < 1_500 {
                        try await eventually("it gets on") { collected.count > start }
                    }
                }
                try await fill.value
                try await eventually("all is read") { seen.allSatisfy { $0.count >= 2_000 } }
                reader.cancel()
                try await reader.value
            }
            #expect(seen[0].elements == Array(0..<2_000))
            #expect(seen[1].elements == Array(0..<2_000))
        }
    }

    @Test(arguments: [KafkaConsumer.Assignor.cooperativeSticky, .range])
    func aPauseOutlivesRebalances(assignor: KafkaConsumer.Assignor) async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            var configuration = KafkaConsumer.Configuration.test(cluster, group: uniqueName("group"))
            configuration.assignors = [assignor]
            let partitions = Set([self.partition(topic, 0), self.partition(topic, 1)])
            let seen = Collected<(partition: KafkaTopicPartition, offset: Int64)>()
            try await withConsumer(configuration, subscribedTo: [topic]) { first in
                // Before they are given, too.
                try await first.pause(partitions)
                let reader = self.read(first, inBatches: false) { seen.append(($0.topicPartition, $0.offset)) }
                try await eventually("the first member has all") { first.assignment.count == 2 }
                try await self.fill(topic, 0..<10, cluster)
                try await withConsumer(configuration, subscribedTo: [topic]) { second in
                    try await eventually("one partition moves") { second.assignment.count == 1 }
                }
                try await eventually("the first member has all again") { first.assignment.count == 2 }
                #expect(first.paused == partitions)
                try await self.fill(topic, 10..<20, cluster)
                try await always(for: .milliseconds(500), "nothing comes of them") { seen.count == 0 }
                try await first.resume(partitions)
                try await eventually("all is read") { seen.count >= 40 }
                for partition in partitions {
                    let offsets = seen.elements.filter { $0.partition == partition }.map(\.offset)
                    #expect(offsets == Array(0..<20))
                }
                reader.cancel()
                try await reader.value
            }
        }
    }

    @Test func aClosedConsumerPausesNothing() async throws {
        try await withTopic { cluster, topic in
            let consumer = try KafkaConsumer(configuration: .test(cluster), logger: CapturedLog().makeLogger())
            await consumer.close()
            #expect(await code { try await consumer.pause([self.partition(topic, 0)]) } == .closed)
            #expect(await code { try await consumer.resume([self.partition(topic, 0)]) } == .closed)
        }
    }
}

/// What a consumer decides of paused partitions, without a consumer.
extension ConsumerStateTests {
    private func found(_ batch: FakeBatch, _ state: inout State) -> [Int64]? {
        state.readerFound(batch, mode: .records, readerID: 0, now: self.now)?.records.map(\.offset)
    }

    private func stashed(_ state: inout State) -> [Int64]? {
        state.takeStashed(mode: .records, readerID: 0, now: self.now)?.records.map(\.offset)
    }

    @Test func whatIsFoundOfAPausedPartitionIsKeptInOrder() throws {
        var state = try self.makeState()
        _ = state.readerAsks(.records, readerID: 0, isCancelled: false, now: self.now)
        let added = try state.pause([self.p0])
        #expect(added == [self.p0])
        #expect(self.found(FakeBatch([(self.p0, 5), (self.p1, 70), (self.p0, 6)]), &state) == [70])
        #expect(self.found(FakeBatch(self.p0, 7..<9), &state) == nil)
        #expect(self.stashed(&state) == nil, "not while it is paused")
        let removed = try state.resume([self.p0, self.p1])
        #expect(removed == [self.p0])
        #expect(self.stashed(&state) == [5, 6])
        #expect(self.stashed(&state) == [7, 8])
        #expect(self.stashed(&state) == nil)
    }

    @Test func whatTheReaderHasLeftComesBeforeWhatWasFoundLater() throws {
        let batch = FakeBatch([(self.p0, 5), (self.p1, 70), (self.p0, 6)])
        var state = try self.makeState(handingOut: batch, .records)
        _ = batch.take()
        _ = try state.pause([self.p0])
        #expect(batch.take() == nil, "the reader must look up")
        let step = state.readerAsks(.records, readerID: 0, isCancelled: false, now: self.now)
        #expect(step.store.offsets == [self.p0: 6])
        let rest = try #require(step.action.batch)
        #expect(rest.records.map(\.offset) == [70])
        #expect(self.found(FakeBatch(self.p0, 7..<9), &state) == nil)
        _ = try state.resume([self.p0])
        #expect(self.stashed(&state) == [6])
        // Paused again with a record left: it still comes before the others.
        _ = try state.pause([self.p0])
        _ = state.readerAsks(.batches, readerID: 0, isCancelled: false, now: self.now)
        _ = try state.resume([self.p0])
        #expect(self.stashed(&state) == [6])
        #expect(self.stashed(&state) == [7, 8])
    }

    @Test func whatIsKeptGoesWithItsPartition() throws {
        var state = try self.makeState()
        _ = state.readerAsks(.records, readerID: 0, isCancelled: false, now: self.now)
        _ = try state.pause([self.p0])
        _ = self.found(FakeBatch(self.p0, 5..<7), &state)
        state.giveUp([self.p0])
        state.assigned([self.p0])
        #expect(state.paused == [self.p0])
        _ = try state.resume([self.p0])
        #expect(self.stashed(&state) == nil, "it is read again")
    }
}
