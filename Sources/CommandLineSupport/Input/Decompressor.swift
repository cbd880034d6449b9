internal import Subprocess

#if canImport(System)
internal import System
#else
internal import SystemPackage
#endif

/// The tool that unpacks a compressed file to its standard output.
struct Decompressor: Sendable {
    /// What is run, with `-dc`.
    let tool: String
    /// The Debian package that holds the tool, for the message when it is missing.
    let package: String

    /// The tool for the file, by its name; `nil` for a file that is read as it is.
    init?(forPath path: String) {
        if path.hasSuffix(".xz") {
            (self.tool, self.package) = ("xz", "xz-utils")
        } else if path.hasSuffix(".gz") {
            (self.tool, self.package) = ("gzip", "gzip")
        } else {
            return nil
        }
    }

    /// Runs the tool until it has written everything.
    /// - Throws: ``InputError`` with what the tool wrote to standard error when it is missing or fails.
    func run(path: String, output: FileDescriptor) async throws {
        do {
            let result = try await Subprocess.run(
                .name(self.tool),
                arguments: ["-dc", "--", path],
                output: .fileDescriptor(output, closeAfterSpawningProcess: false),
                error: .string(limit: 64 * 1024)
            )
            guard !result.terminationStatus.isSuccess else { return }
            throw InputError.cannotRead(
                path: path,
                reason: Self.reason(result.standardError, tool: self.tool, status: "\(result.terminationStatus)")
            )
        } catch let error as SubprocessError {
            throw InputError.cannotRead(
                path: path,
                reason: error.code == .executableNotFound
                    ? "\(self.tool) is not installed (package \(self.package))"
                    : "\(self.tool): \(error)"
            )
        }
    }

    private static func reason(_ text: String, tool: String, status: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline).map { String($0).withoutControlCharacters }
        return lines.isEmpty ? "\(tool) \(status)" : lines.joined(separator: "; ")
    }
}
