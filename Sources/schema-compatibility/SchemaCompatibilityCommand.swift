internal import ArgumentParser
internal import CommandLineSupport
internal import SchemaCompatibility

/// `schema-compatibility OLD NEW`: whether a change of JSON Schema documents breaks those who read their data.
@main
struct SchemaCompatibilityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema-compatibility",
        abstract: "Compares two versions of a directory of JSON Schema documents (*.json).",
        discussion: """
            Prints a line for each thing that is incompatible, with the file and the place in it (a JSON pointer). What \
            can't be told is printed too, and counts as incompatible.

            Exit status:
              0  compatible
              1  incompatible
              2  the command line is wrong, or a directory can't be read
            """,
        version: "schema-compatibility \(toolkitVersion)"
    )

    @Argument(help: ArgumentHelp("The directory as it was.", valueName: "old"))
    var old: String

    @Argument(help: ArgumentHelp("The directory as it is now.", valueName: "new"))
    var new: String

    @Option(
        help: """
            backward: readers with the new schemas read old data; forward: readers with the old schemas read new data; \
            full: both.
            """
    )
    var mode = ModeOption.backward

    @Flag(help: "Let what can't be told count as compatible.")
    var allowUnknown = false

    static func main() async {
        await CommandRunner.main(Self.self)
    }

    func run() async throws {
        let report = CompatibilityReport(
            from: try Self.directory(self.old),
            to: try Self.directory(self.new),
            mode: self.mode.mode
        )
        for finding in report.findings {
            try await StandardOutput.shared.write("\(finding)\n")
        }
        guard report.isCompatible(allowingUnknown: self.allowUnknown) else { throw ExitStatus.failed }
    }

    private static func directory(_ path: String) throws -> SchemaDirectory {
        do {
            return try SchemaDirectory(path: path)
        } catch {
            throw CommandFailure("the directory \(path) can't be read: \(error)", status: ExitStatus.usage)
        }
    }
}

/// Which data must be readable with which schemas, as an option.
enum ModeOption: String, ExpressibleByArgument, CaseIterable {
    case backward
    case forward
    case full

    var mode: CompatibilityMode {
        switch self {
        case .backward: .backward
        case .forward: .forward
        case .full: .full
        }
    }
}
