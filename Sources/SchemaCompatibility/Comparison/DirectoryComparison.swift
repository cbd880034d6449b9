/// Looks for data of one version of a directory that the schemas of the other don't accept.
struct DirectoryComparison {
    let writer: SchemaDirectory
    let reader: SchemaDirectory
    let direction: CompatibilityDirection

    /// What was found, in no order.
    func findings() -> Set<SchemaFinding> {
        var findings: Set<SchemaFinding> = []
        for (name, document) in self.writer.documents {
            switch (document, self.reader.documents[name]) {
            case (.success(let written), .success(let read)?):
                findings.formUnion(self.compare(name, written, read))
            case (.failure(let error), let other):
                if other != nil || self.direction == .backward {
                    findings.insert(self.unreadable(name, error, version: self.direction.writer))
                }
            case (.success, .failure(let error)?):
                findings.insert(self.unreadable(name, error, version: self.direction.reader))
            case (.success(let written), nil):
                if self.direction == .backward, Self.describesData(written) {
                    findings.insert(
                        self.finding(.incompatible, name, "The file is gone: nothing reads the data that it describes.")
                    )
                }
            }
        }
        if self.direction == .backward {
            for case (let name, .failure(let error)) in self.reader.documents
            where self.writer.documents[name] == nil {
                findings.insert(self.unreadable(name, error, version: self.direction.reader))
            }
        }
        return findings
    }

    private func compare(_ name: String, _ written: JSONValue, _ read: JSONValue) -> [SchemaFinding] {
        var comparison = SchemaComparison(writer: self.writer, reader: self.reader, direction: self.direction)
        let data = Conjunction([SchemaNode(file: name, value: written)], in: self.writer)
        return comparison.compare(data, with: SchemaNode(file: name, value: read))
    }

    /// Whether there is anything in a document but definitions.
    private static func describesData(_ document: JSONValue) -> Bool {
        guard let members = document.object else { return true }
        return !Set(members.keys).isSubset(of: Keywords.annotations)
    }

    private func unreadable(_ name: String, _ error: UnreadableDocument, version: String) -> SchemaFinding {
        self.finding(.unknown, name, "The \(version) file is no JSON that can be read: \(error.reason)")
    }

    private func finding(_ verdict: SchemaFinding.Verdict, _ name: String, _ sentence: String) -> SchemaFinding {
        SchemaFinding(verdict: verdict, direction: self.direction, file: name, pointer: "", sentence: sentence)
    }
}
