import Foundation

/// The articles of a DocC catalogue, whose code stands in files of the tests too, where it is compiled.
///
/// What an article shows as `swift` must follow there line by line; indentation does not count.
public struct Articles {
    /// A piece of code that is in none of the files.
    public struct Uncompiled: CustomStringConvertible {
        var article: String
        var snippet: [String]

        /// The article and the code.
        public var description: String {
            "\(self.article) has code that is in no file of its tests:\n\(self.snippet.joined(separator: "\n"))"
        }
    }

    private let articles: [URL]
    private let compiled: [[String]]

    /// How many articles there are.
    public var count: Int { self.articles.count }

    /// Reads a catalogue.
    ///
    /// - Parameters:
    ///   - target: the target that has the catalogue.
    ///   - file: a file in the folder of those that have the code.
    public init(of target: String, compiledBeside file: String) throws {
        let folder = URL(filePath: file).deletingLastPathComponent()
        let catalogue = folder.appending(path: "../../../Sources/\(target)/Documentation.docc").standardizedFileURL
        self.articles = try Self.files(catalogue, ext: "md")
        self.compiled = try Self.files(folder, ext: "swift").map(Self.lines)
    }

    /// The code that is not compiled.
    public func uncompiled() throws -> [Uncompiled] {
        try self.articles.flatMap { article in
            Self.snippets(in: try Self.lines(article))
                .filter { snippet in !self.compiled.contains { Self.contains($0, snippet) } }
                .map { Uncompiled(article: article.lastPathComponent, snippet: $0) }
        }
    }

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
    public static func snippets(in lines: [String]) -> [[String]] {
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

    /// Whether lines have those of a snippet, one after the other.
    public static func contains(_ lines: [String], _ snippet: [String]) -> Bool {
        guard let first = snippet.first, lines.count >= snippet.count else { return false }
        return lines.indices.dropLast(snippet.count - 1).contains { index in
            lines[index] == first && lines[index..<index + snippet.count].elementsEqual(snippet)
        }
    }
}
