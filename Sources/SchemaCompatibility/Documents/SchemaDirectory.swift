#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// The JSON Schema documents of a directory, which may refer to each other.
public struct SchemaDirectory: Sendable {
    /// A document, or why it is none.
    let documents: [String: Result<JSONValue, UnreadableDocument>]
    /// The names of documents by their `$id`.
    private let names: [String: String]

    /// Takes documents by their names, which are paths relative to each other, with slashes.
    ///
    /// - Parameter files: the bytes of each.
    public init(files: [String: [UInt8]]) {
        self.documents = files.mapValues { bytes in
            Result { () throws(UnreadableDocument) in
                do {
                    return try JSONValue(parsing: Data(bytes))
                } catch {
                    throw UnreadableDocument(error)
                }
            }
        }
        var names: [String: String] = [:]
        for (name, document) in self.documents.sorted(by: { $0.key > $1.key }) {
            guard let document = try? document.get(), let id = document.object?["$id"]?.string else { continue }
            names[id.hasSuffix("#") ? String(id.dropLast()) : id] = name
        }
        self.names = names
    }

    /// Reads all files of a directory and of those in it whose names end with `.json`.
    ///
    /// - Parameter path: the directory.
    /// - Throws: `CocoaError` when it, or a file in it, can't be read.
    public init(path: String) throws {
        let manager = FileManager.default
        var files: [String: [UInt8]] = [:]
        // Asked for first, since for what is no directory the list of everything below it may be empty.
        _ = try manager.contentsOfDirectory(atPath: path)
        for name in try manager.subpathsOfDirectory(atPath: path) where name.hasSuffix(".json") {
            let file = path + "/" + name
            // A directory may have such a name as well.
            if (try? manager.contentsOfDirectory(atPath: file)) != nil { continue }
            files[name] = Array(try Data(contentsOf: URL(filePath: file)))
        }
        self.init(files: files)
    }

    // MARK: References

    /// What a reference leads to.
    ///
    /// It may name a document by its `$id`, or by its path from the document that the reference is in; within the document
    /// it may be a JSON pointer or an `$anchor`.
    ///
    /// - Returns: `nil` when it leads nowhere.
    func resolve(_ reference: String, from name: String) -> SchemaNode? {
        let parts = reference.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let path = parts.first.map(String.init) ?? ""
        guard let target = path.isEmpty ? name : self.target(of: path, from: name),
            let document = try? self.documents[target]?.get()
        else { return nil }
        let fragment = parts.count > 1 ? String(parts[1]) : ""
        guard let fragment = fragment.percentDecoded else { return nil }
        guard fragment.isEmpty || fragment.hasPrefix("/") else {
            return self.anchored(fragment, in: document, at: SchemaNode(file: target, value: document))
        }
        guard let pointer = JSONPointer(fragment), let value = document[pointer] else { return nil }
        return SchemaNode(file: target, pointer: pointer, value: value)
    }

    private func target(of path: String, from name: String) -> String? {
        if let target = self.names[path] { return target }
        if let base = try? self.documents[name]?.get(), let id = base.object?["$id"]?.string,
            let slash = id.lastIndex(of: "/"), !path.hasPrefix("/"),
            let target = self.names[Self.normalized(String(id[...slash]) + path)]
        {
            return target
        }
        let folder = name.lastIndex(of: "/").map { name[...$0] } ?? ""
        let relative = Self.normalized(folder + path)
        return self.documents[relative] == nil ? nil : relative
    }

    /// The path without `.` and `..`.
    private static func normalized(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/", omittingEmptySubsequences: false) {
            switch part {
            case ".": continue
            case ".." where !(parts.last ?? "").isEmpty && parts.last != "..": parts.removeLast()
            default: parts.append(part)
            }
        }
        return parts.joined(separator: "/")
    }

    private func anchored(_ anchor: String, in value: JSONValue, at node: SchemaNode) -> SchemaNode? {
        switch value {
        case .object(let members):
            if members["$anchor"]?.string == anchor { return node }
            for (name, member) in members.sorted(by: { $0.key < $1.key }) {
                if let found = self.anchored(anchor, in: member, at: node.member(name, member)) { return found }
            }
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                if let found = self.anchored(anchor, in: element, at: node.member("\(index)", element)) { return found }
            }
        default: break
        }
        return nil
    }
}

/// Why a document can't be judged.
struct UnreadableDocument: Error, Hashable {
    /// In a few words.
    let reason: String

    init(_ error: any Error) {
        guard case .dataCorrupted(let context) = error as? DecodingError else {
            self.reason = "\(error)"
            return
        }
        self.reason = context.underlyingError.map { "\($0)" } ?? context.debugDescription
    }
}
