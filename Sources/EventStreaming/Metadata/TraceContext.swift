/// Which trace an event belongs to: W3C Trace Context, in the headers `traceparent` and `tracestate`.
///
/// Where a process has a tracer, the clients write the context of their own spans. Where it has none, a processor hands on
/// the context of the message that it handles, so that a trace does not end at a service that is not traced.
public struct TraceContext: Sendable, Hashable {
    /// `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`: version, trace, span, flags.
    public var traceParent: String
    /// What the vendors of tracers add.
    public var traceState: String?

    /// Makes a context of the texts of the headers.
    public init(traceParent: String, traceState: String? = nil) {
        self.traceParent = traceParent
        self.traceState = traceState
    }
}
