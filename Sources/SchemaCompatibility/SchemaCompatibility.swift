/// Compares two versions of a directory of JSON Schemas (draft 2020-12): whether what one allows the other allows as well.
///
/// Members that a schema does not describe are taken not to be used: describing a new optional one is no incompatible change.
/// Titles, descriptions, examples and other annotations do not matter; formats do.
public struct SchemaCompatibility: Sendable {
    /// Who must be able to read what, as schema registries name it.
    public enum Mode: String, Sendable, CaseIterable {
        /// Readers with the new schemas read what was written by the old ones.
        case backward
        /// Readers with the old schemas read what is written by the new ones.
        case forward
        /// Both.
        case full
    }

    /// Something that was allowed and no longer is.
    public struct Problem: Sendable, Hashable, CustomStringConvertible {
        /// The name of the file.
        public var file: String
        /// Where in the file (RFC 6901); empty for the whole.
        public var pointer: String
        /// What is wrong, in a sentence.
        public var message: String
        /// Whether it is only not known: a keyword that is not understood has changed.
        public var isUncertain = false

        /// `order-event.schema.json#/properties/total: ...`
        public var description: String {
            "\(self.file)\(self.pointer.isEmpty ? "" : "#" + self.pointer): \(self.message)"
        }
    }

    private let old: SchemaDirectory
    private let new: SchemaDirectory

    /// Compares two directories.
    public init(old: SchemaDirectory, new: SchemaDirectory) {
        self.old = old
        self.new = new
    }

    /// What is not compatible, each once, in the order of files.
    public func problems(_ mode: Mode) -> [Problem] {
        let found =
            switch mode {
            case .backward: Self.problems(writtenBy: self.old, readBy: self.new)
            case .forward: Self.problems(writtenBy: self.new, readBy: self.old)
            case .full:
                Self.problems(writtenBy: self.old, readBy: self.new)
                    + Self.problems(writtenBy: self.new, readBy: self.old)
            }
        var seen: Set<Problem> = []
        return found.filter { seen.insert($0).inserted }
    }

    private static func problems(writtenBy writer: SchemaDirectory, readBy reader: SchemaDirectory) -> [Problem] {
        writer.names.flatMap { name -> [Problem] in
            guard let written = writer.schemas[name], Self.hasRules(written) else { return [] }
            guard let read = reader.schemas[name] else {
                return [Problem(file: name, pointer: "", message: "there is no schema of this name to read it by")]
            }
            var comparison = SchemaComparison(writer: writer, reader: reader)
            return comparison.problems(
                Schema(value: written, file: name, pointer: ""),
                Schema(value: read, file: name, pointer: "")
            )
        }
    }

    /// Whether a file says anything by itself, rather than only having parts for others.
    private static func hasRules(_ schema: JSON) -> Bool {
        guard let members = schema.object, members["$defs"] != nil else { return true }
        return members.keys.contains { !Keywords.annotations.contains($0) }
    }
}
