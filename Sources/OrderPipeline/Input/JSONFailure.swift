/// Why bytes are not the JSON that was expected, in a sentence that names the field.
struct JSONFailure: Error, CustomStringConvertible {
    var reason: String

    var description: String { self.reason }
}
