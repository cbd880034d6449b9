internal import Subprocess

#if canImport(System)
internal import System
#else
internal import SystemPackage
#endif

/// The tool that unpacks a compressed file to its standard output.
struct Decompressor: Sendable, Hashable {
    /// What is run, with `-dc`.
    let tool: String
    /// The Debian package that holds the tool, for the message when it is missing.
    let package: String

    static let xz = Decompressor(tool: "xz", package: "xz-utils")
    static let gzip = Decompressor(tool: "gzip", package: "gzip")

    /// The tool for the file, by its name; `nil` where the name says nothing.
    static func named(by path: String) -> Decompressor? {
        if path.hasSuffix(".xz") { return .xz }
        return path.hasSuffix(".gz") ? .gzip : nil
    }

    /// Runs the tool until it has written everything.
    /// - Parameters:
    ///   - path: What the input is called.
    ///   - input: What to unpack; closed once the tool has it.
    ///   - output: Where to; stays open.
    /// - Throws: ``InputError`` with what the tool wrote to standard error when it is missing or fails.
    func run(path: String, input: FileDescriptor, output: FileDescriptor) async throws {
        do {
            let result = try await Subprocess.run(
                .name(self.tool),
                arguments: ["-dc"],
                input: .fileDescriptor(input, closeAfterSpawningProcess: true),
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
