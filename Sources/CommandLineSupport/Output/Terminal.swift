#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// What is known about the terminal that a stream of this process leads to.
package enum Terminal {
    /// Whether standard error leads to a terminal.
    package static var isStandardErrorInteractive: Bool { isatty(STDERR_FILENO) == 1 }
    /// Whether standard output leads to a terminal.
    package static var isStandardOutputInteractive: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Whether standard output may be coloured: a terminal that knows colours, and `NO_COLOR` is not set.
    package static var colorsStandardOutput: Bool { self.isStandardOutputInteractive && self.allowsColor }
    /// Whether standard error may be coloured: a terminal that knows colours, and `NO_COLOR` is not set.
    package static var colorsStandardError: Bool { self.isStandardErrorInteractive && self.allowsColor }

    /// Whether standard input comes from a terminal.
    package static var isStandardInputInteractive: Bool { isatty(STDIN_FILENO) == 1 }

    /// The columns of the terminal behind standard error; 80 where that is not known.
    package static var standardErrorWidth: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    private static var allowsColor: Bool {
        self.allowsColor(noColor: environmentVariable("NO_COLOR"), terminal: environmentVariable("TERM"))
    }

    /// The rule of no-color.org: any value that is not empty turns colour off.
    static func allowsColor(noColor: String?, terminal: String?) -> Bool {
        (noColor ?? "").isEmpty && terminal != "dumb"
    }
}

/// The value of an environment variable, `nil` when it is not set.
package func environmentVariable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
}
