internal import CommandLineSupport
internal import KafkaClient

/// The sentence and the exit status for an error of the client; `nil` for errors that speak for themselves.
func explained(_ error: any Error) -> CommandFailure? {
    guard let error = error as? KafkaError else { return nil }
    switch error.code {
    case .outcomeUnknown where wasInterrupted:
        return CommandFailure("interrupted: \(error.message)", status: ExitStatus.interrupted)
    case .brokerUnreachable, .timedOut:
        return CommandFailure(
            "\(error.message). Is the broker running, and is its address right (-b)? --timeout waits longer.",
            status: ExitStatus.unreachable
        )
    case .configuration:
        return CommandFailure(error.message, status: ExitStatus.usage)
    case .unknownTopicOrPartition:
        return CommandFailure("there is no topic \(error.topic ?? "of this name") here. Create it, or check its name.")
    case .topicAuthorization:
        return CommandFailure("access to topic \(error.topic ?? "") is denied: \(error.message)")
    default:
        return nil
    }
}
