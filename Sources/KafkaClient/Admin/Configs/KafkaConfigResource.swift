/// Something that has settings.
public enum KafkaConfigResource: Sendable, Hashable, CustomStringConvertible {
    /// A topic, by its name.
    case topic(String)
    /// A broker, by its id.
    case broker(Int32)

    /// The kind and the name: `topic orders`, `broker 1`.
    public var description: String {
        switch self {
        case .topic(let name): "topic \(name)"
        case .broker(let id): "broker \(id)"
        }
    }
}

/// A change of one setting (KIP-339).
public enum KafkaConfigChange: Sendable, Hashable {
    /// The setting gets this value.
    case set(String)
    /// The setting goes back to its default.
    case delete
    /// A setting that is a list, such as `cleanup.policy`, gets these words (separated by commas) in addition.
    case append(String)
    /// A setting that is a list loses these words (separated by commas).
    case subtract(String)

    var value: String? {
        switch self {
        case .set(let value), .append(let value), .subtract(let value): value
        case .delete: nil
        }
    }
}
