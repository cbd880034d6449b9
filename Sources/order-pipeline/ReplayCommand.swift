internal import ArgumentParser
internal import CommandLineSupport
internal import OrderPipeline

/// `order-pipeline replay`: sends the orders of a file through the pipeline and reports what came of them.
struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Sends the orders of a file through the pipeline and reports the totals.",
        discussion: """
            FILE is CSV in the layout of the Online Retail data (InvoiceNo, StockCode, Description, Quantity, InvoiceDate, \
            UnitPrice, CustomerID, Country) or JSON Lines of commands (Schemas/order-command.schema.json); it may be packed \
            by xz or gzip, and - is standard input.

            Rows that are malformed and rows, lines and invoices that are too large to be sent are reported on standard \
            error with their line, and skipped.

            Without --bootstrap-servers or KSTREAM_BOOTSTRAP_SERVERS a small cluster is started in this process.

            Exit status:
              0  done
              1  failed, or a total differs (--verify)
              2  the command line is wrong
              3  no broker could be reached in time
              4  done, but lines of the file are malformed; they are reported
            130  interrupted
            """
    )

    @Argument(help: ArgumentHelp("The file.", valueName: "file"))
    var file: String

    @Option(help: ArgumentHelp("Take only the first N invoice numbers of the file.", valueName: "n"))
    var invoices: Int?

    @Flag(help: "Print the totals as one JSON object; amounts are thousandths of a pound.")
    var json = false

    @Flag(help: "Compare every total with a plain pass over the file; end with status 1 when one differs.")
    var verify = false

    @Option(help: "What the services promise: exactly-once, or at-least-once, which may repeat after a crash.")
    var guarantee = Guarantee.exactlyOnce

    @Flag(help: "Do not run the services: they run elsewhere (order-pipeline service).")
    var withoutServices = false

    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        if let invoices = self.invoices, invoices < 1 { throw ValidationError("--invoices must be 1 or more.") }
        if self.withoutServices, self.connection.servers.isEmpty {
            throw ValidationError("--without-services needs --bootstrap-servers: the cluster that the services run on.")
        }
    }

    func run() async throws {
        let book = try await OrderBook(reading: OrderFile(path: self.file), limit: self.invoices)
        self.reportMalformed(book)
        let commits = CommitLog()
        let outcome: Replay.Outcome
        do {
            outcome = try await self.replay(book, commits: commits)
        } catch  where wasInterrupted {
            Self.report(commits)
            throw CancellationError()
        }
        try await self.report(outcome, book: book)
        if self.verify, outcome.totals != book.expected { throw ExitStatus.failed }
        if book.malformedCount > 0 { throw ExitStatus.partlyDelivered }
    }

    private func replay(_ book: OrderBook, commits: CommitLog) async throws -> Replay.Outcome {
        let bar = ProgressBar(label: "invoices", total: book.numbers.count)
        defer { bar.finish() }
        bar.wait(for: "the consumer groups")
        func run(on cluster: PipelineCluster) async throws -> Replay.Outcome {
            var replay = Replay(
                cluster: cluster,
                commits: commits,
                logger: ConnectionOptions.serviceLogger,
                clientLogger: self.connection.clientLogger
            )
            replay.guarantee = self.guarantee.processing
            replay.runsServices = !self.withoutServices
            return try await replay.run(book.commands) { bar.update($0) }
        }
        let servers = self.connection.servers
        guard servers.isEmpty else {
            return try await run(on: PipelineCluster(bootstrapServers: servers))
        }
        return try await withEmbeddedCluster { try await run(on: $0) }
    }

    // MARK: What is said

    private func report(_ outcome: Replay.Outcome, book: OrderBook) async throws {
        let report = ReplayReport(outcome: outcome, expected: self.verify ? book.expected : nil)
        if self.json {
            try await StandardOutput.shared.write(outcome.totals.json)
            for difference in report.differences { writeToStandardError("differs: \(difference)\n") }
        } else {
            try await StandardOutput.shared.write(report.text(color: Terminal.colorsStandardOutput))
        }
    }

    private func reportMalformed(_ book: OrderBook) {
        for line in book.malformed {
            writeToStandardError("\(self.file):\(line.line): \(line.reason.withoutControlCharacters)\n")
        }
        let rest = book.malformedCount - book.malformed.count
        if rest > 0 { writeToStandardError("\(self.file): \(rest.grouped) more malformed lines\n") }
    }

    private static func report(_ commits: CommitLog) {
        let lines = commits.lines
        if lines.isEmpty { writeToStandardError("nothing was committed\n") }
        for line in lines { writeToStandardError("committed: \(line)\n") }
    }
}
