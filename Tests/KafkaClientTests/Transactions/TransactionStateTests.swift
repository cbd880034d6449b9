import Dispatch
import TestSupport
import Testing

@testable import KafkaClient

/// The decisions of transactions, without a producer.
@Suite struct TransactionStateTests {
    let now = ContinuousClock.now
    let fatal = KafkaError(
        .fenced,
        operation: "commit a transaction",
        message: "fenced",
        disposition: KafkaError.Disposition(isFatal: true)
    )

    let timeIsUp = KafkaError(
        .timedOut,
        operation: "run a transaction",
        message: "the time is up",
        disposition: KafkaError.Disposition(requiresAbort: true)
    )

    private func makeOpen() -> (state: TransactionState, id: Int) {
        var state = TransactionState()
        state.ready()
        let (id, _) = state.begin(deadline: self.now + .seconds(10))
        return (state, id)
    }

    @Test func theProducerIsInitializedFirst() throws {
        var state = TransactionState()
        #expect(try state.preparation(operation: "begin") == .initialize)
        state.ready()
        #expect(try state.preparation(operation: "begin") == nil)
    }

    @Test(arguments: [TransactionState.Ending.commit, .abort])
    func anEndWithoutAnAnswerIsGoneOnWith(ending: TransactionState.Ending) throws {
        var (state, id) = self.makeOpen()
        _ = state.end(id)
        state.leaveUnresolved(ending)
        #expect(try state.preparation(operation: "begin") == .resume(ending))
        state.ready()
        #expect(try state.preparation(operation: "begin") == nil)
    }

    @Test func aFatalErrorStays() {
        var (state, id) = self.makeOpen()
        state.breakDown(self.fatal)
        state.breakDown(KafkaError(.broker, operation: "abort", message: "another"))
        state.ready()
        let error = #expect(throws: KafkaError.self) { try state.preparation(operation: "begin") }
        #expect(error?.code == .fenced)
        #expect(error?.isFatal == true)
        #expect(error?.operation == "begin")
        let send = #expect(throws: KafkaError.self) { try state.enter(id, operation: "send") }
        #expect(send?.code == .fenced)
    }

    @Test func aFatalErrorDoesNotKeepATransactionFromEnding() throws {
        var (state, id) = self.makeOpen()
        try state.enter(id, operation: "send")
        state.breakDown(self.fatal)
        #expect(state.end(id) == .wait)
        let isQuiet = state.leave(id)
        #expect(isQuiet)
    }

    @Test func theEndWaitsForWhatIsBeingHandedOver() throws {
        var (state, id) = self.makeOpen()
        try state.enter(id, operation: "send")
        try state.enter(id, operation: "send")
        let first = state.leave(id)
        #expect(!first, "nothing waits yet")
        #expect(state.end(id) == .wait)
        #expect(throws: KafkaError.self) { try state.enter(id, operation: "send") }
        let second = state.leave(id)
        #expect(second, "that was the last one")
    }

    @Test func nothingEntersOutsideOfATransaction() {
        var (state, id) = self.makeOpen()
        for (other, text) in [(nil, "withTransaction"), (id + 1, "has ended")] as [(Int?, String)] {
            let error = #expect(throws: KafkaError.self) { try state.enter(other, operation: "send") }
            #expect(error?.code == .invalidState)
            #expect(error?.message.contains(text) == true)
        }
        #expect(state.end(id) == .proceed)
        state.ready()
        let next = state.begin(deadline: self.now).id
        #expect(next != id)
        #expect(throws: KafkaError.self) { try state.enter(id, operation: "send") }
        _ = state.leave(id)
        #expect(state.end(next) == .proceed, "what belongs to another transaction does not count")
    }

    @Test func aTransactionWhoseTimeIsUpIsEndedOnce() throws {
        var (state, id) = self.makeOpen()
        try state.enter(id, operation: "send")
        #expect(state.expire(now: self.now + .seconds(9), because: self.timeIsUp) == .later(self.now + .seconds(10)))
        #expect(state.expire(now: self.now + .seconds(10), because: self.timeIsUp) == .expired(id: id, isQuiet: false))
        #expect(state.expire(now: self.now + .seconds(11), because: self.timeIsUp) == .none)
        #expect(!state.isOpen(id))
        let refusal = #expect(throws: KafkaError.self) { try state.enter(id, operation: "send") }
        #expect(refusal?.code == .timedOut, "and not that it was used too late")
        #expect(refusal?.requiresAbort == true)
        let isQuiet = state.leave(id)
        #expect(isQuiet)
        #expect(state.end(id) == .expired)
        state.ready()
        #expect(state.end(id) == .expired, "also when the abort is over")
    }

    @Test func aTransactionThatEndsInTimeDoesNotExpire() {
        var (state, id) = self.makeOpen()
        _ = state.end(id)
        #expect(state.expire(now: self.now + .seconds(11), because: self.timeIsUp) == .none)
    }

    @Test func oneLooksAtTheTime() {
        var state = TransactionState()
        state.ready()
        #expect(state.begin(deadline: self.now + .seconds(10)).mustWatch)
        state.ready()
        #expect(!state.begin(deadline: self.now + .seconds(20)).mustWatch, "somebody does already")
        #expect(state.expire(now: self.now + .seconds(10), because: self.timeIsUp) == .later(self.now + .seconds(20)))
        state.ready()
        #expect(state.expire(now: self.now + .seconds(20), because: self.timeIsUp) == .none)
        #expect(state.begin(deadline: self.now + .seconds(30)).mustWatch)
    }

    // MARK: Turns

    @Test(.timeLimit(.minutes(1))) func turnsAreGivenInOrder() async {
        let queue = TurnQueue()
        #expect(await queue.take() == .granted)
        let order = Collected<Int>()
        var tasks: [Task<Void, Never>] = []
        for number in 0..<4 {
            let isWaiting = queue.waitingCount
            tasks.append(
                Task {
                    guard await queue.take() == .granted else { return }
                    order.append(number)
                    queue.giveBack()
                }
            )
            while queue.waitingCount == isWaiting { await Task.yield() }
        }
        tasks[1].cancel()
        await tasks[1].value
        queue.giveBack()
        for task in tasks { await task.value }
        #expect(order.elements == [0, 2, 3])
        #expect(await queue.take() == .granted)
    }

    @Test(.timeLimit(.minutes(1))) func closingSendsAwayThoseWhoWait() async {
        let queue = TurnQueue()
        #expect(await queue.take() == .granted)
        let waiting = Task { await queue.take() }
        while queue.waitingCount == 0 { await Task.yield() }
        let close = Task { await queue.close(until: .distantFuture) }
        #expect(await waiting.value == .closed)
        queue.giveBack()
        await close.value
        #expect(await queue.take() == .closed)
    }

    @Test(.timeLimit(.minutes(1))) func aBorrowedTurnGoesToOne() async {
        let taken = BorrowedTurn<Int>()
        #expect(taken.finish(7))
        #expect(await taken.result() == 7)
        let left = BorrowedTurn<Int>()
        let task = Task { await left.result() }
        task.cancel()
        #expect(await task.value == nil)
        #expect(!left.finish(7), "nobody wants it any more")
    }
}
