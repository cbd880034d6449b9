import Testing

@testable import KafkaClient

/// The order of commits, without a client.
@Suite struct CommitLineTests {
    private let p0 = KafkaTopicPartition(topic: "t", partition: 0)
    private let p1 = KafkaTopicPartition(topic: "t", partition: 1)

    private func waiter(_ id: Int, _ partitions: KafkaTopicPartition...) -> CommitLine.Waiter {
        CommitLine.Waiter(id: id, partitions: Set(partitions))
    }

    private func next(_ line: inout CommitLine) -> CommitLine.Sending? { line.next() }

    private func accept(_ sending: CommitLine.Sending, _ line: inout CommitLine) -> CommitLine.Result {
        line.answered(sending.id, accepted: sending.offsets, error: nil, refused: [:], isPassing: true)
    }

    private func fail(_ sending: CommitLine.Sending, isPassing: Bool, _ line: inout CommitLine) -> CommitLine.Result {
        let error = KafkaError(.coordinatorUnavailable, operation: "commit", message: "no")
        return line.answered(sending.id, accepted: [:], error: error, refused: [:], isPassing: isPassing)
    }

    @Test func oneCommitIsOnItsWayAndTheOthersGoTogether() throws {
        var line = CommitLine()
        _ = line.request([self.p0: 5], rewinds: false, waiter: self.waiter(1, self.p0))
        let first = try #require(self.next(&line))
        #expect(first.offsets == [self.p0: 5])
        _ = line.request([self.p0: 7], rewinds: false, waiter: self.waiter(2, self.p0))
        _ = line.request([self.p1: 3], rewinds: false, waiter: self.waiter(3, self.p1))
        _ = line.request([self.p0: 6], rewinds: false, waiter: self.waiter(4, self.p0))
        #expect(self.next(&line) == nil, "one at a time")
        #expect(self.accept(first, &line).waiters == [1])
        let second = try #require(self.next(&line))
        #expect(second.offsets == [self.p0: 7, self.p1: 3], "the highest wins")
        #expect(self.accept(second, &line).waiters == [2, 3, 4])
        #expect(line.acknowledged == [self.p0: 7, self.p1: 3])
        #expect(self.next(&line) == nil)
    }

    @Test func anOlderCommitDoesNotTakeBackANewerOne() throws {
        var line = CommitLine()
        _ = line.request([self.p0: 9], rewinds: false, waiter: self.waiter(1, self.p0))
        let sending = try #require(self.next(&line))
        let isDone = line.request([self.p0: 8], rewinds: false, waiter: self.waiter(2, self.p0))
        #expect(!isDone, "it waits for the one on its way")
        #expect(self.accept(sending, &line).waiters == [1, 2])
        let isDoneNow = line.request([self.p0: 8], rewinds: false)
        #expect(isDoneNow)
        #expect(self.next(&line) == nil)
    }

    @Test func whoGoesBackDeliberatelyDoes() throws {
        var line = CommitLine()
        line.process([(self.p0, 9)])
        _ = line.requestProcessed()
        let first = try #require(self.next(&line))
        _ = line.request([self.p0: 3], rewinds: true, waiter: self.waiter(1, self.p0))
        line.rewind([self.p0: 3])
        _ = self.accept(first, &line)
        let second = try #require(self.next(&line))
        #expect(second.offsets == [self.p0: 3])
        _ = self.accept(second, &line)
        let isDone = line.requestProcessed()
        #expect(isDone, "what was processed before is not committed again")
        line.process([(self.p0, 10)])
        _ = line.requestProcessed()
        #expect(self.next(&line)?.offsets == [self.p0: 10])
    }

    @Test func whatIsProcessedIsCommittedOnce() throws {
        var line = CommitLine()
        line.process([(self.p0, 5), (self.p1, 7)])
        line.process([(self.p0, 4)])
        _ = line.requestProcessed()
        let sending = try #require(self.next(&line))
        #expect(sending.offsets == [self.p0: 5, self.p1: 7])
        _ = self.accept(sending, &line)
        let isDone = line.requestProcessed(waiter: 1)
        #expect(isDone)
        #expect(self.next(&line) == nil)
    }

    @Test func aFailureThatPassesIsRetriedWithWhatCameMeanwhile() throws {
        var line = CommitLine()
        _ = line.request([self.p0: 5, self.p1: 1], rewinds: false, waiter: self.waiter(1, self.p0, self.p1))
        let first = try #require(self.next(&line))
        _ = line.request([self.p0: 6], rewinds: false, waiter: self.waiter(2, self.p0))
        guard case .retry = self.fail(first, isPassing: true, &line) else {
            Issue.record("it is worth another try")
            return
        }
        #expect(self.next(&line) == nil, "after a pause")
        #expect(!line.isIdle(for: [self.p1]))
        line.endPause()
        let second = try #require(self.next(&line))
        #expect(second.offsets == [self.p0: 6, self.p1: 1])
        #expect(self.accept(second, &line).waiters == [1, 2])
        #expect(line.isIdle(for: [self.p0, self.p1]))
    }

    @Test func retriesHaveABound() throws {
        var line = CommitLine()
        _ = line.request([self.p0: 5], rewinds: false, waiter: self.waiter(1, self.p0))
        for attempt in 1...CommitLine.attemptLimit {
            let sending = try #require(self.next(&line))
            switch self.fail(sending, isPassing: true, &line) {
            case .retry: #expect(attempt < CommitLine.attemptLimit)
            case .answers(let answers):
                #expect(attempt == CommitLine.attemptLimit)
                #expect(answers.map(\.error?.code) == [.coordinatorUnavailable])
            case .unknown: Issue.record("the commit is known")
            }
            line.endPause()
        }
        _ = line.request([self.p0: 5], rewinds: false)
        #expect(self.next(&line)?.offsets == [self.p0: 5], "what failed may be asked for again")
    }

    @Test func whoseOffsetsWereRefusedLearnsIt() throws {
        var line = CommitLine()
        _ = line.request([self.p0: 5], rewinds: false, waiter: self.waiter(1, self.p0))
        _ = line.request([self.p1: 6], rewinds: false, waiter: self.waiter(2, self.p1))
        let sending = try #require(self.next(&line))
        let error = KafkaError(.topicAuthorization, operation: "commit", message: "no")
        let result = line.answered(
            sending.id,
            accepted: [self.p0: 5],
            error: nil,
            refused: [self.p1: error],
            isPassing: false
        )
        guard case .answers(let answers) = result else {
            Issue.record("both are answered")
            return
        }
        #expect(
            Dictionary(uniqueKeysWithValues: answers.map { ($0.waiter, $0.error?.code) }) == [
                1: nil, 2: .topicAuthorization,
            ]
        )
    }

    @Test func nothingIsSentOfWhatWasGivenUp() throws {
        var line = CommitLine()
        line.process([(self.p0, 5), (self.p1, 7)])
        _ = line.request([self.p1: 1], rewinds: false)
        let onItsWay = try #require(self.next(&line))
        _ = line.request([self.p0: 4], rewinds: false, waiter: self.waiter(1, self.p0))
        _ = line.request([self.p1: 4], rewinds: false, waiter: self.waiter(2, self.p1))
        #expect(line.drop([self.p0]).map(\.waiter) == [1])
        _ = self.accept(onItsWay, &line)
        _ = line.requestProcessed()
        #expect(self.next(&line)?.offsets == [self.p1: 7])
    }

    @Test func whatWasGivenUpIsNotSentAgain() throws {
        var line = CommitLine()
        _ = line.request([self.p0: 4, self.p1: 4], rewinds: false)
        let sending = try #require(self.next(&line))
        _ = line.drop([self.p0])
        _ = self.fail(sending, isPassing: true, &line)
        line.endPause()
        #expect(self.next(&line)?.offsets == [self.p1: 4])
    }

    /// They would wait for ever, since it is not sent again.
    @Test func whoWaitsForWhatWasGivenUpIsToldWhenItFails() throws {
        var line = CommitLine()
        _ = line.request([self.p0: 4], rewinds: false, waiter: self.waiter(1, self.p0))
        _ = line.request([self.p1: 4], rewinds: false, waiter: self.waiter(2, self.p1))
        let sending = try #require(self.next(&line))
        #expect(line.drop([self.p0]).isEmpty, "it is on its way")
        guard case .retry(_, let answers) = self.fail(sending, isPassing: true, &line) else {
            Issue.record("it is sent again")
            return
        }
        #expect(answers.map(\.waiter) == [1])
        #expect(answers.first?.error?.code == .groupMembership)
        line.endPause()
        let again = try #require(self.next(&line))
        #expect(again.offsets == [self.p1: 4])
        #expect(self.accept(again, &line).waiters == [2])
        #expect(!line.isAwaited)
    }

    @Test func aPartitionThatComesBackBeginsAnew() throws {
        var line = CommitLine()
        _ = line.request([self.p0: 9], rewinds: false)
        let sending = try #require(self.next(&line))
        _ = line.drop([self.p0])
        _ = self.accept(sending, &line)
        line.process([(self.p0, 2)])
        _ = line.requestProcessed()
        #expect(self.next(&line)?.offsets == [self.p0: 2], "others may have gone back meanwhile")
    }

    @Test func theEndRefusesWhatIsNotSent() throws {
        var line = CommitLine()
        _ = line.request([self.p0: 9], rewinds: false, waiter: self.waiter(1, self.p0))
        let sending = try #require(self.next(&line))
        _ = line.request([self.p0: 10], rewinds: false, waiter: self.waiter(2, self.p0))
        #expect(line.end() == [2])
        #expect(self.next(&line) == nil)
        #expect(line.isAwaited)
        #expect(self.accept(sending, &line).waiters == [1])
        #expect(!line.isAwaited)
        #expect(self.next(&line) == nil)
    }
}

extension CommitLine.Result {
    /// Those who are answered; none when the commit goes on.
    fileprivate var waiters: [Int] {
        if case .answers(let answers) = self { answers.map(\.waiter).sorted() } else { [] }
    }
}
