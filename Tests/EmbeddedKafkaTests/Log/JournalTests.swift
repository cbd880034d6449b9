import Foundation
import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("Journal and data directory")
struct JournalTests {
    private func put(_ journal: Journal, _ key: String, _ value: String?) throws {
        try journal.put(key: ByteBuffer(string: key), value: value.map { ByteBuffer(string: $0) })
    }

    private func entries(_ journal: Journal) throws -> [String] {
        try journal.load().map { "\(String(buffer: $0.key))=\(String(buffer: $0.value))" }
    }

    @Test("Values come back in the order in which they were last written")
    func order() throws {
        try withFolder { folder in
            let storage = Journal.Storage.file("\(folder)/journal")
            let journal = try Journal(storage: storage)
            try self.put(journal, "a", "1")
            try self.put(journal, "b", "2")
            try self.put(journal, "c", "")
            try self.put(journal, "a", "3")
            try self.put(journal, "b", nil)
            try self.put(journal, "unknown", nil)
            #expect(try self.entries(journal) == ["c=", "a=3"])
            // Not closed: as after a crash.
            #expect(try self.entries(Journal(storage: storage)) == ["c=", "a=3"])
        }
    }

    @Test("A tail that is torn anywhere is cut")
    func tornTail() throws {
        try withFolder { folder in
            let path = "\(folder)/journal"
            let url = URL(fileURLWithPath: path)
            let journal = try Journal(storage: .file(path))
            try self.put(journal, "a", "1")
            let kept = try Data(contentsOf: url).count
            try self.put(journal, "a", "a longer value than any that follows")
            try journal.close()
            let all = try Data(contentsOf: url)
            for length in kept..<all.count {
                try all.prefix(length).write(to: url)
                let journal = try Journal(storage: .file(path))
                #expect(journal.discardedBytes == length - kept)
                #expect(try self.entries(journal) == ["a=1"])
                try self.put(journal, "b", "2")
                let again = try Journal(storage: .file(path))
                #expect(try self.entries(again) == ["a=1", "b=2"])
                #expect(again.discardedBytes == 0)
            }
            for index in kept..<all.count {
                var damaged = all
                damaged[index] ^= 0x11
                try damaged.write(to: url)
                #expect(try self.entries(Journal(storage: .file(path))) == ["a=1"])
            }
        }
    }

    @Test("The file stays small when values change often")
    func compaction() throws {
        try withFolder { folder in
            let path = "\(folder)/journal"
            let journal = try Journal(storage: .file(path))
            journal.smallestGarbage = 2_000
            try self.put(journal, "first", "stays")
            for round in 0..<5_000 { try self.put(journal, "key\(round % 7)", "\(round)") }
            try self.put(journal, "last", "1")
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count < 5_000)
            let expected = ["first=stays"] + (4_993..<5_000).map { "key\($0 % 7)=\($0)" } + ["last=1"]
            #expect(try self.entries(journal) == expected)
            // A rewrite that a crash interrupted doesn't count.
            try Data("rubbish".utf8).write(to: URL(fileURLWithPath: path + ".cleaned"))
            #expect(try self.entries(Journal(storage: .file(path))) == expected)
        }
    }

    @Test("In memory nothing is kept, and nothing fails")
    func memory() throws {
        let journal = try Journal(storage: .memory)
        try self.put(journal, "a", "1")
        #expect(try journal.load().isEmpty)
        try journal.close()
    }

    @Test("A data directory is for one cluster at a time")
    func lock() throws {
        try withFolder { folder in
            let path = "\(folder)/data/deeper"
            let first = try DataDirectory(path: path + "/")
            let error = #expect(throws: LogError.self) { try DataDirectory(path: path) }
            #expect(error?.description.contains(path) == true)
            first.close()
            let second = try DataDirectory(path: path)
            second.close()
        }
    }

    @Test("Partitions are found by their folders")
    func partitions() throws {
        try withFolder { folder in
            let directory = try DataDirectory(path: folder)
            let names = [TopicPartition("a-b.c_d-1", 12), TopicPartition(".x", 0), TopicPartition("t", 0)]
            for name in names {
                let storage = directory.storage(for: name)
                try PartitionLog(storage: storage, configuration: LogConfiguration(), now: 0).close()
            }
            for other in ["t-", "-1", "t-x", "t--1", "t-01", "t-99999999999", "plain", ".deleted~7/deep"] {
                try FileManager.default.createDirectory(
                    atPath: "\(folder)/\(other)",
                    withIntermediateDirectories: true
                )
            }
            // "t--1" is the topic "t-" with partition 1.
            #expect(try directory.partitions() == (names + [TopicPartition("t-", 1)]).sorted())
            directory.close()
            let again = try DataDirectory(path: folder)
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/.deleted~7"))
            again.close()
        }
    }
}
