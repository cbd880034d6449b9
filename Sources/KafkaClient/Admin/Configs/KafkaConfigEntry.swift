/// A setting of a topic or a broker.
public struct KafkaConfigEntry: Sendable, Hashable {
    /// Where a value comes from (KIP-226).
    public enum Source: Sendable, Hashable {
        /// Set for this topic.
        case topic
        /// Set for this broker while it runs.
        case broker
        /// Set for all brokers while they run.
        case allBrokers
        /// From the broker's properties file.
        case brokerProperties
        /// The default.
        case defaultValue
        /// Something that is newer than the loaded librdkafka.
        case unknown
    }

    /// A value that would count if those before it were not there.
    public struct Synonym: Sendable, Hashable {
        /// The name of the setting there, such as `log.retention.ms` of a broker for a topic's `retention.ms`.
        public var name: String
        /// The value; `nil` when it is sensitive or there is none.
        public var value: String?
        /// Where it comes from.
        public var source: Source
    }

    /// The name of the setting.
    public var name: String
    /// The value; `nil` when it is sensitive or there is none.
    public var value: String?
    /// Where the value comes from.
    public var source: Source
    /// Whether nobody has set it.
    public var isDefault: Bool
    /// Whether it is a secret, which brokers do not tell.
    public var isSensitive: Bool
    /// Whether it can't be changed while the broker runs.
    public var isReadOnly: Bool
    /// The values that it could come from, the one that counts first.
    public var synonyms: [Synonym]
}
