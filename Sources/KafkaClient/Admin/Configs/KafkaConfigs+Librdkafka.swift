internal import CLibrdkafka

extension KafkaConfigResource {
    var topic: String? {
        if case .topic(let name) = self { name } else { nil }
    }

    var name: String {
        switch self {
        case .topic(let name): name
        case .broker(let id): String(id)
        }
    }

    var librdkafkaType: rd_kafka_ResourceType_t {
        switch self {
        case .topic: RD_KAFKA_RESOURCE_TOPIC
        case .broker: RD_KAFKA_RESOURCE_BROKER
        }
    }

    init?(_ resource: OpaquePointer) {
        guard let name = rd_kafka_ConfigResource_name(resource).map({ String(cString: $0) }) else { return nil }
        switch rd_kafka_ConfigResource_type(resource) {
        case RD_KAFKA_RESOURCE_TOPIC:
            self = .topic(name)
        case RD_KAFKA_RESOURCE_BROKER:
            guard let id = Int32(name) else { return nil }
            self = .broker(id)
        default:
            return nil
        }
    }

    func problem(_ request: AdminRequest) -> KafkaError? {
        switch self {
        case .topic(let name): AdminNames.problem(withTopic: name, request)
        case .broker(let id): id >= 0 ? nil : request.invalid("\(id) is not the id of a broker")
        }
    }

    func problem(_ changes: [String: KafkaConfigChange], _ request: AdminRequest) -> KafkaError? {
        for (name, change) in changes {
            let problem = AdminNames.problem(withSetting: name, value: change.value, of: self.topic, request)
            if let problem { return problem }
        }
        return nil
    }
}

extension KafkaConfigChange {
    /// The number of the operation, in librdkafka and on the wire (KIP-339).
    var operation: Int32 {
        switch self {
        case .set: 0
        case .delete: 1
        case .append: 2
        case .subtract: 3
        }
    }
}

extension KafkaConfigEntry {
    /// The settings in an answer, in the order of their names.
    static func entries(of resource: OpaquePointer) -> [KafkaConfigEntry] {
        var count = 0
        let list = rd_kafka_ConfigResource_configs(resource, &count)
        return (0..<count).compactMap { list?[$0].map(KafkaConfigEntry.init) }.sorted { $0.name < $1.name }
    }

    private init(_ entry: OpaquePointer) {
        var count = 0
        let synonyms = rd_kafka_ConfigEntry_synonyms(entry, &count)
        self.init(
            name: Self.name(of: entry),
            value: Self.value(of: entry),
            source: Source(rd_kafka_ConfigEntry_source(entry)),
            isDefault: rd_kafka_ConfigEntry_is_default(entry) == 1,
            isSensitive: rd_kafka_ConfigEntry_is_sensitive(entry) == 1,
            isReadOnly: rd_kafka_ConfigEntry_is_read_only(entry) == 1,
            synonyms: (0..<count).compactMap { index in
                synonyms?[index].map { synonym in
                    Synonym(
                        name: Self.name(of: synonym),
                        value: Self.value(of: synonym),
                        source: Source(rd_kafka_ConfigEntry_source(synonym))
                    )
                }
            }
        )
    }

    private static func name(of entry: OpaquePointer) -> String {
        rd_kafka_ConfigEntry_name(entry).map { String(cString: $0) } ?? ""
    }

    private static func value(of entry: OpaquePointer) -> String? {
        rd_kafka_ConfigEntry_value(entry).map { String(cString: $0) }
    }
}

extension KafkaConfigEntry.Source {
    init(_ source: rd_kafka_ConfigSource_t) {
        self =
            switch source {
            case RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG: .topic
            case RD_KAFKA_CONFIG_SOURCE_DYNAMIC_BROKER_CONFIG: .broker
            case RD_KAFKA_CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER_CONFIG: .allBrokers
            case RD_KAFKA_CONFIG_SOURCE_STATIC_BROKER_CONFIG: .brokerProperties
            case RD_KAFKA_CONFIG_SOURCE_DEFAULT_CONFIG: .defaultValue
            default: .unknown
            }
    }
}
