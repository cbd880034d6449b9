/// The fields of one CSV record, as bytes without their quotes, in one buffer.
struct CSVRecord: Sendable {
    private var bytes: [UInt8] = []
    /// Where each field ends in `bytes`; it begins where the one before it ends.
    private var ends: [Int] = []

    /// How many fields there are.
    var count: Int { self.ends.count }

    /// A field's bytes.
    subscript(index: Int) -> ArraySlice<UInt8> {
        self.bytes[(index == 0 ? 0 : self.ends[index - 1])..<self.ends[index]]
    }

    /// A field's text, or `nil` when it is not UTF-8.
    func text(_ index: Int) -> String? {
        String(validating: self[index], as: UTF8.self)
    }

    // MARK: Building

    /// Appends a byte to the field that is open.
    mutating func append(_ byte: UInt8) { self.bytes.append(byte) }

    /// Ends the open field and opens the next.
    mutating func endField() { self.ends.append(self.bytes.count) }

    /// Whether the open field has no bytes.
    var isFieldEmpty: Bool { self.bytes.count == self.ends.last ?? 0 }

    /// Starts anew and keeps the memory.
    mutating func removeAll() {
        self.bytes.removeAll(keepingCapacity: true)
        self.ends.removeAll(keepingCapacity: true)
    }
}
