extension Sequence where Element: Hashable {
    /// The elements in their order, each once.
    ///
    /// What a request names again and again is answered once: an answer may be a thousand times as long as the name, and
    /// would fill the memory otherwise.
    func uniqued() -> [Element] {
        var seen: Set<Element> = []
        return self.filter { seen.insert($0).inserted }
    }
}
