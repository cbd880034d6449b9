import EmbeddedKafka
import EventStreaming
import Foundation
import KafkaClient
import TestSupport
import Testing

/// Requests to responders in processes of their own.
@Suite(.timeLimit(.minutes(3)))
struct KilledResponderTests {
    private enum Ending {
        case reply(by: String)
        case ownTimeout
    }

    /// Every request ends in its own reply or its own time-out, whatever becomes of those who answer.
    @Test func fiveThousandRequestsOutliveAResponder() async throws {
        let fixture = try await RequestFixture.make(requestPartitions: 6)
        let responders = try (0..<3).map { number in
            try ChildProcess(
                "responder-process",
                [
                    "--servers", fixture.cluster.bootstrapServers[0], "--group", fixture.name, "--name", "r\(number)",
                    "--requests", fixture.requests.name, "--replies", fixture.replies.name,
                ]
            )
        }
        defer { for responder in responders { responder.send(SIGKILL) } }
        var configuration = fixture.requesting
        configuration.maxPending = 5_000
        try await fixture.withRequester(configuration) { requester in
            // Each of the three has its share.
            try await eventually(within: .seconds(60), "all three answer") {
                let names = try await withThrowingTaskGroup(of: String.self) { group in
                    for number in 0..<60 {
                        group.addTask { try await self.responder(of: requester, "warm \(number)") }
                    }
                    return try await group.reduce(into: Set<String>()) { $0.insert($1) }
                }
                return names.count == 3
            }
            let before = requester.statistics
            let replied = Collected<Int>()
            let killed = Gate()
            let endings = try await withThrowingTaskGroup(of: Ending.self) { group in
                for number in 0..<5_000 {
                    // Some wait for less time than it takes the group to miss the one that is killed.
                    let timeout = number % 10 == 0 ? Duration.seconds(3) : .seconds(60)
                    group.addTask {
                        // The last ones come when it is dead already: it may have been done with all of the others.
                        if number >= 4_000 { await killed.wait() }
                        let start = ContinuousClock.now
                        do {
                            let name = try await self.responder(of: requester, "\(number)", timeout: timeout)
                            replied.append(number)
                            return .reply(by: name)
                        } catch let error as RequestError where error.code == .timedOut {
                            #expect(start.duration(to: .now) >= timeout)
                            return .ownTimeout
                        }
                    }
                }
                group.addTask {
                    defer { killed.open() }
                    try await eventually("some are answered") { replied.count > 100 }
                    responders[0].send(SIGKILL)
                    return .reply(by: "nobody")
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            var counts: [String: Int] = [:]
            for ending in endings {
                switch ending {
                case .reply(let name): counts[name, default: 0] += 1
                case .ownTimeout: counts["time-outs", default: 0] += 1
                }
            }
            counts["nobody"] = nil
            print(
                "5,000 requests:",
                counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            )
            #expect(counts.values.reduce(0, +) == 5_000)
            let statistics = requester.statistics
            #expect(statistics.pending == 0)
            #expect(statistics.replies - before.replies + statistics.timeouts - before.timeouts == 5_000)
            #expect((counts["time-outs"] ?? 0) > 0, "those of the one that was killed are late")
            #expect((counts["r1"] ?? 0) > 0 && (counts["r2"] ?? 0) > 0)
            #expect(!responders[0].isRunning)
        }
    }

    /// Asks, checks that the reply is that of this request, and returns who answered.
    private func responder(
        of requester: Requester<String, String, String>,
        _ text: String,
        timeout: Duration = .seconds(60)
    ) async throws -> String {
        let reply = try await requester.request(Message(key: text, value: text), timeout: timeout)
        #expect(try reply.key == text)
        let words = try reply.value.split(separator: " ")
        #expect(words.dropLast().joined(separator: " ") == text, "none gets the reply of another")
        return String(words.last ?? "")
    }
}
