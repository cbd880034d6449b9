package import ArgumentParser

/// The exit statuses that every command of the toolkit ends with.
///
/// A script may rely on them: a status says what kind of thing happened, the text on standard error says which one.
package enum ExitStatus {
    /// 0: what was asked for is done.
    package static let done = ExitCode(0)
    /// 1: it failed; nothing is known to be half done.
    package static let failed = ExitCode(1)
    /// 2: the command line is not understood, or contradicts itself.
    package static let usage = ExitCode(2)
    /// 3: no broker could be reached in time.
    package static let unreachable = ExitCode(3)
    /// 4: a part was done and a part was not.
    package static let partlyDelivered = ExitCode(4)
    /// 5: the command ran, and nothing matched what was asked for.
    package static let nothingMatched = ExitCode(5)
    /// 130: ended by an interrupt (Ctrl-C or SIGTERM) before it was done, which is said on standard error.
    package static let interrupted = ExitCode(130)
}
