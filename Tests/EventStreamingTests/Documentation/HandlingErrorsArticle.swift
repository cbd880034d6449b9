import EventStreaming
import KafkaClient

// The code of the article "Handling errors", which `ArticleTests` compares with the article. It is compiled, not run.

private struct CardDeclined: Error {}
private struct DatabaseUnavailable: Error {}

private func classify(_ configuration: inout ProcessorConfiguration) {
    configuration.errorAction = { error in
        switch error {
        case is CardDeclined: .deadLetter
        case is DatabaseUnavailable: .retry
        default: .standard(error)
        }
    }
}

private func configure(_ configuration: inout ProcessorConfiguration) {
    configuration.retry.attempts = 3
    configuration.retry.firstDelay = .milliseconds(50)

    configuration.retryTopics = RetryTopics(delays: [.seconds(5), .seconds(60), .seconds(600)])

    configuration.deadLetters = nil

    configuration.deadLetters = .ordered
}

private func handle(_ message: ReceivedMessage<String, Int>) {
    if let retry = message.retry {
        print("\(retry.topic)[\(retry.partition)]@\(retry.offset) failed \(retry.attempts) times: \(retry.error)")
    }
}

private func replay() async throws {
    let letters = DeadLetters(topic: "orders.dead-letters", bootstrapServers: ["localhost:9092"])
    for stored in try await letters.list(state: .outstanding, limit: 20) {
        print(stored.position, stored.letter?.error ?? "")
    }
    let replay = try await letters.replay(.errorType("DatabaseUnavailable"))
    print("\(replay.replayed) replayed, \(replay.replayedBefore) before, \(replay.refused) refused")

    let forced = try await letters.replay(.letter(partition: 3, offset: 17), isForced: true)
    print(forced.replayed)
}
