/// What two versions of a directory of JSON Schema documents mean for those who read data of the other version.
///
/// ```swift
/// let report = CompatibilityReport(
///     from: try SchemaDirectory(path: "old"),
///     to: try SchemaDirectory(path: "new"),
///     mode: .full
/// )
/// for finding in report.findings { print(finding) }
/// ```
///
/// A document is one kind of data; a document of the other version with the same name is what reads it. Data is as whoever
/// writes it knows it: a member of an object that `properties` of the writer's schema does not name is not written, unless
/// the schema names none, or has `additionalProperties` or `patternProperties` that let it be. So a new member that need
/// not be there is compatible in both directions, as long as readers ignore what they don't know.
///
/// A document that is gone is incompatible for those who read with the new version; one that is new is compatible. A
/// document that has nothing but definitions describes no data: they count where they are referred to.
///
/// Annotations (`title`, `description`, `examples`, `default`, ...) never matter; `format` counts as a rule.
public struct CompatibilityReport: Sendable, Hashable {
    /// What is, or may be, incompatible, by file and place.
    public let findings: [SchemaFinding]

    /// Compares two versions.
    ///
    /// - Parameters:
    ///   - old: the version before.
    ///   - new: the version after.
    ///   - mode: which data must be readable with which version. Default: old data with the new version.
    public init(from old: SchemaDirectory, to new: SchemaDirectory, mode: CompatibilityMode = .backward) {
        var findings: Set<SchemaFinding> = []
        for direction in mode.directions {
            let (writer, reader) = direction == .backward ? (old, new) : (new, old)
            findings.formUnion(DirectoryComparison(writer: writer, reader: reader, direction: direction).findings())
        }
        self.findings = findings.sorted()
    }

    /// Whether nothing is incompatible.
    ///
    /// - Parameter allowingUnknown: whether what can't be told counts as compatible. Default: it does not.
    public func isCompatible(allowingUnknown: Bool = false) -> Bool {
        allowingUnknown ? self.findings.allSatisfy { $0.verdict == .unknown } : self.findings.isEmpty
    }
}
