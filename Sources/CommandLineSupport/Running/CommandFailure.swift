package import ArgumentParser

/// A failure that a command ends with: a sentence for the person at the terminal and the exit status for the script.
///
/// The sentence says what is wrong and with which topic, file or server, and what to do about it.
package struct CommandFailure: Error, CustomStringConvertible {
    /// What is written to standard error, without the leading `error: `.
    package var message: String
    /// What the process ends with.
    package var status: ExitCode

    /// Makes a failure from its sentence; the status is 1 unless said otherwise.
    package init(_ message: String, status: ExitCode = ExitStatus.failed) {
        self.message = message
        self.status = status
    }

    /// The sentence alone.
    package var description: String { self.message }
}
