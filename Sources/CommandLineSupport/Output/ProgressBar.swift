internal import Synchronization

/// Progress of long work on standard error: a bar with rate and time left on a terminal, a line now and then elsewhere.
///
/// `update` may be called for every record from any task: it draws at most ten times a second on a terminal, and
/// writes at most a line every five seconds elsewhere.
package final class ProgressBar: Sendable {
    /// Where the bar is drawn.
    struct Output: Sendable {
        var isTerminal: Bool
        var width: @Sendable () -> Int
        var write: @Sendable (String) -> Void

        static var standardError: Output {
            Output(
                isTerminal: Terminal.isStandardErrorInteractive,
                width: { Terminal.standardErrorWidth },
                write: { writeToStandardError($0) }
            )
        }
    }

    private struct State {
        var done = 0
        var note = ""
        var lastDrawn: Duration?
        /// When the clock began.
        var start = Duration.zero
        var isWaiting = false
        var isFinished = false
    }

    private let label: String
    private let total: Int?
    private let output: Output
    private let elapsed: @Sendable () -> Duration
    private let state = Mutex(State())

    /// Starts a bar, and its clock; nothing is drawn before the first update.
    /// - Parameters:
    ///   - label: What is being done.
    ///   - total: How many there are to do; `nil` when that is not known.
    package convenience init(label: String, total: Int?) {
        let start = ContinuousClock.now
        self.init(label: label, total: total, output: .standardError, elapsed: { start.duration(to: .now) })
    }

    init(label: String, total: Int?, output: Output, elapsed: @escaping @Sendable () -> Duration) {
        self.label = label
        self.total = total
        self.output = output
        self.elapsed = elapsed
    }

    /// Says, on a terminal, what must happen before the work begins; the clock starts anew with the next update.
    package func wait(for cause: String) {
        self.state.withLock { state in
            guard !state.isFinished else { return }
            state.isWaiting = true
            guard self.output.isTerminal else { return }
            let text = "\(self.label)  waiting for \(cause.withoutControlCharacters)"
            self.output.write("\r\u{1B}[K" + text.prefix(max(0, self.output.width() - 1)))
        }
    }

    /// Says how many are done.
    /// - Parameters:
    ///   - done: How many, from the beginning.
    ///   - note: A few words that follow the figures.
    package func update(_ done: Int, note: String = "") {
        let now = self.elapsed()
        let pause: Duration = self.output.isTerminal ? .milliseconds(100) : .seconds(5)
        // Drawn under the lock: a late drawing of an earlier state would overwrite a newer one.
        self.state.withLock { state in
            guard !state.isFinished else { return }
            state.done = done
            state.note = note
            if state.isWaiting {
                state.isWaiting = false
                state.start = now
                state.lastDrawn = nil
            }
            // Elsewhere than on a terminal, work that ends within seconds leaves its last line only.
            let last = state.lastDrawn ?? (self.output.isTerminal ? state.start - .seconds(1) : state.start)
            guard now - last >= pause else { return }
            state.lastDrawn = now
            self.draw(state, at: now)
        }
    }

    /// Draws the last state and ends the line. Updates after it are ignored; a second call does nothing.
    package func finish() {
        let now = self.elapsed()
        self.state.withLock { state in
            guard !state.isFinished else { return }
            state.isFinished = true
            if state.isWaiting {
                // The work never began: there is no rate to tell.
                if self.output.isTerminal { self.output.write("\r\u{1B}[K") }
                return
            }
            self.draw(state, at: now)
            if self.output.isTerminal { self.output.write("\n") }
        }
    }

    private func draw(_ state: State, at now: Duration) {
        let line = ProgressLine(
            label: self.label,
            done: state.done,
            total: self.total,
            note: state.note.withoutControlCharacters,
            elapsed: now - state.start,
            isFinished: state.isFinished
        )
        if self.output.isTerminal {
            // One column stays free: a full line would wrap, and the next return would not reach its beginning.
            self.output.write("\r\u{1B}[K" + line.bar(width: self.output.width() - 1))
        } else {
            self.output.write(line.sentence + "\n")
        }
    }
}
