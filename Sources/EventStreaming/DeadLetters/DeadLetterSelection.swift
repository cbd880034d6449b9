/// Which letters of a topic are meant: those for which all that is set holds.
public struct DeadLetterSelection: Sendable {
    /// Letters with this key.
    public var key: [UInt8]?
    /// Letters whose error is of this type, by its name.
    public var errorType: String?
    /// Letters whose error has this text in it.
    public var errorText: String?
    /// Letters of messages of this topic.
    public var source: String?
    /// Letters of this processor.
    public var processor: String?
    /// The one letter at this place, given by partition and offset.
    public var position: (partition: Int32, offset: Int64)?

    /// All letters.
    public init() {}

    /// All letters.
    public static var all: DeadLetterSelection { DeadLetterSelection() }

    /// Letters with a key.
    public static func key(_ key: [UInt8]) -> DeadLetterSelection {
        var selection = DeadLetterSelection()
        selection.key = key
        return selection
    }

    /// Letters with the UTF-8 form of a key.
    public static func key(_ key: String) -> DeadLetterSelection { .key(Array(key.utf8)) }

    /// Letters whose error is of a type.
    public static func errorType(_ name: String) -> DeadLetterSelection {
        var selection = DeadLetterSelection()
        selection.errorType = name
        return selection
    }

    /// Letters whose error has a text in it.
    public static func errorText(_ text: String) -> DeadLetterSelection {
        var selection = DeadLetterSelection()
        selection.errorText = text
        return selection
    }

    /// One letter.
    public static func letter(partition: Int32, offset: Int64) -> DeadLetterSelection {
        var selection = DeadLetterSelection()
        selection.position = (partition, offset)
        return selection
    }

    /// Whether a letter is meant.
    func contains(_ letter: DeadLetter, key: [UInt8]?, partition: Int32, offset: Int64) -> Bool {
        if let position, position != (partition, offset) { return false }
        if let wanted = self.key, wanted != key { return false }
        if let errorType, errorType != letter.errorType { return false }
        if let errorText, !letter.error.contains(errorText) { return false }
        if let source, source != letter.topic { return false }
        if let processor, processor != letter.processor { return false }
        return true
    }
}
