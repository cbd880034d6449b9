/// What is known of an event beside its data: CloudEvents 1.0 attributes, and which events belong together.
///
/// It travels in the headers of a record, in the binary mode of the CloudEvents Kafka binding (section 3.2), so that the value
/// is the data alone. Records that others wrote without such headers have none.
public struct EventMetadata: Sendable, Hashable {
    /// Tells the event from all others of its source; a UUID of version 7 unless it is given. What happens twice with the same
    /// source and id is the same event.
    public var id: String
    /// Where it happened: a URI reference (RFC 3986) such as `/orders`.
    public var source: String
    /// What happened: `order.placed`.
    public var type: String
    /// What it happened to, within the source.
    public var subject: String?
    /// When it happened.
    public var time: UTCTime?
    /// The media type of the data, in the header `content-type`.
    public var contentType: String?
    /// A URI of the schema of the data.
    public var dataSchema: String?
    /// The same for everything that comes of one beginning: the id of the first event, unless that one was given another.
    public var correlationID: String?
    /// The id of the event, or command, that this one comes of.
    public var causationID: String?
    /// Which trace it belongs to.
    public var trace: TraceContext?
    /// Further attributes by their names, which have small letters and digits only (CloudEvents, section 3.1).
    public var extensions: [String: String]

    /// Makes the metadata of an event.
    ///
    /// - Parameters:
    ///   - id: a new one unless it is given.
    ///   - source: a URI reference.
    ///   - type: what happened.
    ///   - subject: what it happened to.
    ///   - time: when it happened.
    ///   - contentType: the media type of the data.
    ///   - dataSchema: a URI of the schema of the data.
    ///   - correlationID: the same for everything that comes of one beginning.
    ///   - causationID: the id of what this event comes of.
    ///   - trace: which trace it belongs to.
    ///   - extensions: further attributes.
    public init(
        id: String = EventID.next(),
        source: String,
        type: String,
        subject: String? = nil,
        time: UTCTime? = nil,
        contentType: String? = nil,
        dataSchema: String? = nil,
        correlationID: String? = nil,
        causationID: String? = nil,
        trace: TraceContext? = nil,
        extensions: [String: String] = [:]
    ) {
        self.id = id
        self.source = source
        self.type = type
        self.subject = subject
        self.time = time
        self.contentType = contentType
        self.dataSchema = dataSchema
        self.correlationID = correlationID
        self.causationID = causationID
        self.trace = trace
        self.extensions = extensions
    }

    /// Says that the event comes of another one, unless that is said already.
    public mutating func setCause(_ cause: EventMetadata) {
        self.causationID = self.causationID ?? cause.id
        self.correlationID = self.correlationID ?? cause.correlationID ?? cause.id
    }
}
