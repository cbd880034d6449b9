public import ArgumentParser
internal import CommandLineSupport
internal import Foundation
public import SchemaCompatibility

/// `schema-compatibility`: whether two versions of a directory of schemas go together.
@main
struct SchemaCompatibilityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema-compatibility",
        abstract: "Says whether what is written by one version of a directory of JSON Schemas can be read by another.",
        discussion: """
            Compares the files *.schema.json of two directories (draft 2020-12), which may refer to each other.

            backward  readers with the new schemas read what was written by the old ones
            forward   readers with the old schemas read what is written by the new ones
            full      both

            Exit status:
              0  compatible
              1  not compatible, or that can't be told (without --allow-unknown)
              2  the command line is wrong, or a directory can't be read
            """
    )

    @Argument(help: ArgumentHelp("The directory with the old version.", valueName: "old"))
    var old: String

    @Argument(help: ArgumentHelp("The directory with the new version.", valueName: "new"))
    var new: String

    @Option(help: "Who must be able to read what: backward, forward or full.")
    var mode = SchemaCompatibility.Mode.backward

    @Flag(help: "Pass over what can't be told.")
    var allowUnknown = false

    static func main() async {
        await CommandRunner.main(Self.self)
    }

    func run() async throws {
        let old = try Self.directory(self.old)
        let new = try Self.directory(self.new)
        let problems = SchemaCompatibility(old: old, new: new).problems(self.mode)
        for problem in problems {
            let line = problem.isUncertain ? "can't tell: \(problem)" : "\(problem)"
            try await StandardOutput.shared.write(line.withoutControlCharacters + "\n")
        }
        let counted = problems.count { !self.allowUnknown || !$0.isUncertain }
        guard counted == 0 else { throw ExitStatus.failed }
        writeToStandardError("\(new.names.count) schemas are compatible (\(self.mode.rawValue))\n")
    }

    private static func directory(_ path: String) throws -> SchemaDirectory {
        do throws(SchemaDirectory.ReadingError) {
            return try SchemaDirectory(at: URL(filePath: path))
        } catch {
            throw CommandFailure("\(error)", status: ExitStatus.usage)
        }
    }
}

extension SchemaCompatibility.Mode: ExpressibleByArgument {}
