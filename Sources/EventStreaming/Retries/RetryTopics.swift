/// Topics in which messages wait that are to be handled again later, so that others need not wait for them.
///
/// A message whose attempts in place (``RetryPolicy``) are used up goes to the topic of the first delay. There it waits, and is
/// handled by the same handler when it is due, not before. When that fails too, it goes on to the next one, and from the last
/// to the dead letters. Each instance of the processor reads the retry topics too, one consumer for each delay, in a group of
/// its own: that of the processor with `.retry.` and the delay.
///
/// A message that waits does not keep its order: later ones of its key are handled meanwhile.
public struct RetryTopics: Sendable {
    /// How long a message waits in each topic, one after the other, at most 12 hours in one. Default: 5 s, 1 minute, 10 minutes.
    public var delays: [Duration]

    /// The name of the topic where messages of a topic wait for so long. Default: `orders.retry.5s` for messages of `orders`.
    ///
    /// Each topic and delay needs a name of its own.
    public var topic: @Sendable (String, Duration) -> String = { "\($0).retry.\(RetryTopics.name(of: $1))" }

    /// How often, and after which pauses, a message is handled each time that it is due. Default: once.
    public var retry = RetryPolicy.never

    /// Describes retry topics; none is created.
    ///
    /// - Parameter delays: how long a message waits in each of them.
    public init(delays: [Duration] = [.seconds(5), .seconds(60), .seconds(600)]) {
        self.delays = delays
    }

    /// A delay as names have it: `250ms`, `5s`, `10m`, `2h`, `1d`.
    static func name(of delay: Duration) -> String {
        let milliseconds = Self.milliseconds(delay)
        for (unit, length) in [("d", Int64(86_400_000)), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)]
        where milliseconds > 0 && milliseconds % length == 0 {
            return "\(milliseconds / length)\(unit)"
        }
        return "\(milliseconds)ms"
    }

    /// Rounded up, so that nothing is due before its time.
    static func milliseconds(_ delay: Duration) -> Int64 {
        let (seconds, attoseconds) = delay.components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        return product &+ (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    }

    /// What is wrong with them for a processor of these topics, if anything is.
    func problem(inputs: [String], deadLetters: DeadLetterPolicy?) -> String? {
        if !(1...10).contains(self.delays.count) {
            return "`retryTopics` has \(self.delays.count) delays: there must be 1 to 10"
        }
        if let delay = self.delays.first(where: { $0 < .milliseconds(1) || $0 > .seconds(43_200) }) {
            return "`retryTopics` has a delay of \(delay): it must be from a millisecond to 12 hours"
        }
        if Set(self.delays.map(Self.name)).count < self.delays.count { return "`retryTopics` has a delay twice" }
        if let problem = self.retry.problem { return "`retryTopics.retry`: \(problem)" }
        if deadLetters?.isOrdered == true {
            return "`retryTopics` do not keep the order that `deadLetters` is to keep: use one or the other"
        }
        var known: [String: String] = [:]
        for input in inputs {
            for delay in self.delays {
                let topic = self.topic(input, delay)
                if inputs.contains(topic) {
                    return "messages of \(input) would be retried in \(topic), which is an input"
                }
                if let deadLetters, inputs.contains(where: { deadLetters.topic($0) == topic }) {
                    return "\(topic) would be a retry topic and one for dead letters"
                }
                let use = "\(input) after \(Self.name(of: delay))"
                if let other = known.updateValue(use, forKey: topic) {
                    return "\(topic) would be the retry topic of \(other) and of \(use)"
                }
            }
        }
        return nil
    }
}
