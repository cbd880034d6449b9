import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("A log knows its producers and transactions")
struct ProducerTests {
    @Test("The last five batches are known again, older ones are not", arguments: Place.allCases)
    func duplicates(place: Place) throws {
        try withLog(place) { log, storage in
            for sequence in 0..<7 { try log.add(batch("\(sequence)", producer: (9, 0, Int32(sequence)))) }
            try self.expectFiveKnown(log)
            try self.expectFiveKnown(log.reopened(storage))
        }
    }

    /// After batches of one record each with sequences 0 to 6.
    private func expectFiveKnown(_ log: PartitionLog) throws {
        for sequence in 2..<7 {
            let again = batch("\(sequence)", producer: (9, 0, Int32(sequence)))
            let appended = try log.append(again, leaderEpoch: 0, now: 1_000).get()
            #expect(appended.isDuplicate)
            #expect(appended.baseOffset == Int64(sequence))
        }
        #expect(log.refusal(of: batch("1", producer: (9, 0, 1))) == .outOfOrderSequenceNumber)
        #expect(log.refusal(of: batch("8", producer: (9, 0, 8))) == .outOfOrderSequenceNumber)
        // The same first sequence with other records is no duplicate.
        #expect(log.refusal(of: batch("6", "7", producer: (9, 0, 6))) == .outOfOrderSequenceNumber)
        #expect(log.endOffset == 7)
    }

    @Test("Epochs fence, and each begins to count anew")
    func epochs() throws {
        try withLog(.memory) { log, _ in
            // An unknown producer is taken at any sequence.
            #expect(log.refusal(of: batch("a", producer: (1, 3, 40))) == nil)
            #expect(log.refusal(of: batch("b", producer: (1, 2, 41))) == .invalidProducerEpoch)
            #expect(log.refusal(of: batch("b", producer: (1, 4, 41))) == .outOfOrderSequenceNumber)
            #expect(log.refusal(of: batch("b", producer: (1, 4, 0))) == nil)
            #expect(log.refusal(of: batch("a", producer: (1, 3, 40))) == .invalidProducerEpoch)
            #expect(log.refusal(of: batch("c", producer: (2, 0, 0))) == nil)
            #expect(log.producers.map(\.epoch) == [4, 0])
        }
    }

    @Test("Sequences go on at 0 after 2^31 - 1")
    func wrapping() throws {
        try withLog(.memory) { log, _ in
            try log.add(batch("a", producer: (1, 0, .max)))
            try log.add(batch("b", producer: (1, 0, 0)))
            try log.add(batch("x", producer: (2, 0, .max - 1)))
            try log.add(batch("y", "z", "z", producer: (2, 0, .max)))
            #expect(log.producers.map(\.lastSequence) == [0, 1])
            let again = try log.append(batch("y", "z", "z", producer: (2, 0, .max)), leaderEpoch: 0, now: 0).get()
            #expect(again.isDuplicate)
            try log.add(batch("w", producer: (2, 0, 2)))
        }
    }

    @Test("Idle producers are forgotten, those with an open transaction are not")
    func expiry() throws {
        var configuration = LogConfiguration()
        configuration.producerExpirationMilliseconds = 100
        try withLog(.memory, configuration) { log, _ in
            try log.add(batch("a", producer: (1, 0, 0)), now: 0)
            try log.add(batch("b", producer: (2, 0, 0), isTransactional: true), now: 0)
            try log.add(batch("c", producer: (3, 0, 0)), now: 60)
            try log.enforceRetention(now: 100)
            #expect(log.producers.map(\.id) == [2, 3])
        }
    }

    @Test("The last stable offset waits for the earliest open transaction", arguments: Place.allCases)
    func lastStableOffset(place: Place) throws {
        try withLog(place) { log, storage in
            try log.add(batch("plain"))
            try log.add(batch("a1", producer: (1, 0, 0), isTransactional: true))
            try log.add(batch("b1", producer: (2, 0, 0), isTransactional: true))
            #expect(log.lastStableOffset == 1)
            #expect(try log.mark(2, commit: true) == 3)
            #expect(log.lastStableOffset == 1)
            #expect(try log.values(.readCommitted) == ["plain"])
            try log.add(batch("a2", producer: (1, 0, 1), isTransactional: true))
            #expect(log.hasOpenTransaction(producerID: 1))
            #expect(log.producers.first?.transactionStartOffset == 1)
            let log = try log.reopened(storage)
            #expect(log.lastStableOffset == 1)
            #expect(log.hasOpenTransaction(producerID: 1))
            #expect(!log.hasOpenTransaction(producerID: 2))
            try log.mark(1, commit: false)
            #expect(log.lastStableOffset == log.endOffset)
            #expect(try log.values(.readCommitted) == ["plain", "b1"])
            #expect(try log.values() == ["plain", "a1", "b1", "a2"])
            let again = try log.reopened(storage)
            #expect(again.lastStableOffset == again.endOffset)
            #expect(try again.values(.readCommitted) == ["plain", "b1"])
        }
    }

    @Test("A reader hears of the aborted transactions that touch its data, and of no others")
    func abortedList() throws {
        try withLog(.memory) { log, _ in
            for round in 0..<10 {
                // Offsets 3n (data), 3n + 1 (plain), 3n + 2 (marker).
                try log.add(batch("\(round)", producer: (1, 0, Int32(round)), isTransactional: true))
                try log.add(batch("plain"))
                try log.mark(1, commit: round % 2 == 1)
            }
            func aborted(_ offset: Int64, _ maxBytes: Int) throws -> [Int64]? {
                let read = try log.read(
                    from: offset,
                    maxBytes: maxBytes,
                    isolation: .readCommitted,
                    atLeastOneBatch: true
                ).get()
                return read.abortedTransactions?.map(\.firstOffset)
            }
            #expect(try aborted(0, .max) == [0, 6, 12, 18, 24])
            #expect(try aborted(7, .max) == [6, 12, 18, 24])
            #expect(try aborted(8, 1) == [6])
            #expect(try aborted(9, 1) == [])
            #expect(try aborted(30, .max) == [])
            let plain = try log.read(from: 0, maxBytes: 1, isolation: .readUncommitted, atLeastOneBatch: true).get()
            #expect(plain.abortedTransactions == nil)
        }
    }

    @Test("A transaction that began long before is named too, across others that ended within")
    func longTransaction() throws {
        try withLog(.memory) { log, _ in
            try log.add(batch("long", producer: (1, 0, 0), isTransactional: true))
            for round in 0..<3 {
                try log.add(batch("short", producer: (2, 0, Int32(round)), isTransactional: true))
                try log.mark(2, commit: false)
            }
            try log.add(batch("long", producer: (1, 0, 1), isTransactional: true))
            try log.mark(1, commit: false)
            let read = try log.read(from: 2, maxBytes: 1, isolation: .readCommitted, atLeastOneBatch: true).get()
            #expect(Set(read.abortedTransactions?.map(\.firstOffset) ?? []) == [0, 1])
            #expect(try log.values(.readCommitted) == [])
        }
    }

    @Test("Markers", arguments: Place.allCases)
    func markers(place: Place) throws {
        try withLog(place) { log, storage in
            // Without data a marker takes an offset all the same, and its epoch counts.
            #expect(try log.mark(5, epoch: 2, commit: false, coordinatorEpoch: 7) == 0)
            let header = try #require(try log.batches().first?.header)
            #expect(header.attributes == 0x30)
            #expect(header.baseSequence == -1)
            #expect(
                try log.batches().first.flatMap { ControlRecord($0.bytes, header: $0.header)?.coordinatorEpoch } == 7
            )
            let read = try log.read(from: 0, maxBytes: 1, isolation: .readCommitted, atLeastOneBatch: true).get()
            #expect(read.abortedTransactions == [])
            let log = try log.reopened(storage)
            #expect(log.refusal(of: batch("late", producer: (5, 1, 0), isTransactional: true)) == .invalidProducerEpoch)
            #expect(throws: ErrorCode.invalidProducerEpoch) { try log.mark(5, epoch: 1, commit: true) }
            #expect(throws: ErrorCode.transactionCoordinatorFenced) {
                try log.mark(5, epoch: 2, commit: true, coordinatorEpoch: 6)
            }
            try log.add(batch("next", producer: (5, 2, 0), isTransactional: true))
            #expect(log.refusal(of: batch("plain", producer: (5, 2, 1))) == .invalidTransactionState)
        }
    }
}
