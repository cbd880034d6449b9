#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// The calls on names in the file system. All that the target asks of the system about files is here and in ``File``.
enum FileSystem {
    /// Makes a folder, and those above it.
    static func makeDirectory(_ path: String) throws(LogError) {
        if mkdir(path, 0o755) == 0 { return }
        if errno == EEXIST, self.isDirectory(path) { return }
        if errno == ENOENT, let parent = self.parent(of: path) {
            try self.makeDirectory(parent)
            if mkdir(path, 0o755) == 0 || self.isDirectory(path) { return }
        }
        throw self.error("make the folder", path)
    }

    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The names in a folder, without "." and "..", in the order of their bytes.
    static func names(in path: String) throws(LogError) -> [String] {
        guard let stream = opendir(path) else { throw self.error("list the folder", path) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: tuple.pointee)) {
                    String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Gives a file or folder another name; what has that name is replaced in one step.
    static func rename(_ path: String, to other: String) throws(LogError) {
        guard systemRename(path, other) == 0 else { throw self.error("rename to \(other)", path) }
    }

    /// Removes a file. It is no error if there is none.
    static func removeFile(_ path: String) throws(LogError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw self.error("remove", path) }
    }

    /// Removes a folder and the files and folders in it. It is no error if there is none.
    static func removeDirectory(_ path: String) throws(LogError) {
        guard self.exists(path) else { return }
        for name in try self.names(in: path) {
            let child = "\(path)/\(name)"
            if self.isDirectory(child), !self.isLink(child) {
                try self.removeDirectory(child)
            } else {
                try self.removeFile(child)
            }
        }
        guard rmdir(path) == 0 || errno == ENOENT else { throw self.error("remove the folder", path) }
    }

    /// Makes new names in a folder safe from the loss of power.
    static func synchronizeDirectory(_ path: String) throws(LogError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw self.error("open the folder", path) }
        defer { close(descriptor) }
        // Some file systems can't do this for folders, and say so.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw self.error("flush the folder", path) }
    }

    /// Writes a small file so that, whenever the process ends, either the old or the new content is there.
    static func replaceFile(_ path: String, with text: String) throws(LogError) {
        let temporary = path + ".tmp"
        let file = try File(temporary, mode: .replace)
        try file.write(Array(text.utf8), at: 0)
        try file.synchronize()
        file.close()
        try self.rename(temporary, to: path)
        if let parent = self.parent(of: path) { try self.synchronizeDirectory(parent) }
    }

    static func parent(of path: String) -> String? {
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return nil }
        return String(path[..<slash])
    }

    static func error(_ action: String, _ path: String, number: Int32 = errno) -> LogError {
        LogError("Can't \(action): \(path): \(String(cString: strerror(number))).")
    }

    private static func isLink(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }
}

private func systemRename(_ path: String, _ other: String) -> Int32 { rename(path, other) }
