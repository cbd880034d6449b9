internal import KafkaClient

/// What becomes of a message.
enum MessageOutcome: Sendable {
    /// Nothing: that was done before a crash.
    case skipped
    /// It was handled, with what is sent for it. `settling` is the letter that it is a copy of.
    case processed([KafkaProducerRecord], settling: DeadLetterPosition?)
    /// It is handled again later.
    case postponed(KafkaProducerRecord)
    /// It is given up.
    case letter(DeadLetter, KafkaProducerRecord)
}
