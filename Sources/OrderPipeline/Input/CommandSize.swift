internal import CommandLineSupport
internal import EventStreaming

/// Says which commands are too large to be sent.
///
/// A command is one record: what the producer or the topic would refuse must be found before anything is sent.
struct CommandSize {
    /// The bytes that the key and the value of a command's record may have.
    ///
    /// Less than ``PipelineCluster/maxMessageBytes`` by what a record has besides, and by what an event can be larger than
    /// the command whose number, customer and country it repeats.
    static let limit = PipelineCluster.maxMessageBytes - 10_000

    /// What is wrong with the command's size, in a sentence; `nil` when it can be sent.
    func complaint(about command: OrderCommand) throws -> String? {
        guard Self.upperBound(of: command) > Self.limit else { return nil }
        let invoice = command.invoice
        let size = (try PipelineTopics.commands.value.encode(command)?.count ?? 0) + invoice.number.utf8.count
        guard size > Self.limit else { return nil }
        let number = invoice.number.utf8.count > 40 ? "\(invoice.number.prefix(40))..." : invoice.number
        let lines = invoice.lines.count == 1 ? "1 line makes" : "\(invoice.lines.count.grouped) lines make"
        return """
            invoice \(number) is skipped: its \(lines) a command of \(size.grouped) bytes, \
            more than the \(Self.limit.grouped) that can be sent
            """
    }

    /// What the size is not above, without encoding: a byte of text becomes at most six in JSON (`\u0000`).
    private static func upperBound(of command: OrderCommand) -> Int {
        let invoice = command.invoice
        let texts = 7 * invoice.number.utf8.count + 6 * (invoice.customerID?.utf8.count ?? 0)
        return invoice.lines.reduce(200 + texts + 6 * invoice.country.utf8.count) { bound, line in
            bound + 120 + 6 * (line.sku.utf8.count + line.description.utf8.count)
        }
    }
}
