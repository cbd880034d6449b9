internal import ArgumentParser

/// The name of a topic, checked by Kafka's rule before anything is asked of a broker.
struct TopicName {
    /// The longest name, in bytes: a folder of the broker is named after it.
    private static let limit = 249

    let value: String

    /// - Throws: `ValidationError` with the reason.
    init(checking argument: String) throws {
        guard !argument.isEmpty else { throw ValidationError("a topic's name can't be empty.") }
        let foreign = argument.unicodeScalars.first { scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "-": false
            default: true
            }
        }
        if let foreign {
            throw ValidationError(
                "a topic's name has only the characters a-z A-Z 0-9 . _ -, and not \(foreign.shown)."
            )
        }
        guard argument != ".", argument != ".." else {
            throw ValidationError("a topic can't be named . or ..")
        }
        guard argument.utf8.count <= Self.limit else {
            throw ValidationError(
                "a topic's name has at most \(Self.limit) characters, and this one has \(argument.utf8.count)."
            )
        }
        self.value = argument
    }
}

/// The name of a consumer group: any text that the protocol can carry, but the empty one.
struct GroupName {
    /// What the length of a string fits into (Kafka protocol guide, "STRING").
    private static let limit = Int(Int16.max)

    let value: String

    /// - Throws: `ValidationError` with the reason.
    init(checking argument: String) throws {
        guard !argument.isEmpty else { throw ValidationError("a group's name can't be empty.") }
        guard !argument.utf8.contains(0) else { throw ValidationError("a group's name can't have a NUL in it.") }
        guard argument.utf8.count <= Self.limit else {
            throw ValidationError(
                "a group's name has at most \(Self.limit) bytes, and this one has \(argument.utf8.count)."
            )
        }
        self.value = argument
    }
}

extension Unicode.Scalar {
    /// The character in quotes, or its number where it would not be seen.
    fileprivate var shown: String {
        switch self.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse,
            .spaceSeparator where self != " ":
            "U+\(String(self.value, radix: 16, uppercase: true))"
        default:
            "\"\(self)\""
        }
    }
}
