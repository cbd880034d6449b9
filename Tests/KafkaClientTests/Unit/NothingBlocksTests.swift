import Foundation
import TestSupport
import Testing

@testable import KafkaClient

/// Calls that block in C leave the threads of Swift concurrency alone (promise 6).
@Suite(.timeLimit(.minutes(1)))
struct NothingBlocksTests {
    @Test func callsThatWaitForABrokerLeaveTheThreadsOfTheOthersFree() async throws {
        // Nobody listens there, so every call takes its whole time-out.
        var configuration = KafkaConsumer.Configuration(bootstrapServers: ["127.0.0.1:1"], group: "nobody")
        configuration.connectTimeout = nil
        configuration.closeTimeout = .seconds(1)
        let place = KafkaTopicPartition(topic: "orders", partition: 0)
        let count = 4 * ProcessInfo.processInfo.activeProcessorCount
        try await withConsumer(configuration) { consumer in
            let finished = Collected<Int>()
            let calls = (0..<count).map { number in
                Task {
                    _ = try? await consumer.watermarks(of: place, timeout: .seconds(50))
                    finished.append(number)
                }
            }
            // More tasks than threads, each with several turns: with blocked threads they would wait for the calls.
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<100 {
                    group.addTask { for _ in 0..<10 { await Task.yield() } }
                }
            }
            #expect(finished.count == 0, "the other tasks got on while the calls were waiting")
            for call in calls { call.cancel() }
        }
    }
}
