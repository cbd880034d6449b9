/// What is known of a statement.
enum Truth: Sendable, Hashable {
    case yes
    case no
    case unknown

    init(_ value: Bool) {
        self = value ? .yes : .no
    }

    /// Whether both are true.
    func and(_ other: @autoclosure () -> Truth) -> Truth {
        guard self != .no else { return .no }
        let other = other()
        return other == .yes ? self : other
    }

    /// Whether it is false.
    var negated: Truth {
        switch self {
        case .yes: .no
        case .no: .yes
        case .unknown: .unknown
        }
    }
}

extension Sequence {
    /// Whether a statement holds for all elements.
    func all(_ statement: (Element) -> Truth) -> Truth {
        var result = Truth.yes
        for element in self {
            result = result.and(statement(element))
            if result == .no { return .no }
        }
        return result
    }

    /// How many elements a statement holds for, at the least and at the most.
    func count(_ statement: (Element) -> Truth) -> ClosedRange<Int> {
        let results = self.map(statement)
        let certain = results.count { $0 == .yes }
        return certain...(certain + results.count { $0 == .unknown })
    }
}
