/// Properties of librdkafka that an application names itself, whose secrets are not shown.
struct AdditionalProperties: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var values: [String: String] = [:]

    var description: String {
        "\(self.values.map { ConfigurationProperties.isSecret($0) ? "\($0)=(not shown)" : "\($0)=\($1)" }.sorted())"
    }

    var debugDescription: String { self.description }

    var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}
