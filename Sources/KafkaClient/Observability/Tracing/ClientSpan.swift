internal import Tracing

/// A span of the client, which is marked with what went wrong.
final class ClientSpan: Sendable {
    private let span: any Span

    init(_ span: any Span) {
        self.span = span
    }

    var context: ServiceContext { self.span.context }

    /// Says that another context belongs to this one.
    func addLink(to context: ServiceContext) {
        self.span.addLink(SpanLink(context: context, attributes: [:]))
    }

    /// Adds attributes.
    func update(_ change: (inout SpanAttributes) -> Void) {
        self.span.updateAttributes(change)
    }

    /// Runs an operation with the context of the span as that of the task.
    func withContext<R, E: Error>(_ operation: () async throws(E) -> R) async throws(E) -> R {
        // Task-local values take closures without typed errors.
        let result: Result<R, E> = await ServiceContext.$current.withValue(self.span.context) {
            do throws(E) {
                return .success(try await operation())
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    func end() {
        self.span.end()
    }

    /// Ends the span with an error.
    func end(with error: any Error) {
        self.span.updateAttributes { $0["error.type"] = Self.type(of: error) }
        self.span.recordError(error)
        self.span.setStatus(SpanStatus(code: .error, message: (error as? KafkaError)?.message))
        self.span.end()
    }

    /// Ends the span of a record that was sent.
    func end(with result: Result<KafkaRecordMetadata, KafkaError>) {
        switch result {
        case .success(let metadata):
            self.span.updateAttributes { attributes in
                attributes["messaging.destination.partition.id"] = "\(metadata.partition)"
                if let offset = metadata.offset {
                    attributes["messaging.kafka.offset"] = offset
                }
            }
            self.span.end()
        case .failure(let error):
            self.end(with: error)
        }
    }

    /// Few values, as metrics of spans want them: librdkafka's name of an error, or else the kind.
    private static func type(of error: any Error) -> String {
        guard let error = error as? KafkaError else { return "\(Swift.type(of: error))" }
        return error.librdkafkaName ?? "\(error.code)"
    }
}
