/// A schema as a registry keeps it.
public struct RegistrySchema: Sendable, Hashable {
    /// The language of a schema.
    public enum Format: String, Sendable, Hashable {
        /// Apache Avro. It can be registered and read; this library has no serde for it.
        case avro = "AVRO"
        /// JSON Schema.
        case json = "JSON"
        /// Protocol Buffers.
        case protobuf = "PROTOBUF"
    }

    /// Another schema that this one uses.
    public struct Reference: Sendable, Hashable, Codable {
        /// What the schema calls it: a file that it imports, a URI, a type's name.
        public var name: String
        /// The subject that has it.
        public var subject: String
        /// Which version of the subject.
        public var version: Int

        /// Names another schema.
        public init(name: String, subject: String, version: Int) {
            self.name = name
            self.subject = subject
            self.version = version
        }
    }

    /// The language.
    public var format: Format
    /// The schema itself.
    public var text: String
    /// The schemas that it uses.
    public var references: [Reference]

    /// Makes a schema.
    public init(_ format: Format, _ text: String, references: [Reference] = []) {
        self.format = format
        self.text = text
        self.references = references
    }
}

/// A schema that is registered.
public struct RegisteredSchema: Sendable, Hashable {
    /// Its number in the registry, which is also in the records.
    public var id: Int32
    /// The subject it is registered under.
    public var subject: String
    /// Which version of the subject it is.
    public var version: Int
    /// The schema.
    public var schema: RegistrySchema
}

/// Which version of a subject.
public enum SchemaVersion: Sendable, Hashable {
    /// The last one.
    case latest
    /// One by its number, from 1 on.
    case number(Int)

    var path: String {
        switch self {
        case .latest: "latest"
        case .number(let number): "\(number)"
        }
    }
}

/// What a new version of a subject must be able to do.
public enum CompatibilityLevel: String, Sendable, Hashable {
    /// Anything goes.
    case none = "NONE"
    /// New readers read what the last version wrote.
    case backward = "BACKWARD"
    /// New readers read what all versions wrote.
    case backwardTransitive = "BACKWARD_TRANSITIVE"
    /// Readers of the last version read what is written from now on.
    case forward = "FORWARD"
    /// Readers of all versions read what is written from now on.
    case forwardTransitive = "FORWARD_TRANSITIVE"
    /// Both, for the last version.
    case full = "FULL"
    /// Both, for all versions.
    case fullTransitive = "FULL_TRANSITIVE"
}

/// How the subject of a topic's keys or values is named.
public enum SubjectNameStrategy: Sendable, Hashable {
    /// What is registered.
    public enum Part: String, Sendable, Hashable {
        /// The keys.
        case key
        /// The values.
        case value
    }

    /// By the topic: `orders-value`. All records of a topic have one type.
    case topic
    /// By the type: `shop.OrderPlaced`, in whatever topic.
    case record(String)
    /// By both: `orders-shop.OrderPlaced`.
    case topicRecord(String)

    /// The subject.
    public func subject(topic: String, _ part: Part) -> String {
        switch self {
        case .topic: "\(topic)-\(part.rawValue)"
        case .record(let name): name
        case .topicRecord(let name): "\(topic)-\(name)"
        }
    }
}
