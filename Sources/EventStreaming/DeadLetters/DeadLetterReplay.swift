/// What a replay did. Each letter of the topic is counted once.
public struct DeadLetterReplay: Sendable, Hashable {
    /// A copy was sent to the topic that the message was in.
    public var replayed = 0
    /// They are meant, but a copy was sent by an earlier replay.
    public var replayedBefore = 0
    /// They are not meant.
    public var notMatching = 0
    /// They are meant, but given up so often that it would go on for ever (``DeadLetters/Configuration/maxCount``).
    public var refused = 0
    /// They are meant, but in ordered mode an earlier one of their key is outstanding that was not replayed.
    public var waiting = 0
    /// They are meant, but beyond the limit of this replay.
    public var beyondLimit = 0
    /// They are meant, but the topic that the message was in does not exist.
    public var withoutTopic = 0
    /// Records that are no letters.
    public var foreign = 0

    init() {}
}
