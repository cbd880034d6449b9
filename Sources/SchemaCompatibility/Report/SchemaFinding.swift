/// Something about a change of schemas that breaks readers, or may break them.
public struct SchemaFinding: Sendable, Hashable {
    /// What is known.
    public enum Verdict: String, Sendable, Hashable, CaseIterable {
        /// There is data that can't be read.
        case incompatible
        /// There may be such data: this can't be told.
        case unknown
    }

    /// What is known.
    public var verdict: Verdict
    /// Who would have to read whose data.
    public var direction: CompatibilityDirection
    /// The file, relative to its directory: of the schema that reads, where that has it.
    public var file: String
    /// The place in the file, a JSON pointer (RFC 6901); empty for all of it.
    public var pointer: String
    /// What is wrong, a sentence.
    public var sentence: String
}

extension SchemaFinding: CustomStringConvertible {
    /// `order-event.schema.json#/required: incompatible: ...`
    public var description: String {
        let verdict = self.verdict == .unknown ? "can't tell" : self.verdict.rawValue
        return "\(self.file)#\(self.pointer): \(verdict) (\(self.direction.rawValue)): \(self.sentence)"
    }
}

extension SchemaFinding: Comparable {
    /// By file, place, direction and sentence.
    public static func < (left: SchemaFinding, right: SchemaFinding) -> Bool {
        (left.file, left.pointer, left.direction.rawValue, left.sentence)
            < (right.file, right.pointer, right.direction.rawValue, right.sentence)
    }
}
