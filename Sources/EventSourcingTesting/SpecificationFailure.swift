/// What was specified did not come true. Thrown, so that any test framework shows it.
public struct SpecificationFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was expected, and what came.
    public let description: String

    /// Makes a failure.
    public init(_ description: String) {
        self.description = description
    }

    /// Two lists that should be the same.
    static func differ<Element>(_ what: String, expected: [Element], actual: [Element]) -> SpecificationFailure {
        func lines(_ list: [Element]) -> String {
            list.isEmpty ? "    nothing" : list.map { "    \($0)" }.joined(separator: "\n")
        }
        return SpecificationFailure("\(what)\n  expected:\n\(lines(expected))\n  actual:\n\(lines(actual))")
    }
}
