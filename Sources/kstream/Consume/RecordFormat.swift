internal import KafkaClient

/// How a record is written: its value, key and value, or one JSON object a line.
struct RecordFormat {
    private let isJSON: Bool
    private let keySeparator: [UInt8]?

    init(isJSON: Bool, keySeparator: String?) {
        self.isJSON = isJSON
        self.keySeparator = keySeparator.map { Array($0.utf8) }
    }

    /// The record as a line with its line feed.
    func bytes(of record: KafkaRecord) -> [UInt8] {
        var bytes: [UInt8] = []
        if self.isJSON {
            var json = JSONLine()
            json.append(record)
            bytes = json.bytes
        } else {
            if let separator = self.keySeparator {
                bytes += record.key ?? []
                bytes += separator
            }
            bytes += record.value ?? []
        }
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }
}
