import ArgumentParser
import Foundation

/// Runs the benchmarks and prints their results.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs the benchmarks. Results go to standard output, progress to standard error."
    )

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table
        case json
    }

    @Option(help: "How to print: a table, or json for one object a line. The environment's FORMAT is the default.")
    var format: Format?

    @Option(help: "Only the benchmarks whose names begin so; may be repeated.")
    var only: [String] = []

    @Flag(help: "Fewer and smaller rounds: a check that everything runs, not a measurement.")
    var quick = false

    @Option(help: "Rounds of each side, interleaved. Default: 9, with --quick 3.")
    var rounds: Int?

    @Flag(help: "Tell each round's measurement on standard error.")
    var verbose = false

    @Flag(help: "Exit with 1 when a budget is not met.")
    var strict = false

    /// A broker that the benchmark starts.
    enum OwnBroker: String, ExpressibleByArgument, CaseIterable {
        case embedded
        case mock
    }

    @Option(help: "The broker to measure on, in a process of its own: the embedded one, or librdkafka's mock.")
    var broker = OwnBroker.embedded

    @Option(
        name: [.customShort("b"), .long],
        help: "A cluster to measure on instead; by default the environment's KSTREAM_BOOTSTRAP_SERVERS, if it is set."
    )
    var bootstrapServers: String?

    func validate() throws {
        if let rounds = self.rounds, rounds < 1 { throw ValidationError("--rounds must be at least 1") }
        for name in self.only where !Suite.rowNames.contains(where: { $0.hasPrefix(name) }) {
            throw ValidationError("no benchmark begins with \"\(name)\": \(Suite.rowNames.joined(separator: ", "))")
        }
    }

    func run() throws {
        // A worker that ended early is reported by what it did not answer, not by a signal.
        signal(SIGPIPE, SIG_IGN)
        let environment = ProcessInfo.processInfo.environment
        let format = self.format ?? environment["FORMAT"].flatMap(Format.init(rawValue:)) ?? .table
        let servers = self.bootstrapServers ?? environment["KSTREAM_BOOTSTRAP_SERVERS"] ?? ""
        let own: Broker.Kind = self.broker == .mock ? .mock : .embedded(nodes: 1)
        let suite = Suite(
            sizes: self.quick ? .quick : .full,
            rounds: self.rounds ?? (self.quick ? 3 : 9),
            broker: servers.isEmpty ? own : .cluster(servers),
            selection: self.only,
            isVerbose: self.verbose
        )
        var rows: [Row] = []
        do {
            try suite.run { row in
                rows.append(row)
                if format == .json { print(row.json) }
            }
        } catch let failure as BenchFailure {
            progress("failed: \(failure)")
            throw ExitCode.failure
        }
        let notes = suite.notes + (self.quick ? ["--quick: too short for its figures to mean much."] : [])
        switch format {
        case .table: print(Row.table(rows) + "\n\n" + notes.joined(separator: "\n"))
        case .json: notes.forEach(progress)
        }
        if self.strict, rows.contains(where: { !$0.isMet }) { throw ExitCode.failure }
    }
}

/// Something that ends the benchmark: a child process that failed or fell silent.
struct BenchFailure: Error, CustomStringConvertible {
    var description: String
}

/// Tells on standard error what goes on.
func progress(_ text: String) {
    FileHandle.standardError.write(Data("bench: \(text)\n".utf8))
}
