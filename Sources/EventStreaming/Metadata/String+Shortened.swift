extension String {
    /// The text of an error for a header: errors may be long, headers should not be.
    ///
    /// - Parameter count: how many bytes of it are kept at most.
    package func shortened(toBytes count: Int = 4_096) -> String {
        guard self.utf8.count > count else { return self }
        return String(decoding: self.utf8.prefix(count), as: UTF8.self) + "…"
    }
}
