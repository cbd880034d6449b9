#if canImport(System)
internal import System
#else
internal import SystemPackage
#endif

/// Writes text to standard error as it is, without a line end of its own.
///
/// For messages: short, and few. What can't be written (standard error is closed) is dropped, since there is nowhere
/// left to say so.
package func writeToStandardError(_ text: String) {
    _ = try? FileDescriptor.standardError.writeAll(text.utf8)
}
