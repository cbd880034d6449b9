/// What the coordinator of groups can be told. Durations are milliseconds, as in the protocol.
struct GroupSettings: Sendable {
    /// How long the first rebalance of an empty group waits for more members (`group.initial.rebalance.delay.ms`).
    /// Zero answers the first join at once, which is what a test wants; Apache Kafka's default is 3000.
    var initialRebalanceDelay: Int32 = 0

    /// The session time-outs that a member may ask for (`group.min.session.timeout.ms` and its maximum). Apache Kafka's
    /// minimum is 6000; a test that waits for a session to end wants it shorter.
    var sessionTimeouts: ClosedRange<Int32> = 10...1_800_000

    /// How long the first join of a member may wait before the member is given up. A new member has no id yet and can't
    /// send heartbeats, so its session doesn't bound the wait.
    var newMemberTimeout: Int32 = 300_000

    /// The longest text that may go with a committed offset (`offset.metadata.max.bytes`), counted like Java counts a
    /// string's length: in UTF-16 units.
    var maximumOffsetMetadata = 4096
}
