public import Foundation

/// The JSON Schema files of a directory (`*.schema.json`), which may refer to each other by their names.
public struct SchemaDirectory: Sendable {
    /// Why a directory can't be used.
    public struct ReadingError: Error, Sendable, CustomStringConvertible {
        /// Which file, and what is wrong.
        public let description: String
    }

    /// The names of files end so.
    public static let suffix = ".schema.json"

    /// The schemas by the names of their files.
    let schemas: [String: JSON]

    /// The names of the files, sorted.
    public var names: [String] { self.schemas.keys.sorted() }

    /// Reads all schemas of a directory.
    ///
    /// - Throws: ``ReadingError`` for a directory or a file that can't be read, and for a file that is not JSON.
    public init(at directory: URL) throws(ReadingError) {
        var schemas: [String: JSON] = [:]
        do {
            let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
            for name in names where name.hasSuffix(Self.suffix) {
                schemas[name] = try Self.schema(in: directory.appending(path: name))
            }
        } catch let error as ReadingError {
            throw error
        } catch {
            throw ReadingError(description: "\(directory.path) can't be read: \(error.localizedDescription)")
        }
        self.schemas = schemas
    }

    private static func schema(in file: URL) throws -> JSON {
        let data = try Data(contentsOf: file)
        do {
            return try JSONDecoder().decode(JSON.self, from: data)
        } catch {
            throw ReadingError(description: "\(file.path) is not JSON, or nested too deeply")
        }
    }

    /// What a reference in a file stands for: `#/$defs/line`, `common.schema.json#/$defs/time`, or another file as a whole.
    func target(of reference: String, in file: String) -> Schema? {
        let parts = reference.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        // Files may be named by their URL, of which the end is the name.
        let name = parts[0].isEmpty ? file : String(parts[0].split(separator: "/").last ?? "")
        guard var value = self.schemas[name] else { return nil }
        let pointer = parts.count > 1 ? parts[1] : ""
        guard pointer.isEmpty || pointer.hasPrefix("/") else { return nil }
        for step in pointer.split(separator: "/", omittingEmptySubsequences: true) {
            let key = String(step).replacing("~1", with: "/").replacing("~0", with: "~")
            if let member = value.object?[key] {
                value = member
            } else if let elements = value.array, let index = Int(key), elements.indices.contains(index) {
                value = elements[index]
            } else {
                return nil
            }
        }
        return Schema(value: value, file: name, pointer: String(pointer))
    }
}

/// A schema, or a part of one that is a schema, and where it stands.
struct Schema: Hashable, Sendable {
    var value: JSON
    var file: String
    var pointer: String

    /// The place is nearly always enough, and values may be large.
    func hash(into hasher: inout Hasher) {
        hasher.combine(self.file)
        hasher.combine(self.pointer)
    }

    subscript(keyword: String) -> JSON? { self.value.object?[keyword] }

    /// A part of it.
    func part(_ steps: String..., value: JSON) -> Schema {
        let path = steps.map { "/" + $0.replacing("~", with: "~0").replacing("/", with: "~1") }.joined()
        return Schema(value: value, file: self.file, pointer: self.pointer + path)
    }

    /// The schemas under a keyword that has a list of them.
    func list(_ keyword: String) -> [Schema]? {
        self[keyword]?.array.map { elements in
            elements.enumerated().map { self.part(keyword, "\($0)", value: $1) }
        }
    }
}
