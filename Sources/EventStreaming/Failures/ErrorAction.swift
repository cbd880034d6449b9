internal import KafkaClient

/// What becomes of a message whose handler threw an error.
public enum ErrorAction: Sendable, Hashable {
    /// It is handled again, as ``RetryPolicy`` says; after the last attempt it is a dead letter.
    case retry
    /// It is a dead letter: trying again would not help.
    case deadLetter
    /// The processor ends with the error, and the message is not processed.
    case stop

    /// What is done unless a processor is told otherwise: bytes that can't be read are dead letters, cancellation and fatal
    /// errors of a client stop, and anything else is tried again.
    public static func standard(_ error: any Error) -> ErrorAction {
        switch error {
        case is SerdeError: .deadLetter
        case is CancellationError: .stop
        case let error as KafkaError: error.isFatal ? .stop : .retry
        default: .retry
        }
    }
}
