/// Why a request has no reply.
public struct RequestError: Error, Sendable, CustomStringConvertible {
    /// The kind of the error.
    public struct Code: Sendable, Hashable {
        private enum Value: Hashable {
            case timedOut
            case rejected
            case tooManyPending
            case closed
            case configuration
        }

        private let value: Value

        /// No reply came in time. Whether the request was, or will be, carried out is not known.
        public static let timedOut = Code(value: .timedOut)
        /// The responder's handler threw an error, whose text is the message.
        public static let rejected = Code(value: .rejected)
        /// As many requests as there may be wait for their replies.
        public static let tooManyPending = Code(value: .tooManyPending)
        /// The requester does not run, or has ended.
        public static let closed = Code(value: .closed)
        /// The configuration can't be used; the message says what to change.
        public static let configuration = Code(value: .configuration)
    }

    /// The kind of the error.
    public let code: Code
    /// What went wrong.
    public let message: String
    /// The type of the responder's error, where that rejected the request.
    public let type: String?
    /// What ended the requester.
    public let cause: (any Error)?

    init(_ code: Code, _ message: String, type: String? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.type = type
        self.cause = cause
    }

    /// The message.
    public var description: String { self.message }
}
