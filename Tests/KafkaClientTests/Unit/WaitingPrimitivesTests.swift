import Synchronization
import TestSupport
import Testing

@testable import KafkaClient

/// How often a race is run.
private let races = 3_000

@Suite(.timeLimit(.minutes(1)))
struct CancellableWaitTests {
    @Test func aReportThatComesFirstIsKept() async {
        let waiter = NumberWaiter()
        waiter.deliver(7)
        #expect(await waiter.wait() == 7)
        #expect(await waiter.wait() == 7, "and stays")
    }

    @Test func severalTasksGetTheReport() async throws {
        try await withDeadline(.seconds(30), "the report") {
            let waiter = NumberWaiter()
            await withTaskGroup(of: Int?.self) { group in
                for _ in 0..<10 {
                    group.addTask { await waiter.wait() }
                }
                group.addTask {
                    waiter.deliver(7)
                    return 7
                }
                for await report in group {
                    #expect(report == 7)
                }
            }
        }
    }

    @Test func aCancelledTaskGetsNothingAndTheNextOneTheReport() async {
        let waiter = NumberWaiter()
        let task = Task { await waiter.wait() }
        task.cancel()
        #expect(await task.value == nil)
        waiter.deliver(7)
        #expect(await waiter.wait() == 7)
    }

    @Test func aReportWinsOverACancellationThatComesLater() async {
        let waiter = NumberWaiter()
        waiter.deliver(7)
        let task = Task { () -> Int? in
            withUnsafeCurrentTask { $0?.cancel() }
            return await waiter.wait()
        }
        #expect(await task.value == 7)
    }

    @Test func deliveryRacesWithCancellation() async throws {
        try await withDeadline(.seconds(30), "all waiters") {
            for _ in 0..<races {
                let waiter = NumberWaiter()
                let task = Task { await waiter.wait() }
                let canceller = Task { task.cancel() }
                waiter.deliver(7)
                await canceller.value
                let report = await task.value
                #expect(report == nil || report == 7)
            }
        }
    }

    @Test func cancellingOneWaiterLeavesTheOthersAlone() async throws {
        try await withDeadline(.seconds(50), "all waiters") {
            for _ in 0..<races {
                let waiter = NumberWaiter()
                let cancelled = Task { await waiter.wait() }
                let canceller = Task { cancelled.cancel() }
                let others = (0..<3).map { _ in Task { await waiter.wait() } }
                await canceller.value
                _ = await cancelled.value
                waiter.deliver(7)
                for other in others {
                    let report = await other.value
                    #expect(report == 7, "only the cancelled task may go without")
                    guard report == 7 else { return }
                }
            }
        }
    }

    @Test func theOpaquePointerHoldsOneReference() {
        func makeWaiter() -> DeliveryWaiter {
            DeliveryWaiter(
                record: KafkaProducerRecord(topic: "orders", value: "placed"),
                operation: .send,
                context: DeliveryContext(connectionProblem: ConnectionProblem(), isTransactional: false)
            )
        }
        weak var weakWaiter: DeliveryWaiter?
        let opaque: UnsafeMutableRawPointer
        do {
            let waiter = makeWaiter()
            weakWaiter = waiter
            opaque = waiter.makeOpaque()
        }
        #expect(weakWaiter != nil)
        do {
            let waiter = DeliveryWaiter.take(opaque: opaque)
            #expect(waiter === weakWaiter)
        }
        #expect(weakWaiter == nil)
    }
}

/// A completion that brings a number, as those of deliveries and commits bring theirs.
private final class NumberWaiter: Completion, @unchecked Sendable {
    private var number: Int?

    func deliver(_ number: Int) {
        self.number = number
        self.complete()
    }

    func wait() async -> Int? {
        await self.waitUnlessCancelled() ? self.number : nil
    }
}

@Suite(.timeLimit(.minutes(1)))
struct CompletionTests {
    @Test func wakesThoseWhoWaitAndThoseWhoComeLater() async throws {
        try await withDeadline(.seconds(30), "the completion") {
            let completion = Completion()
            #expect(!completion.isComplete)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<10 {
                    group.addTask { await completion.wait() }
                }
                completion.complete()
                completion.complete()
            }
            #expect(completion.isComplete)
            await completion.wait()
        }
    }

    @Test func completionRacesWithWaiting() async throws {
        try await withDeadline(.seconds(30), "all waiters") {
            for _ in 0..<races {
                let completion = Completion()
                async let first: Void = completion.wait()
                async let second: Void = completion.wait()
                completion.complete()
                _ = await (first, second)
            }
        }
    }

    @Test func cancellationIsWaitedFor() async throws {
        try await withDeadline(.seconds(30), "the cancellation") {
            for _ in 0..<races {
                let task = Task { await waitForCancellation() }
                task.cancel()
                await task.value
            }
        }
    }
}

@Suite(.timeLimit(.minutes(1)))
struct DataSignalTests {
    @Test func aSignalIsKeptForTheNextWait() async throws {
        try await withDeadline(.seconds(30), "the signal") {
            let signal = DataSignal()
            signal.signal()
            signal.signal()
            await signal.wait()
        }
    }

    @Test func severalSignalsAreOne() async throws {
        let signal = DataSignal()
        signal.signal()
        signal.signal()
        await signal.wait()
        let isOver = Atomic<Bool>(false)
        let second = Task {
            await signal.wait()
            isOver.store(true, ordering: .releasing)
        }
        for _ in 0..<100 { await Task.yield() }
        let wasOver = isOver.load(ordering: .acquiring)
        #expect(!wasOver)
        signal.signal()
        await second.value
    }

    @Test func everySignalIsSeen() async throws {
        try await withDeadline(.seconds(30), "all signals") {
            let signal = DataSignal()
            let sent = Atomic<Int>(0)
            let reader = Task {
                while sent.load(ordering: .acquiring) < races {
                    await signal.wait()
                }
            }
            for number in 1...races {
                sent.store(number, ordering: .releasing)
                signal.signal()
            }
            await reader.value
        }
    }

    @Test func cancellationEndsTheWait() async throws {
        try await withDeadline(.seconds(30), "all waits") {
            for _ in 0..<races {
                let signal = DataSignal()
                let task = Task { await signal.wait() }
                task.cancel()
                await task.value
            }
        }
    }
}

@Suite(.timeLimit(.minutes(1)))
struct QueueRoomTests {
    @Test func wakeWakesAll() async throws {
        let room = QueueRoom()
        #expect(!room.isAwaited)
        let tasks = (0..<10).map { _ in Task { try await room.wait { true } } }
        let looked = Atomic<Int>(0)
        let last = Task {
            try await room.wait {
                looked.store(1, ordering: .releasing); return true
            }
        }
        try await eventually("a waiter") { looked.load(ordering: .acquiring) == 1 && room.isAwaited }
        try await eventually("all are woken") {
            room.wake()
            return !room.isAwaited
        }
        // Those who came after the first call of `wake` are woken by the next.
        try await withDeadline(.seconds(30), "all waiters") {
            let waker = Task {
                while !Task.isCancelled {
                    room.wake()
                    await Task.yield()
                }
            }
            for task in tasks + [last] { try await task.value }
            waker.cancel()
        }
        #expect(!room.isAwaited)
    }

    @Test func nobodyWaitsWhenThereIsRoomAlready() async throws {
        let room = QueueRoom()
        try await room.wait { false }
        #expect(!room.isAwaited)
    }

    @Test func cancellationEndsTheWait() async throws {
        let room = QueueRoom()
        for _ in 0..<races {
            let task = Task { try await room.wait { true } }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        #expect(!room.isAwaited)
    }

    @Test func wakingRacesWithWaiting() async throws {
        try await withDeadline(.seconds(30), "all waiters") {
            let room = QueueRoom()
            for _ in 0..<races {
                let isFull = Atomic<Bool>(true)
                let task = Task { try await room.wait { isFull.load(ordering: .sequentiallyConsistent) } }
                isFull.store(false, ordering: .sequentiallyConsistent)
                if room.isAwaited { room.wake() }
                try await task.value
            }
            #expect(!room.isAwaited)
        }
    }
}
