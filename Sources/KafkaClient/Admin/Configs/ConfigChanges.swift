/// Changes of single settings made into the whole that replaces a topic's settings, for a librdkafka that can only replace.
struct ConfigChanges {
    /// Why the whole can't be known.
    enum Problem: Error, Equatable {
        /// The value of a setting of its own is a secret.
        case sensitive(String)
        /// There is no such setting, so that there is no list to change.
        case unknown(String)
    }

    /// The settings of its own that a topic has after the changes.
    static func apply(
        _ changes: [String: KafkaConfigChange],
        to entries: [KafkaConfigEntry]
    ) throws(Problem) -> [String: String] {
        var settings: [String: String] = [:]
        for entry in entries where entry.source == .topic && changes[entry.name] != .delete {
            if case .set? = changes[entry.name] { continue }
            guard let value = entry.value else { throw .sensitive(entry.name) }
            settings[entry.name] = value
        }
        for (name, change) in changes.sorted(by: { $0.key < $1.key }) {
            switch change {
            case .set(let value):
                settings[name] = value
            case .delete:
                settings[name] = nil
            case .append(let words), .subtract(let words):
                guard let entry = entries.first(where: { $0.name == name }) else { throw .unknown(name) }
                let changed = Self.words(of: words)
                var list = Self.words(of: entry.value ?? "").filter { !changed.contains($0) }
                if case .append = change { list += changed }
                settings[name] = list.joined(separator: ",")
            }
        }
        return settings
    }

    private static func words(of text: String) -> [String] {
        text.split(separator: ",").map { word in
            String(word.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }.filter { !$0.isEmpty }
    }
}
