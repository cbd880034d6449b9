import Foundation
import SchemaCompatibility

/// Writes files into two directories, reads them as two versions, and removes them.
func compare(
    _ old: [String: String],
    _ new: [String: String],
    mode: CompatibilityMode
) throws -> CompatibilityReport {
    let root = FileManager.default.temporaryDirectory.appending(path: "schemas-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    func directory(_ name: String, _ files: [String: String]) throws -> SchemaDirectory {
        let folder = root.appending(path: name)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (name, text) in files {
            let file = folder.appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(text.utf8).write(to: file)
        }
        return try SchemaDirectory(path: folder.path)
    }
    return CompatibilityReport(from: try directory("old", old), to: try directory("new", new), mode: mode)
}

/// What became of a comparison.
enum Verdict: Equatable {
    case compatible, incompatible, unknown

    init(_ report: CompatibilityReport) {
        if report.isCompatible() {
            self = .compatible
        } else {
            self = report.isCompatible(allowingUnknown: true) ? .unknown : .incompatible
        }
    }
}
