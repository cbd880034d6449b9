internal import KafkaClient

/// Records made of consecutive lines, and the lines that make none.
struct RecordBatch: Sendable {
    /// The records, in the order of their lines.
    var records: [KafkaProducerRecord] = []
    /// The line number of each record.
    var lineNumbers: [Int] = []
    /// The numbers of the lines that can't be sent, with the reason.
    var refused: [(line: Int, reason: String)] = []
    /// The number of the line behind the last one.
    var nextLine: Int
}

/// Makes records of lines.
struct RecordLines: Sendable {
    let topic: String
    private let separator: [UInt8]?

    init(topic: String, keySeparator: String?) {
        self.topic = topic
        self.separator = keySeparator.map { Array($0.utf8) }
    }

    /// The records of the lines, which are numbered from `firstLine` on.
    func batch(of lines: [ArraySlice<UInt8>], firstLine: Int) -> RecordBatch {
        var batch = RecordBatch(nextLine: firstLine + lines.count)
        batch.records.reserveCapacity(lines.count)
        batch.lineNumbers.reserveCapacity(lines.count)
        for (index, line) in lines.enumerated() {
            if let record = self.record(of: line) {
                batch.records.append(record)
                batch.lineNumbers.append(firstLine + index)
            } else {
                batch.refused.append((firstLine + index, "it has no key separator, so it was not sent"))
            }
        }
        return batch
    }

    private func record(of line: ArraySlice<UInt8>) -> KafkaProducerRecord? {
        guard let separator = self.separator else { return KafkaProducerRecord(topic: self.topic, value: Array(line)) }
        guard let position = line.firstRange(of: separator) else { return nil }
        return KafkaProducerRecord(
            topic: self.topic,
            key: Array(line[..<position.lowerBound]),
            value: Array(line[position.upperBound...])
        )
    }
}
