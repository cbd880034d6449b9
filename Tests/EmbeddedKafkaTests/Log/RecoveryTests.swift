import Foundation
import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("A log in files survives")
struct RecoveryTests {
    private func files(_ folder: String, suffix: String = ".log") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(suffix) }.sorted()
    }

    @Test("Without being closed: everything that was appended is there")
    func kill() throws {
        try withFolder { folder in
            let storage = LogStorage.directory(folder)
            let first = try PartitionLog(storage: storage, configuration: LogConfiguration(), now: 0)
            for index in 0..<100 { try first.add(batch("\(index)")) }
            let second = try PartitionLog(storage: storage, configuration: LogConfiguration(), now: 0)
            #expect(try second.values() == (0..<100).map(String.init))
            #expect(second.recovery == PartitionLog.Recovery())
            #expect(second.size == first.size)
            #expect(try self.files(folder) == ["00000000000000000000.log"])
        }
    }

    @Test("A last batch that is torn anywhere is cut, and the log goes on")
    func tornTail() throws {
        try withFolder { folder in
            let storage = LogStorage.directory(folder)
            let file = "\(folder)/00000000000000000000.log"
            let log = try PartitionLog(storage: storage, configuration: LogConfiguration(), now: 0)
            try log.add(batch("a", producer: (1, 0, 0), isTransactional: true))
            try log.add(batch("b", producer: (1, 0, 1), isTransactional: true))
            try log.close()
            let kept = try Data(contentsOf: URL(fileURLWithPath: file))
            let whole = try PartitionLog(storage: storage, configuration: LogConfiguration(), now: 0)
            try whole.mark(1, commit: true)
            try whole.close()
            let all = try Data(contentsOf: URL(fileURLWithPath: file))
            #expect(all.count > kept.count)
            for length in kept.count..<all.count {
                try all.prefix(length).write(to: URL(fileURLWithPath: file))
                let log = try PartitionLog(storage: storage, configuration: LogConfiguration(), now: 0)
                #expect(log.endOffset == 2)
                #expect(log.lastStableOffset == 0)
                #expect(log.recovery.removedBytes == length - kept.count)
                #expect((log.recovery.reason == nil) == (length == kept.count))
                #expect(try log.add(batch("c", producer: (1, 0, 2), isTransactional: true)) == 2)
                #expect(try log.reopened(storage).values() == ["a", "b", "c"])
            }
        }
    }

    @Test("A changed byte anywhere that the checksum covers ends the log before its batch")
    func damage() throws {
        try withFolder { folder in
            var configuration = LogConfiguration()
            configuration.segmentBytes = 150
            let storage = LogStorage.directory(folder)
            let log = try PartitionLog(storage: storage, configuration: configuration, now: 0)
            for index in 0..<8 { try log.add(batch("\(index)")) }
            try log.close()
            let names = try self.files(folder)
            #expect(names.count == 4)
            // The second segment has offsets 2 and 3; damage is in 3.
            let path = URL(fileURLWithPath: "\(folder)/\(names[1])")
            var data = try Data(contentsOf: path)
            data[data.count - 3] ^= 0x40
            try data.write(to: path)
            let damaged = try PartitionLog(storage: storage, configuration: configuration, now: 0)
            #expect(damaged.endOffset == 3)
            #expect(damaged.recovery.removedSegments == 2)
            #expect(damaged.recovery.reason?.contains("offset 3") == true)
            #expect(try damaged.add(batch("new")) == 3)
            #expect(try damaged.reopened(storage).values() == ["0", "1", "2", "new"])
        }
    }

    @Test("Files of any bytes are opened, and nothing traps")
    func anyBytes() throws {
        var generator = Seeded(3)
        try withFolder { folder in
            let storage = LogStorage.directory(folder)
            let path = URL(fileURLWithPath: "\(folder)/00000000000000000000.log")
            let log = try PartitionLog(storage: storage, configuration: LogConfiguration(), now: 0)
            for index in 0..<4 { try log.add(keyed([("k", "\(index)")], producer: (1, 0, Int32(index)))) }
            try log.mark(1, commit: false)
            try log.close()
            let good = try Data(contentsOf: path)
            for _ in 0..<300 {
                var data = good
                for _ in 0..<3 {
                    data[Int.random(in: 0..<data.count, using: &generator)] = .random(
                        in: .min ... .max,
                        using: &generator
                    )
                }
                try data.write(to: path)
                let log = try PartitionLog(storage: storage, configuration: LogConfiguration(), now: 0)
                _ = try log.batches()
                try log.add(batch("next"))
                try log.close()
            }
        }
    }

    @Test("The start of the log stays, also inside a batch, and when all is deleted", arguments: [Int64(1), 4, 6])
    func startOffset(start: Int64) throws {
        try withFolder { folder in
            let storage = LogStorage.directory(folder)
            var configuration = LogConfiguration()
            configuration.segmentBytes = 100
            let log = try PartitionLog(storage: storage, configuration: configuration, now: 0)
            for index in 0..<3 { try log.add(batch("\(2 * index)", "\(2 * index + 1)")) }
            #expect(log.deleteRecords(before: start, now: 0) == .success(start))
            let again = try log.reopened(storage)
            #expect(again.startOffset == start)
            #expect(again.endOffset == 6)
            #expect(try again.values() == (start..<6).map { "\($0)" })
            #expect(try again.add(batch("new")) == 6)
        }
    }

    @Test("A producer goes on though all that is left of it is a marker, and an older epoch doesn't")
    func markerOnly() throws {
        try withFolder { folder in
            let storage = LogStorage.directory(folder)
            var configuration = LogConfiguration()
            configuration.segmentBytes = 100
            let log = try PartitionLog(storage: storage, configuration: configuration, now: 0)
            try log.add(batch("a", "b", producer: (1, 3, 0), isTransactional: true))
            try log.mark(1, epoch: 3, commit: true)
            #expect(log.deleteRecords(before: 2, now: 0) == .success(2))
            let again = try log.reopened(storage)
            #expect(again.refusal(of: batch("c", producer: (1, 2, 2), isTransactional: true)) == .invalidProducerEpoch)
            #expect(again.refusal(of: batch("c", producer: (1, 3, 2), isTransactional: true)) == nil)
            #expect(
                again.refusal(of: batch("e", producer: (1, 3, 4), isTransactional: true)) == .outOfOrderSequenceNumber
            )
        }
    }

    @Test("Offsets are not given twice, even if what was deleted is lost as well")
    func lostTail() throws {
        try withFolder { folder in
            let storage = LogStorage.directory(folder)
            let log = try PartitionLog(storage: storage, configuration: LogConfiguration(), now: 0)
            for _ in 0..<5 { try log.add(batch("a")) }
            #expect(log.deleteRecords(before: 4, now: 0) == .success(4))
            try log.close()
            try Data().write(to: URL(fileURLWithPath: "\(folder)/00000000000000000000.log"))
            let again = try PartitionLog(storage: storage, configuration: LogConfiguration(), now: 0)
            #expect(again.startOffset == 4)
            #expect(try again.add(batch("b")) == 4)
            #expect(try again.reopened(storage).values() == ["b"])
        }
    }

    @Test("A disk that is full refuses the batch, and the log says so")
    func fullDisk() throws {
        #if os(Linux)
        try withFolder { folder in
            let path = "\(folder)/00000000000000000000.log"
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/full")
            let log = try PartitionLog(storage: .directory(folder), configuration: LogConfiguration(), now: 0)
            #expect(log.refusal(of: batch("a")) == .storageError)
            #expect(log.refusal(of: batch("a")) == .storageError)
            #expect(log.endOffset == 0)
            #expect(try log.batches().isEmpty)
        }
        #endif
    }

    @Test("Deleting removes the folder")
    func delete() throws {
        try withFolder { folder in
            let log = try PartitionLog(
                storage: .directory("\(folder)/a/topic-0"),
                configuration: LogConfiguration(),
                now: 0
            )
            try log.add(batch("a"))
            try log.delete()
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/a") == [])
        }
    }
}
