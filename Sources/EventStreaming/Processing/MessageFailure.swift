/// Why, and after how much, a message was given up.
struct MessageFailure: Error {
    var error: any Error
    /// How often the handler got it, retry topics included.
    var attempts: Int
    var firstTime: UTCTime
    /// Whether another attempt may help.
    var isWorthRetry: Bool
}
