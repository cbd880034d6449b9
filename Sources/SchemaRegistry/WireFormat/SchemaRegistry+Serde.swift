public import EventStreaming

extension SchemaRegistry {
    /// Which schemas a serde reads.
    public enum AcceptedSchemas: Sendable, Hashable {
        /// The versions of the subject that were registered when the serde was made.
        case versionsOfSubject
        /// Any: the bytes behind the id decide.
        case any
    }

    /// Makes a serde whose bytes begin with the id of a registered schema.
    ///
    /// ```swift
    /// let values = try await registry.serde(
    ///     subject: "orders-value",
    ///     schema: RegistrySchema(.json, orderSchema),
    ///     wrapping: Serde<OrderPlaced>.json()
    /// )
    /// let orders = Topic<String, OrderPlaced>("orders", key: .string, value: values)
    /// ```
    ///
    /// The registry is asked now, and never while records are written and read. The schema has to be registered; registering is the
    /// affair of a deployment, not of a service that happens to start first, unless `registers` is set.
    ///
    /// Records of versions that are registered later are refused, as a `SerdeError`, until a serde is made anew; those of the
    /// versions of now are left to the wrapped serde, which must be able to read them, as the subject's compatibility promises.
    ///
    /// - Parameters:
    ///   - subject: where the schema is registered; see ``SubjectNameStrategy``.
    ///   - schema: what is written. An Avro schema has no serde here.
    ///   - serde: writes and reads the data behind the id. Its `nil` (a tombstone) has no id.
    ///   - messageIndexes: for Protocol Buffers, which message of the file it is: `[0]` the first, `[2, 0]` the first one nested in
    ///     the third.
    ///   - accepted: which schemas are read. Default: the subject's.
    ///   - registers: whether a schema that is not there is registered. Default: false.
    /// - Throws: ``SchemaRegistryError``, with the codes `subjectNotFound` and `schemaNotFound` for a schema that is not registered.
    public func serde<Value>(
        subject: String,
        schema: RegistrySchema,
        wrapping serde: Serde<Value>,
        messageIndexes: [Int] = [0],
        accepting accepted: AcceptedSchemas = .versionsOfSubject,
        registers: Bool = false
    ) async throws -> Serde<Value> {
        let id = try await self.id(of: schema, in: subject, registers: registers)
        let isProtobuf = schema.format == .protobuf
        let known = accepted == .any ? nil : try await self.ids(of: subject).union([id])
        let header = WireHeader(id: id, messageIndexes: isProtobuf ? messageIndexes : nil)
        let prefix = header.bytes
        return Serde(contentType: serde.contentType) { value in
            try serde.encode(value).map { prefix + $0 }
        } decode: { bytes in
            guard let bytes else { return try serde.decode(nil) }
            let (found, count) = try WireHeader.read(bytes, hasIndexes: isProtobuf)
            if let known, !known.contains(found.id) {
                throw SerdeError(
                    "the schema \(found.id) is no version of \(subject) that was registered when this began"
                )
            }
            guard found.messageIndexes == header.messageIndexes else {
                throw SerdeError("the message is another one of the schema's file")
            }
            return try serde.decode(Array(bytes[count...]))
        }
    }

    private func id(of schema: RegistrySchema, in subject: String, registers: Bool) async throws -> Int32 {
        do {
            return try await self.find(schema, in: subject).id
        } catch let error as SchemaRegistryError
            where registers && (error.code == .subjectNotFound || error.code == .schemaNotFound)
        {
            return try await self.register(schema, as: subject)
        }
    }

    private func ids(of subject: String) async throws -> Set<Int32> {
        var ids: Set<Int32> = []
        for version in try await self.versions(of: subject) {
            ids.insert(try await self.schema(of: subject, .number(version)).id)
        }
        return ids
    }
}
