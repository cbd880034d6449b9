import EmbeddedKafka
import Foundation
import TestSupport
import Testing

@testable import KafkaClient

extension FaultTests {
    /// A group of three processes under load, of which some are killed, some leave and some come.
    @Suite struct MembersUnderLoadTests {
        /// Where an owner of a partition begins.
        private struct Begin: Hashable {
            var partition: Int32
            var offset: Int64
        }

        @Test func atLeastOnceRepeatsOnlyWhatWasNotCommitted() async throws {
            try await MemberRun.with(.atLeastOnce) { run in
                // Where the partitions stood when a member had just died: their next owners begin there, and nowhere else.
                var begins: Set<Begin> = []
                repeat {
                    try run.add()
                    try await run.leave()
                    try await run.progress(beyond: run.committed())
                    await run.crash()
                    let committed = try await run.committed()
                    begins.formUnion(committed.map { Begin(partition: $0.key.partition, offset: $0.value) })
                    try run.add()
                    try await run.progress(beyond: committed)
                } while run.isOn
                let (sent, lines) = try await run.finish()
                #expect(lines == [], "no living member lost a partition, or what follows is wrong")

                var (repeated, missing) = (0, 0)
                for (partition, copies) in try await run.copies().enumerated() {
                    var next: Int64 = 0
                    for copy in copies {
                        if copy.offset < next {
                            let begin = Begin(partition: Int32(partition), offset: copy.offset)
                            #expect(begins.contains(begin), "\(copy.name) began at what was committed")
                            repeated += Int(next - copy.offset)
                        }
                        missing += max(0, Int(copy.offset - next))
                        next = copy.offset + 1
                    }
                    missing += sent.perPartition[partition] - Int(next)
                    #expect(next == Int64(sent.perPartition[partition]), "all of partition \(partition)")
                }
                #expect(missing == 0, "nothing is left out")
                FaultTests.report(
                    "three members, at least once",
                    [
                        "records": sent.count, "a second": sent.rate, "killed": run.crashes, "left": run.departures,
                        "lost": missing, "copied again": repeated,
                    ]
                )
            }
        }

        @Test func exactlyOnceRepeatsNothing() async throws {
            try await MemberRun.with(.exactlyOnce) { run in
                var zombies = 0
                repeat {
                    try run.add()
                    try await run.leave()
                    try await run.progress(beyond: run.committed())
                    await run.crash()
                    try run.add()
                    try await run.progress(beyond: run.committed())
                    // One stands still in the middle of its work, until the group has thrown it out and others have its
                    // partitions. Then it goes on as if nothing had been.
                    let zombie = try #require(run.members.first)
                    zombie.send(SIGSTOP)
                    try await run.progress(beyond: run.committed())
                    zombie.send(SIGCONT)
                    try await eventually("it finds out") { !zombie.lines.isEmpty }
                    zombies += 1
                } while run.isOn
                let (sent, lines) = try await run.finish()

                let tallies = try await run.copies().enumerated().map { partition, copies in
                    var tally = OffsetTally()
                    tally.take(copies.map(\.offset))
                    tally.end(at: sent.perPartition[partition])
                    return tally
                }
                #expect(tallies == sent.asTallies, "each once and in order")
                let (lost, fenced) = (lines.count { $0.hasPrefix("lost") }, lines.count { $0 == "fenced" })
                let aborted = try await run.copies(.readUncommitted).map(\.count).reduce(0, +) - sent.count
                #expect(aborted > 0, "nothing was aborted: this shows little")
                FaultTests.report(
                    "three members, exactly once",
                    [
                        "records": sent.count, "a second": sent.rate, "killed": run.crashes, "left": run.departures,
                        "stood still": zombies, "lost partitions": lost,
                        "fenced": fenced, "lost": tallies.missing,
                        "copied twice or out of order": tallies.repeated, "aborted copies": aborted,
                    ]
                )
            }
        }
    }
}
