import EmbeddedKafka
import Logging
import TestSupport
import Testing

@testable import KafkaClient

/// Closing commits what is done and ends within a deadline; dropping without closing warns and closes as well.
@Suite(.timeLimit(.minutes(1)))
struct ConsumerCloseTests {
    /// A topic with 100 records and the configuration of a group that reads it by assignment, which joins nothing.
    private func withFilledTopic(
        _ body: (EmbeddedKafkaCluster, KafkaTopicPartition, KafkaConsumer.Configuration) async throws -> Void
    ) async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            try await withProducer(.test(cluster)) { try await $0.fill("t", values: (0..<100).map { "\($0)" }) }
            let place = KafkaTopicPartition(topic: "t", partition: 0)
            try await body(cluster, place, .test(cluster, group: "g"))
        }
    }

    private func committed(_ place: KafkaTopicPartition, _ cluster: EmbeddedKafkaCluster) async throws -> Int64? {
        try await withConsumer(.test(cluster, group: "g")) { consumer in
            try await consumer.committedOffsets(for: [place])[place]
        }
    }

    private func firstBatch(of consumer: KafkaConsumer) async throws -> KafkaConsumerBatch {
        for try await batch in consumer.batches { return batch }
        throw DeadlineExceeded(description: "the sequence ended")
    }

    @Test(arguments: [false, true])
    func commitsWhatIsProcessed(inBatches: Bool) async throws {
        try await self.withFilledTopic { cluster, place, configuration in
            let consumer = try KafkaConsumer(configuration: configuration, logger: CapturedLog().makeLogger())
            try await consumer.assign([place: .beginning])
            var count: Int64 = 0
            if inBatches {
                // The second batch is in hand when the loop ends.
                var processed: Int64 = 0
                for try await batch in consumer.batches {
                    if count > 0 { break }
                    count = Int64(batch.count)
                    processed += count
                    if processed == 100 {
                        try await withProducer(.test(cluster)) { try await $0.fill("t", values: ["more"]) }
                    }
                }
            } else {
                _ = try await consumer.read(42)
                count = 41
            }
            try await withDeadline(.seconds(30), "close") { await consumer.close() }
            #expect(consumer.acknowledgedCommits == [place: count])
            let committed = try await self.committed(place, cluster)
            #expect(committed == count)
        }
    }

    @Test func theRecordInHandIsCommittedWhenAskedFor() async throws {
        try await self.withFilledTopic { cluster, place, configuration in
            try await withConsumer(configuration, assigned: [place: .beginning]) { consumer in
                for try await record in consumer.records where record.offset == 41 {
                    try await consumer.commit(record)
                    break
                }
            }
            let committed = try await self.committed(place, cluster)
            #expect(committed == 42, "and not taken back by the commit at close")
        }
    }

    @Test func aBatchInHandIsCommittedWhenAskedFor() async throws {
        try await self.withFilledTopic { cluster, place, configuration in
            var end: Int64 = 0
            try await withConsumer(configuration, assigned: [place: .beginning]) { consumer in
                for try await batch in consumer.batches {
                    end = (batch.last?.offset ?? -1) + 1
                    try await consumer.commit(batch)
                    break
                }
            }
            let committed = try await self.committed(place, cluster)
            #expect(committed == end)
        }
    }

    @Test func withAManualPolicyNothingIsCommittedUnasked() async throws {
        try await self.withFilledTopic { cluster, place, configuration in
            var configuration = configuration
            configuration.commitPolicy = .manual
            try await withConsumer(configuration, assigned: [place: .beginning]) { _ = try await $0.read(42) }
            let before = try await self.committed(place, cluster)
            #expect(before == nil)
            try await withConsumer(configuration, assigned: [place: .beginning]) { consumer in
                _ = try await consumer.read(42)
                try await consumer.commit()
                _ = try await consumer.read(10)
            }
            let after = try await self.committed(place, cluster)
            #expect(after == 41)
        }
    }

    @Test func waitsForTheReaderWhichThenEnds() async throws {
        try await self.withFilledTopic { cluster, place, configuration in
            let consumer = try KafkaConsumer(configuration: configuration, logger: CapturedLog().makeLogger())
            try await consumer.assign([place: .beginning])
            let gate = Gate()
            let seen = Collected<Int64>()
            let reader = Task {
                for try await record in consumer.records {
                    seen.append(record.offset)
                    if record.offset == 10 { await gate.wait() }
                }
            }
            try await eventually("the reader holds a record") { seen.count == 11 }
            let isClosed = Collected<Bool>()
            let close = Task {
                await consumer.close()
                isClosed.append(true)
            }
            try await always(for: .milliseconds(300), "close waits") { isClosed.count == 0 }
            gate.open()
            try await withDeadline(.seconds(30), "the end of both") {
                try await reader.value
                await close.value
            }
            #expect(seen.elements == Array(0...10), "nothing more is read")
            #expect(consumer.acknowledgedCommits == [place: 11])
        }
    }

    /// An iterator that somebody still holds does not keep the consumer open, once it was told the end.
    @Test func doesNotWaitForAReaderThatWasToldTheEnd() async throws {
        try await self.withFilledTopic { cluster, place, configuration in
            var configuration = configuration
            configuration.closeTimeout = .seconds(60)
            let consumer = try KafkaConsumer(configuration: configuration, logger: CapturedLog().makeLogger())
            try await consumer.assign([place: .beginning])
            var iterator = consumer.records.makeAsyncIterator()
            _ = try await iterator.next(isolation: nil)
            let close = Task { await consumer.close() }
            try await eventually("the sequence ends") { try await iterator.next(isolation: nil) == nil }
            try await withDeadline(.seconds(30), "close") { await close.value }
            let end = try await iterator.next(isolation: nil)
            #expect(end == nil)
        }
    }

    @Test func doesNotWaitForAReaderThatTakesTooLong() async throws {
        try await self.withFilledTopic { cluster, place, configuration in
            var configuration = configuration
            configuration.closeTimeout = .milliseconds(500)
            let consumer = try KafkaConsumer(configuration: configuration, logger: CapturedLog().makeLogger())
            try await consumer.assign([place: .beginning])
            let gate = Gate()
            let seen = Collected<Int64>()
            let reader = Task {
                for try await record in consumer.records {
                    seen.append(record.offset)
                    if record.offset == 10 { await gate.wait() }
                }
            }
            try await eventually("the reader holds a record") { seen.count == 11 }
            try await withDeadline(.seconds(30), "close") { await consumer.close() }
            #expect(consumer.acknowledgedCommits == [place: 10], "what it holds is not committed")
            gate.open()
            try await withDeadline(.seconds(30), "the end of the loop") { try await reader.value }
            #expect(seen.count == 11)
        }
    }

    @Test func endsAReaderThatWaits() async throws {
        try await withTopic { cluster, topic in
            let consumer = try KafkaConsumer(configuration: .test(cluster), logger: CapturedLog().makeLogger())
            try await consumer.assign([KafkaTopicPartition(topic: topic, partition: 0): .beginning])
            let reader = Task {
                for try await _ in consumer.records {}
                for try await _ in consumer.batches {}
                return true
            }
            await Task.yield()
            try await withDeadline(.seconds(30), "close") { await consumer.close() }
            let ended = try await withDeadline(.seconds(30), "the end of the loop") { try await reader.value }
            #expect(ended)
        }
    }

    @Test func keepsItsDeadlineWhenTheBrokerIsStopped() async throws {
        try await self.withFilledTopic { cluster, place, configuration in
            var configuration = configuration
            configuration.closeTimeout = .milliseconds(800)
            let consumer = try KafkaConsumer(configuration: configuration, logger: CapturedLog().makeLogger())
            try await consumer.assign([place: .beginning])
            _ = try await consumer.read(42)
            try await cluster.stopNode(1)
            try await withDeadline(.seconds(30), "close") { await consumer.close() }
            #expect(consumer.acknowledgedCommits.isEmpty)
        }
    }

    @Test func keepsItsDeadlineWithoutAnyBroker() async throws {
        for group in [nil, "g"] {
            var configuration = KafkaConsumer.Configuration(bootstrapServers: ["127.0.0.1:1"], group: group)
            configuration.closeTimeout = .milliseconds(500)
            let consumer = try KafkaConsumer(configuration: configuration, logger: CapturedLog().makeLogger())
            if group == nil {
                try await consumer.assign([KafkaTopicPartition(topic: "t", partition: 0): .beginning])
            } else {
                try await consumer.subscribe(to: ["t"])
            }
            try await withDeadline(.seconds(30), "close") { await consumer.close() }
        }
    }

    @Test func doesNotWaitForOtherCalls() async throws {
        var configuration = KafkaConsumer.Configuration(bootstrapServers: ["127.0.0.1:1"], group: "g")
        configuration.closeTimeout = .milliseconds(500)
        let consumer = try KafkaConsumer(configuration: configuration, logger: CapturedLog().makeLogger())
        let place = KafkaTopicPartition(topic: "t", partition: 0)
        let query = try await startBlockingCall { try await consumer.watermarks(of: place, timeout: .seconds(50)) }
        try await withDeadline(.seconds(30), "close") { await consumer.close() }
        query.cancel()
    }

    @Test func closingAgainAndAtOnceDoesNoHarm() async throws {
        try await self.withFilledTopic { cluster, place, configuration in
            let consumer = try KafkaConsumer(configuration: configuration, logger: CapturedLog().makeLogger())
            try await consumer.assign([place: .beginning])
            _ = try await consumer.read(5)
            try await withDeadline(.seconds(30), "all closes") {
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<10 {
                        group.addTask {
                            await consumer.close()
                            #expect(consumer.acknowledgedCommits == [place: 4], "each waits for the end")
                        }
                    }
                }
                await consumer.close()
            }
        }
    }

    @Test func useAfterCloseSaysSo() async throws {
        try await self.withFilledTopic { cluster, place, configuration in
            let consumer = try KafkaConsumer(configuration: configuration, logger: CapturedLog().makeLogger())
            await consumer.close()
            let errors = [
                await #expect(throws: KafkaError.self) { try await consumer.subscribe(to: ["t"]) },
                await #expect(throws: KafkaError.self) { try await consumer.assign([place: .beginning]) },
                await #expect(throws: KafkaError.self) { try await consumer.commit() },
                await #expect(throws: KafkaError.self) { try await consumer.commit([place: 1]) },
                await #expect(throws: KafkaError.self) { try await consumer.committedOffsets(for: [place]) },
                await #expect(throws: KafkaError.self) { try await consumer.watermarks(of: place) },
                await #expect(throws: KafkaError.self) { try await consumer.partitions(of: "t") },
            ]
            #expect(errors.map { $0?.code } == Array(repeating: .closed, count: errors.count))
            let records = try await consumer.read(1)
            #expect(records.isEmpty, "a sequence of a closed consumer is at its end")
            #expect(consumer.assignment.isEmpty)
        }
    }

    @Test func recordsMayOutliveTheConsumer() async throws {
        try await self.withFilledTopic { cluster, place, configuration in
            let consumer = try KafkaConsumer(configuration: configuration, logger: CapturedLog().makeLogger())
            try await consumer.assign([place: .beginning])
            let destruction = try consumer.core.client(for: "test").destruction
            do {
                let batch = try await self.firstBatch(of: consumer)
                try await withDeadline(.seconds(30), "close") { await consumer.close() }
                #expect(!destruction.isComplete, "the records are still there")
                #expect(batch.first?.valueString == "0")
            }
            try await withDeadline(.seconds(30), "the end of the client") { await destruction.wait() }
        }
    }

    @Test func closingDestroysTheClient() async throws {
        try await self.withFilledTopic { cluster, place, configuration in
            let consumer = try KafkaConsumer(configuration: configuration, logger: CapturedLog().makeLogger())
            try await consumer.assign([place: .beginning])
            _ = try await consumer.read(5)
            let destruction = try consumer.core.client(for: "test").destruction
            try await withDeadline(.seconds(30), "close") { await consumer.close() }
            #expect(destruction.isComplete)
        }
    }

    @Test func droppingWarnsAndClosesInTheBackground() async throws {
        try await self.withFilledTopic { cluster, place, configuration in
            let log = CapturedLog()
            let destruction = try await {
                let consumer = try KafkaConsumer(configuration: configuration, logger: log.makeLogger())
                try await consumer.assign([place: .beginning])
                _ = try await consumer.read(43)
                return try consumer.core.client(for: "test").destruction
            }()
            try await withDeadline(.seconds(30), "the end of the client") { await destruction.wait() }
            #expect(log.lines.contains { $0.level == .warning && $0.message.contains("without being closed") })
            let committed = try await self.committed(place, cluster)
            #expect(committed == 42)
        }
    }

    @Test func closingDoesNotWarn() async throws {
        try await self.withFilledTopic { cluster, place, configuration in
            let log = CapturedLog()
            try await withConsumer(configuration, assigned: [place: .beginning], log: log) { _ = try await $0.read(5) }
            try await withProducer(.test(cluster), log: log) { try await $0.fill("t", values: ["1"]) }
            #expect(log.lines.filter { $0.level >= .warning && !$0.message.contains("allow.auto.create") }.isEmpty)
        }
    }

    @Test func cancellingRunCloses() async throws {
        try await self.withFilledTopic { cluster, place, configuration in
            let consumer = try KafkaConsumer(configuration: configuration, logger: CapturedLog().makeLogger())
            let run = Task { await consumer.run() }
            try await consumer.assign([place: .beginning])
            _ = try await consumer.read(43)
            run.cancel()
            try await withDeadline(.seconds(30), "run") { await run.value }
            #expect(consumer.acknowledgedCommits == [place: 42])
        }
    }

    @Test func theScopeClosesWhenItsTaskIsCancelled() async throws {
        try await self.withFilledTopic { cluster, place, configuration in
            let seen = Collected<Int64>()
            let task = Task {
                try await withConsumer(configuration, assigned: [place: .beginning]) { consumer in
                    for try await record in consumer.records { seen.append(record.offset) }
                }
            }
            try await eventually("all are read") { seen.count == 100 }
            task.cancel()
            try await withDeadline(.seconds(30), "the scope") { try await task.value }
            let committed = try await self.committed(place, cluster)
            #expect(committed == 100)
        }
    }

    @Test func aConsumerThatDidNothingCloses() async throws {
        for group in [nil, "g"] {
            try await withTopic { cluster, _ in
                try await withDeadline(.seconds(30), "the scope") {
                    try await withConsumer(.test(cluster, group: group)) { _ in }
                }
            }
        }
    }

    /// Whenever the consumer is closed, a commit on its way has an answer.
    @Test func commitsRaceWithClose() async throws {
        try await withTopic { cluster, topic in
            try await withProducer(.test(cluster)) { try await $0.fill(topic, values: (0..<100).map { "\($0)" }) }
            let place = KafkaTopicPartition(topic: topic, partition: 0)
            for round in 0..<25 {
                let configuration = KafkaConsumer.Configuration.test(cluster, group: uniqueName("group"))
                let consumer = try KafkaConsumer(configuration: configuration, logger: CapturedLog().makeLogger())
                try await consumer.assign([place: .beginning])
                try await withDeadline(.seconds(30), "round \(round)") {
                    _ = try await consumer.read(2)
                    await withTaskGroup(of: Void.self) { group in
                        for committer in 0..<3 {
                            group.addTask {
                                do {
                                    for offset in Int64(1)... {
                                        if committer == 0 {
                                            try await consumer.commit()
                                        } else {
                                            try await consumer.commit([place: offset])
                                        }
                                    }
                                } catch {
                                    let code = (error as? KafkaError)?.code
                                    #expect(code == .closed || code == .outcomeUnknown, "\(error)")
                                }
                            }
                        }
                        for _ in 0..<(round * 4) { await Task.yield() }
                        await consumer.close()
                    }
                }
            }
        }
    }

    @Test func aCommitThatIsNotAnsweredEndsWithTheConsumer() async throws {
        try await self.withFilledTopic { cluster, place, configuration in
            var configuration = configuration
            configuration.closeTimeout = .milliseconds(500)
            let consumer = try KafkaConsumer(configuration: configuration, logger: CapturedLog().makeLogger())
            try await consumer.assign([place: .beginning])
            _ = try await consumer.read(42)
            try await consumer.commit()
            let fault = try await cluster.holdBackAnswers(of: .offsetCommit)
            let commit = Task { try await consumer.commit([place: 42]) }
            try await fault.happened()
            try await withDeadline(.seconds(30), "close") { await consumer.close() }
            let error = try await withDeadline(.seconds(30), "the commit") {
                await #expect(throws: KafkaError.self) { try await commit.value }
            }
            #expect(error?.code == .outcomeUnknown)
            #expect(error?.operation == "commit")
            #expect(consumer.acknowledgedCommits == [place: 41])
            try await fault.remove()
            let committed = try await self.committed(place, cluster)
            #expect(committed == 42, "the answer was missing, not the commit")
        }
    }

    @Test func aCancelledCommitHasAnUnknownOutcome() async throws {
        try await self.withFilledTopic { cluster, place, configuration in
            var configuration = configuration
            configuration.closeTimeout = .milliseconds(500)
            try await withConsumer(configuration, assigned: [place: .beginning]) { consumer in
                try await consumer.commit([place: 1])
                let fault = try await cluster.holdBackAnswers(of: .offsetCommit)
                let commit = Task { try await consumer.commit([place: 42]) }
                try await fault.happened()
                commit.cancel()
                let error = try await withDeadline(.seconds(30), "the commit") {
                    await #expect(throws: KafkaError.self) { try await commit.value }
                }
                #expect(error?.code == .outcomeUnknown)
            }
        }
    }
}
