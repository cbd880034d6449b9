/// Why input can't be read.
package enum InputError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file, or the output of its decompressor, can't be read, for the given reason.
    case cannotRead(path: String, reason: String)
    /// A line is longer than the limit.
    case lineTooLong(path: String, line: Int, limit: Int)

    package var description: String {
        switch self {
        case .cannotRead(let path, let reason):
            "can't read \(Self.name(path)): \(reason)"
        case .lineTooLong(let path, let line, let limit):
            "can't read \(Self.name(path)): line \(line) is longer than \(limit.grouped) bytes"
        }
    }

    /// What a path is called in a sentence: `-` is standard input.
    package static func name(_ path: String) -> String { path == "-" ? "standard input" : path }
}
