import ArgumentParser
import Foundation

/// One side of the benchmark in a process of its own: reads rounds, a JSON object a line, and answers each with a
/// measurement.
struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker",
        abstract: "Does rounds of work as the harness asks for them.",
        shouldDisplay: false
    )

    enum Side: String, ExpressibleByArgument {
        case ours
        case reference
    }

    @Argument var side: Side

    @Option var bootstrapServers: String

    /// Runs on the main thread, which may wait for the next round: the measured code never runs there.
    @MainActor
    func run() async throws {
        let settings = ClientSettings(bootstrapServers: self.bootstrapServers)
        while let line = readLine() {
            let round = try JSONDecoder().decode(Round.self, from: Data(line.utf8))
            var measurement: Measurement
            do {
                switch self.side {
                case .ours: measurement = try await OurSide(settings: settings, round: round).run()
                case .reference: measurement = try ReferenceSide(settings: settings, round: round).run()
                }
            } catch {
                measurement = Measurement()
                measurement.failure = "\(error)"
            }
            let answer = String(decoding: try JSONEncoder().encode(measurement), as: UTF8.self)
            FileHandle.standardOutput.write(Data((answer + "\n").utf8))
        }
    }
}
