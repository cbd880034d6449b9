internal import ArgumentParser
internal import CommandLineSupport
internal import KafkaClient
internal import Synchronization

/// Counts what was delivered and says what was not.
final class DeliveryTally: Sendable {
    /// Complaints beyond this number are counted and not written.
    private static let complaintLimit = 20

    private struct State {
        var delivered = 0
        var failed = 0
        var complaints = 0
        var stopReason: String?
        var isUnreachable = false
    }

    private let state = Mutex(State())
    private let isDisconnected: @Sendable () -> Bool
    private let complain: @Sendable (String) -> Void
    private let hopeless = AsyncStream.makeStream(of: Void.self)

    /// - Parameters:
    ///   - isDisconnected: whether no broker can be reached at the moment.
    ///   - complain: takes what is to be said.
    init(
        isDisconnected: @escaping @Sendable () -> Bool = { false },
        complain: @escaping @Sendable (String) -> Void = { writeToStandardError($0) }
    ) {
        self.isDisconnected = isDisconnected
        self.complain = complain
    }

    /// How many records the broker has acknowledged.
    var delivered: Int { self.state.withLock { $0.delivered } }

    /// Whether it is of no use to go on: no broker answers any more.
    var isHopeless: Bool { self.state.withLock { $0.isUnreachable } }

    /// Returns when it is of no use to go on, or when the task is cancelled.
    func waitUntilHopeless() async {
        for await _ in self.hopeless.stream {}
    }

    /// Sends the batch and counts its results.
    func deliver(_ batch: RecordBatch, with producer: KafkaProducer) async throws {
        do {
            self.count(try await producer.send(contentsOf: batch.records), of: batch)
        } catch is CancellationError {
            self.count([], of: batch)
        }
    }

    /// Counts the results of a batch; a record without a result was not sent.
    func count(_ results: [Result<KafkaRecordMetadata, KafkaError>], of batch: RecordBatch) {
        var failures = batch.refused
        var delivered = 0
        var timedOut = 0
        for (index, line) in batch.lineNumbers.enumerated() {
            guard index < results.count else {
                failures.append((line, "it was not sent before the interrupt"))
                continue
            }
            switch results[index] {
            case .success:
                delivered += 1
            case .failure(let error):
                failures.append((line, "\(error.message)"))
                if error.code == .timedOut || error.code == .brokerUnreachable { timedOut += 1 }
            }
        }
        // One partition may be without its leader while the others get on; with no broker at all, none will.
        let isUnreachable = timedOut > 0 && (timedOut == batch.records.count || self.isDisconnected())
        let runs = Self.runs(of: failures.sorted { $0.line < $1.line })
        let alreadySaid = self.state.withLock { state in
            state.delivered += delivered
            state.failed += failures.count
            state.complaints += runs.count
            state.isUnreachable = state.isUnreachable || isUnreachable
            return state.complaints - runs.count
        }
        if isUnreachable { self.hopeless.continuation.finish() }
        for run in runs.prefix(max(0, Self.complaintLimit - alreadySaid)) {
            let lines =
                run.lines.count == 1
                ? "line \(run.lines.lowerBound)" : "lines \(run.lines.lowerBound) to \(run.lines.upperBound)"
            self.complain("\(lines): not delivered: \(run.reason)\n")
        }
    }

    /// Neighbouring lines that failed for the same reason are said as one.
    private static func runs(of failures: [(line: Int, reason: String)]) -> [(lines: ClosedRange<Int>, reason: String)]
    {
        var runs: [(lines: ClosedRange<Int>, reason: String)] = []
        for failure in failures {
            if let last = runs.last, last.lines.upperBound + 1 == failure.line, last.reason == failure.reason {
                runs[runs.count - 1].lines = last.lines.lowerBound...failure.line
            } else {
                runs.append((failure.line...failure.line, failure.reason))
            }
        }
        return runs
    }

    /// Notes why the lines from here on were not read.
    func stop(because reason: String) {
        self.state.withLock { $0.stopReason = reason }
        self.complain("error: \(reason)\n")
    }

    /// The exit status that is not 0, for what could not be done; `nil` when all was delivered.
    var status: ExitCode? {
        self.state.withLock { state in
            guard state.failed > 0 || state.stopReason != nil else { return nil }
            if state.delivered > 0 { return ExitStatus.partlyDelivered }
            return state.isUnreachable ? ExitStatus.unreachable : ExitStatus.failed
        }
    }

    /// One line with the figures.
    func summary(topic: String) -> String {
        self.state.withLock { state in
            var text = "\(topic): \(state.delivered.grouped) delivered"
            if state.failed > 0 { text += ", \(state.failed.grouped) not delivered" }
            if state.complaints > Self.complaintLimit { text += " (not all are listed)" }
            if state.isUnreachable { text += "; no broker answers any more, the rest was not sent" }
            if state.stopReason != nil { text += "; the rest could not be read" }
            return text
        }
    }
}
