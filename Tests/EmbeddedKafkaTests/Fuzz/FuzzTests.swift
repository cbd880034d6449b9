import Foundation
import Testing

@testable import EmbeddedKafka

/// Mutated requests against a broker with state: it may refuse what it likes, and must neither trap nor grow.
///
/// `KSTREAM_FUZZ_SECONDS` says how long (default: 3), `KSTREAM_FUZZ_SEED` with which faults (default: others in each run).
/// Each round of a few thousand requests has a seed of its own, which is printed in long runs and kept in a file, so that
/// the round that trapped can be had again: `KSTREAM_FUZZ_SEED=<seed> KSTREAM_FUZZ_SECONDS=1`.
@Suite("Fuzzing", .serialized)
struct FuzzTests {
    private static let requestsInRound = 4_000
    private static let seedFile = FileManager.default.temporaryDirectory.appendingPathComponent("kstream-fuzz-seed")

    private func environment(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    @Test("The corpus is answered: it reaches what it is meant to reach")
    func corpus() async throws {
        let victim = try FuzzVictim()
        for _ in 0..<3 {
            for entry in FuzzCorpus.all {
                try victim.send(entry.frame)
                // Nobody waits for what a group or a fetch waits for.
                try victim.drop()
            }
            try await victim.advance(milliseconds: 1)
        }
        #expect(victim.closed == 0)
        let log = try #require(victim.broker.topics.topics["compacted"]?.partitions.first?.log)
        #expect(log.endOffset > 100)
        #expect(log.segments.count > 2)
        #expect(victim.broker.transactions.transactions["tx"] != nil)
    }

    @Test("Spoilt requests neither trap nor fill the memory")
    func mutations() async throws {
        let seconds = self.environment("KSTREAM_FUZZ_SECONDS") ?? 3
        let first = self.environment("KSTREAM_FUZZ_SEED") ?? UInt64.random(in: 0...999_999_999)
        let end = ContinuousClock.now.advanced(by: .seconds(Int64(clamping: seconds)))
        print("fuzzing for \(seconds) s from seed \(first)")
        let victim = try FuzzVictim()
        var seed = first
        var requests = 0
        var residentAtStart: Int?
        repeat {
            try? "\(seed)\n".write(to: Self.seedFile, atomically: false, encoding: .utf8)
            var mutator = FuzzMutator(seed: seed)
            try victim.reset()
            for _ in 0..<Self.requestsInRound {
                try victim.send(mutator.next())
                requests += 1
                if mutator.isOne(in: 8) { try victim.drop() }
                if mutator.isOne(in: 64) {
                    try await victim.advance(milliseconds: [1, 50, 7_000, 70_000][mutator.below(4)])
                }
            }
            // A broker that answers nothing any more would survive everything.
            let answers = victim.answers
            try victim.drop()
            try victim.send(FuzzCorpus.all[0].frame)
            #expect(victim.answers == answers + 1, "seed \(seed)")
            // In short runs the tests beside this one take more than it could lose.
            if seconds >= 60, requests == 5 * Self.requestsInRound { residentAtStart = residentBytes() }
            seed += 1
        } while ContinuousClock.now < end
        print("fuzzed \(requests) requests, \(victim.answers) answers, \(victim.closed) connections ended")
        #expect(victim.answers > requests / 4, "from seed \(first)")
        #expect(victim.closed > 0, "from seed \(first)")
        if let residentAtStart, let now = residentBytes() {
            print("memory: \(residentAtStart >> 20) MiB after five rounds, \(now >> 20) MiB at the end")
            #expect(now - residentAtStart < 200 << 20)
        }
    }
}

/// How much of this process is in memory, where the system tells.
private func residentBytes() -> Int? {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
    let fields = text.split(separator: " ")
    guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
}
