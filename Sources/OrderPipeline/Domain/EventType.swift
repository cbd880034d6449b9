/// Where the `type` of an event stands.
private enum EventTypeKey: String, CodingKey {
    case type
}

extension Decoder {
    /// The `type` of the event.
    func eventType<Kind: Decodable>(_ kind: Kind.Type) throws -> Kind {
        try self.container(keyedBy: EventTypeKey.self).decode(kind, forKey: .type)
    }
}

extension Encoder {
    /// Writes the fields of the event with its `type` beside them.
    func encode(_ fields: some Encodable, type: some Encodable) throws {
        var container = self.container(keyedBy: EventTypeKey.self)
        try container.encode(type, forKey: .type)
        try fields.encode(to: self)
    }
}
