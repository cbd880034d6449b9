/// Which data must be readable with which schemas.
public enum CompatibilityMode: String, Sendable, Hashable, CaseIterable {
    /// Readers with the new schemas read data of the old ones: readers are updated first.
    case backward
    /// Readers with the old schemas read data of the new ones: writers are updated first.
    case forward
    /// Both: in any order.
    case full

    /// What is to be looked at.
    var directions: [CompatibilityDirection] {
        switch self {
        case .backward: [.backward]
        case .forward: [.forward]
        case .full: [.backward, .forward]
        }
    }
}

/// Who reads whose data.
public enum CompatibilityDirection: String, Sendable, Hashable, CaseIterable {
    /// The new schema reads data of the old one.
    case backward
    /// The old schema reads data of the new one.
    case forward

    /// The version whose data is read.
    var writer: String { self == .backward ? "old" : "new" }
    /// The version that reads it.
    var reader: String { self == .backward ? "new" : "old" }
}
