import Foundation
import Testing

/// Every piece of Swift in an article of the DocC catalogue stands in a file of this folder too, where it is compiled.
///
/// What an article shows as `swift` must follow there line by line; indentation does not count.
struct ArticleTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    private static let catalogue = folder.appending(path: "../../../Sources/KafkaClient/Documentation.docc")
        .standardizedFileURL

    private static func files(_ folder: URL, ext: String) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == ext }
    }

    private static func lines(_ file: URL) throws -> [String] {
        try String(contentsOf: file, encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.trimmingCharacters(in: .whitespaces) }
    }

    /// The pieces of code between fences of `swift`.
    static func snippets(in lines: [String]) -> [[String]] {
        var snippets: [[String]] = []
        var current: [String]?
        for line in lines {
            if var snippet = current {
                if line == "```" {
                    snippets.append(snippet)
                    current = nil
                } else {
                    snippet.append(line)
                    current = snippet
                }
            } else if line.hasPrefix("```swift") {
                current = []
            }
        }
        return snippets
    }

    static func contains(_ lines: [String], _ snippet: [String]) -> Bool {
        guard let first = snippet.first, lines.count >= snippet.count else { return false }
        return lines.indices.dropLast(snippet.count - 1).contains { index in
            lines[index] == first && lines[index..<index + snippet.count].elementsEqual(snippet)
        }
    }

    @Test func codeOfArticlesIsCompiled() throws {
        let compiled = try Self.files(Self.folder, ext: "swift").map(Self.lines)
        let articles = try Self.files(Self.catalogue, ext: "md")
        #expect(!articles.isEmpty)
        for article in articles {
            for snippet in Self.snippets(in: try Self.lines(article)) {
                #expect(
                    compiled.contains { Self.contains($0, snippet) },
                    """
                    \(article.lastPathComponent) has code that is in no file of \(Self.folder.path()):
                    \(snippet.joined(separator: "\n"))
                    """
                )
            }
        }
    }

    @Test func snippetsAreFound() {
        let article = ["text", "```swift", "a", "", "b", "```", "```sh", "c", "```", "```swift", "d", "```"]
        #expect(Self.snippets(in: article) == [["a", "", "b"], ["d"]])
        #expect(Self.contains(["x", "a", "", "b", "y"], ["a", "", "b"]))
        #expect(!Self.contains(["x", "a", "b", "y"], ["a", "", "b"]))
        #expect(!Self.contains(["a"], ["a", "b"]))
        #expect(Self.contains(["a", "a", "b"], ["a", "b"]), "also after a false start")
        #expect(!Self.contains(["a"], []))
    }
}
