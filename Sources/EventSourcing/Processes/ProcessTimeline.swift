public import EventStreaming

/// Something that happened to an instance of a process manager: the answer to "why is it stuck?".
public struct ProcessTimelineEntry: Sendable, Hashable, Codable, CustomStringConvertible {
    /// What kind of thing.
    public enum Kind: String, Sendable, Hashable, Codable {
        /// It began.
        case started
        /// A message came.
        case event
        /// A command was sent.
        case command
        /// A deadline was set.
        case deadline
        /// A deadline was taken back.
        case cancelled
        /// A deadline has passed.
        case passed
        /// A handler's note.
        case note
        /// It began to undo what was done, or to try so again.
        case compensating
        /// Something was undone, or all of it.
        case compensated
        /// Something could not be undone.
        case failed
        /// It can't go on by itself.
        case stuck
        /// It has come to its end.
        case completed
    }

    /// Which message or deadline of the instance it belongs to, from 1 on.
    public var transition: Int64
    /// When.
    public var time: UTCTime
    /// What kind of thing.
    public var kind: Kind
    /// What, in words.
    public var text: String
    /// The id of the message that it comes of.
    public var causationID: String?

    /// Makes an entry.
    public init(transition: Int64, time: UTCTime, kind: Kind, text: String, causationID: String?) {
        self.transition = transition
        self.time = time
        self.kind = kind
        self.text = text
        self.causationID = causationID
    }

    /// `2010-12-01T08:26:00Z command AuthorisePayment`.
    public var description: String { "\(self.time) \(self.kind.rawValue) \(self.text)" }
}
