import Foundation

/// Runs the body with a folder of its own, which is removed afterwards.
func withTemporaryDirectory<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let url = FileManager.default.temporaryDirectory.appending(path: "kstream-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    return try await body(url.path)
}

extension String {
    /// Writes the bytes to the file of this name in the folder and returns its path.
    func written(_ bytes: some Sequence<UInt8>, in directory: String) throws -> String {
        let path = "\(directory)/\(self)"
        try Data(bytes).write(to: URL(filePath: path))
        return path
    }
}
