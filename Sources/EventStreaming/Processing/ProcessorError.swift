/// Why a ``Processor`` does not run, or ended.
public struct ProcessorError: Error, Sendable, CustomStringConvertible {
    /// The kind of the error.
    public struct Code: Sendable, Hashable {
        private enum Value: Hashable {
            case configuration
            case stopped
        }

        private let value: Value

        /// The configuration can't be used; the message says what to change.
        public static let configuration = Code(value: .configuration)
        /// A handler's error stopped the processor. The message that it is about is not processed.
        public static let stopped = Code(value: .stopped)
    }

    /// The kind of the error.
    public let code: Code
    /// The name of the processor.
    public let processor: String
    /// What went wrong, and what to do.
    public let message: String
    /// The handler's error.
    public let cause: (any Error)?

    init(_ code: Code, processor: String, message: String, cause: (any Error)? = nil) {
        self.code = code
        self.processor = processor
        self.message = message
        self.cause = cause
    }

    /// "processor billing: ...".
    public var description: String { "processor \(self.processor): \(self.message)" }
}
