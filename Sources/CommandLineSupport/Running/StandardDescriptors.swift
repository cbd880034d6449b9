#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The three descriptors that every process is to be started with.
///
/// A shell can start a command without one (`kstream ... >&-`). Whatever the process opens next then gets its number: a
/// pipe of our own becomes standard input, and data goes into a socket. So the numbers are taken first.
enum StandardDescriptors {
    /// Fills the numbers that are missing, so that using them is an error.
    ///
    /// Each is opened for the other direction, as the C library does for programs with special rights: reading from a
    /// missing standard input and writing to a missing output fail with "Bad file descriptor", as they would without it.
    ///
    /// - Returns: Whether all three are there now.
    static func fill() -> Bool {
        // In this order, since a descriptor that is opened gets the lowest number that is free.
        for (descriptor, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)] {
            guard fcntl(descriptor, F_GETFD) == -1 else { continue }
            guard open("/dev/null", mode) == descriptor else { return false }
        }
        return true
    }
}
