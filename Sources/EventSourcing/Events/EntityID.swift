/// Which entity: its category, such as `order`, and its id within that.
///
/// The events of an entity are its stream.
public struct EntityID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// What kind of entity it is.
    public var category: String
    /// Tells it from the others of its category.
    public var id: String

    /// Names an entity.
    public init(_ category: String, _ id: String) {
        self.category = category
        self.id = id
    }

    /// By category, then by id.
    public static func < (left: EntityID, right: EntityID) -> Bool {
        (left.category, left.id) < (right.category, right.id)
    }

    /// `order/42`.
    public var description: String { "\(self.category)/\(self.id)" }
}
