internal import KafkaClient

/// What a record in a topic of dead letters is.
enum DeadLetterEntry: Sendable {
    case letter(DeadLetter)
    case mark(DeadLetterMark)
    /// Somebody else wrote it.
    case foreign

    init(_ headers: [KafkaHeader]) {
        if let mark = DeadLetterMark(headers: headers) {
            self = .mark(mark)
        } else if let letter = DeadLetter(headers: headers) {
            self = .letter(letter)
        } else {
            self = .foreign
        }
    }
}
