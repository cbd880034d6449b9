internal import NIOCore

/// What the record of a control batch says (protocol guide, "Control Batches").
struct ControlRecord: Hashable {
    var isCommit: Bool
    var coordinatorEpoch: Int32

    /// - Returns: `nil` for a control record of another kind, or a malformed one.
    init?(_ batch: ByteBuffer, header: RecordBatchHeader) {
        guard var cursor = header.records(of: batch), let record = try? cursor.next(), var key = record.key,
            let (_, type) = key.readMultipleIntegers(as: (Int16, Int16).self), type == 0 || type == 1
        else { return nil }
        var rest = record.rest
        guard let keyLength = rest.readVarint(), rest.readSlice(length: Int(clamping: keyLength)) != nil,
            rest.readVarint() != nil,
            let (_, epoch) = rest.readMultipleIntegers(as: (Int16, Int32).self)
        else { return nil }
        self.isCommit = type == 1
        self.coordinatorEpoch = epoch
    }
}
