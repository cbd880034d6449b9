/// A setting of a topic: its name, what it is when nobody sets it, and what it may be (Kafka's "Topic Configs").
///
/// Only settings that have an effect here are listed, and those that clients commonly set and that change nothing on a
/// single copy of the data; these are kept and answered.
struct TopicSetting: Sendable {
    /// The types of DescribeConfigs (KIP-569), with their numbers on the wire.
    enum Kind: Int8, Sendable {
        case bool = 1
        case string = 2
        case int = 3
        case long = 5
        case double = 6
        case list = 7
    }

    let name: String
    let kind: Kind
    let defaultValue: String
    let isValid: @Sendable (String) -> Bool

    /// Whether the value can be one of this setting.
    func accepts(_ value: String) -> Bool {
        switch self.kind {
        case .bool: value == "true" || value == "false"
        case .int: Int32(value) != nil && self.isValid(value)
        case .long: Int64(value) != nil && self.isValid(value)
        case .double: Double(value).map { $0.isFinite } == true && self.isValid(value)
        case .string, .list: self.isValid(value)
        }
    }

    static let all: [String: TopicSetting] = Dictionary(
        uniqueKeysWithValues: [
            words("cleanup.policy", "delete", ["delete", "compact"], severalAllowed: true),
            words("compression.type", "producer", ["producer"]),
            number("delete.retention.ms", .long, 86_400_000, from: 0),
            number("file.delete.delay.ms", .long, 60_000, from: 0),
            number("flush.messages", .long, .max, from: 1),
            number("flush.ms", .long, .max, from: 0),
            number("index.interval.bytes", .int, 4096, from: 0),
            number("max.compaction.lag.ms", .long, .max, from: 1),
            number("max.message.bytes", .int, 1_048_588, from: 0),
            number("message.timestamp.after.max.ms", .long, .max, from: 0),
            number("message.timestamp.before.max.ms", .long, .max, from: 0),
            words("message.timestamp.type", "CreateTime", ["CreateTime", "LogAppendTime"]),
            TopicSetting(name: "min.cleanable.dirty.ratio", kind: .double, defaultValue: "0.5") { text in
                Double(text).map { (0...1).contains($0) } ?? false
            },
            number("min.compaction.lag.ms", .long, 0, from: 0),
            number("min.insync.replicas", .int, 1, from: 1),
            TopicSetting(name: "preallocate", kind: .bool, defaultValue: "false") { _ in true },
            number("retention.bytes", .long, -1, from: -1),
            number("retention.ms", .long, 604_800_000, from: -1),
            number("segment.bytes", .int, 1_073_741_824, from: 14),
            number("segment.index.bytes", .int, 10_485_760, from: 4),
            number("segment.jitter.ms", .long, 0, from: 0),
            number("segment.ms", .long, 604_800_000, from: 1),
            TopicSetting(name: "unclean.leader.election.enable", kind: .bool, defaultValue: "false") { _ in true },
        ].map { ($0.name, $0) }
    )

    private static func number(_ name: String, _ kind: Kind, _ value: Int64, from least: Int64) -> TopicSetting {
        TopicSetting(name: name, kind: kind, defaultValue: "\(value)") { text in
            Int64(text).map { $0 >= least } ?? false
        }
    }

    private static func words(
        _ name: String,
        _ value: String,
        _ allowed: [String],
        severalAllowed: Bool = false
    ) -> TopicSetting {
        TopicSetting(name: name, kind: severalAllowed ? .list : .string, defaultValue: value) { text in
            let words = severalAllowed ? Self.words(of: text) : [text]
            return !words.isEmpty && words.allSatisfy(allowed.contains)
        }
    }

    /// The words of a list, without the blanks around them.
    static func words(of text: String) -> [String] {
        text.split(separator: ",").map { word in
            String(word.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
    }
}
