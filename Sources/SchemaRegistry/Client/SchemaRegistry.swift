/// A client of a schema registry with the REST API of Confluent's (also Karapace's, Apicurio's and Redpanda's).
///
/// ```swift
/// let registry = try SchemaRegistry(.init(urls: [URL(string: "http://localhost:8081")!]))
/// let latest = try await registry.schema(of: "orders-value", .latest)
/// ```
///
/// Schemas by id never change and are kept in memory; who asks for the same at the same time shares an answer. Requests that fail
/// for reasons that pass are made again, at the next address. Passwords and tokens are in no error.
public final class SchemaRegistry: Sendable {
    private struct SchemaBody: Codable {
        var schema: String
        var schemaType: String?
        var references: [RegistrySchema.Reference]?
        var id: Int32?
        var subject: String?
        var version: Int?

        init(_ schema: RegistrySchema) {
            self.schema = schema.text
            // Avro is what nothing means, also to registries that know nothing else.
            self.schemaType = schema.format == .avro ? nil : schema.format.rawValue
            self.references = schema.references.isEmpty ? nil : schema.references
        }
    }

    private struct ID: Codable {
        var id: Int32
    }

    private struct Level: Codable {
        var compatibility: String?
        var compatibilityLevel: String?
    }

    private struct Verdict: Decodable {
        var is_compatible: Bool
    }

    private struct Registration: Hashable {
        var subject: String
        var schema: RegistrySchema
    }

    private let transport: RegistryTransport
    private let byID: SingleFlightCache<Int32, RegistrySchema>
    private let bySchema: SingleFlightCache<Registration, RegisteredSchema>

    /// Makes a client; nothing is asked yet.
    ///
    /// - Throws: ``SchemaRegistryError`` with the code `configuration`.
    public init(_ configuration: Configuration) throws(SchemaRegistryError) {
        try configuration.check()
        self.transport = RegistryTransport(configuration)
        self.byID = SingleFlightCache(limit: configuration.maxCachedSchemas)
        self.bySchema = SingleFlightCache(limit: configuration.maxCachedSchemas)
    }

    // MARK: Reading

    /// The names of all subjects.
    public func subjects() async throws -> [String] {
        try await self.transport.send("GET", ["subjects"])
    }

    /// The versions of a subject.
    ///
    /// - Throws: ``SchemaRegistryError``, with the code `subjectNotFound` where there is none.
    public func versions(of subject: String) async throws -> [Int] {
        try await self.transport.send("GET", ["subjects", subject, "versions"])
    }

    /// A version of a subject.
    ///
    /// - Throws: ``SchemaRegistryError``, with the codes `subjectNotFound` and `versionNotFound`.
    public func schema(of subject: String, _ version: SchemaVersion) async throws -> RegisteredSchema {
        let path = ["subjects", subject, "versions", version.path]
        let registered = try self.registered(try await self.transport.send("GET", path), path)
        self.byID.keep(registered.schema, for: registered.id)
        return registered
    }

    /// The schema of an id.
    ///
    /// - Throws: ``SchemaRegistryError``, with the code `schemaNotFound` where there is none.
    public func schema(id: Int32) async throws -> RegistrySchema {
        try await self.byID.value(of: id) {
            let path = ["schemas", "ids", "\(id)"]
            return try self.schema(try await self.transport.send("GET", path), path)
        }
    }

    /// Finds a schema under a subject, whichever version it is.
    ///
    /// - Throws: ``SchemaRegistryError``, with the codes `subjectNotFound` and `schemaNotFound`.
    public func find(_ schema: RegistrySchema, in subject: String) async throws -> RegisteredSchema {
        try await self.bySchema.value(of: Registration(subject: subject, schema: schema)) {
            let path = ["subjects", subject]
            return try self.registered(try await self.transport.send("POST", path, body: SchemaBody(schema)), path)
        }
    }

    // MARK: Changing

    /// Registers a schema as a new version of a subject, unless it is there.
    ///
    /// - Returns: its id.
    /// - Throws: ``SchemaRegistryError``, with the codes `incompatible` and `invalidSchema`.
    @discardableResult
    public func register(_ schema: RegistrySchema, as subject: String) async throws -> Int32 {
        let path = ["subjects", subject, "versions"]
        let answer: ID = try await self.transport.send("POST", path, body: SchemaBody(schema))
        self.byID.keep(schema, for: answer.id)
        return answer.id
    }

    /// Whether a schema could be registered as the next version of a subject.
    ///
    /// - Parameter version: the version that it is compared with.
    public func isCompatible(
        _ schema: RegistrySchema,
        with subject: String,
        _ version: SchemaVersion = .latest
    ) async throws -> Bool {
        let path = ["compatibility", "subjects", subject, "versions", version.path]
        let verdict: Verdict = try await self.transport.send("POST", path, body: SchemaBody(schema))
        return verdict.is_compatible
    }

    /// What new versions must be able to do.
    ///
    /// - Parameter subject: `nil` asks for what goes for all that have no level of their own.
    public func compatibility(of subject: String? = nil) async throws -> CompatibilityLevel {
        let path = ["config"] + (subject.map { [$0] } ?? [])
        let query = subject == nil ? nil : "defaultToGlobal=true"
        let answer: Level = try await self.transport.send("GET", path, query: query)
        guard let level = answer.compatibilityLevel.flatMap(CompatibilityLevel.init(rawValue:)) else {
            throw Self.unknown(path, "the level \(answer.compatibilityLevel ?? "") is not known")
        }
        return level
    }

    /// Says what new versions must be able to do.
    ///
    /// - Parameter subject: `nil` goes for all that have no level of their own.
    public func setCompatibility(_ level: CompatibilityLevel, of subject: String? = nil) async throws {
        let path = ["config"] + (subject.map { [$0] } ?? [])
        let _: Level = try await self.transport.send("PUT", path, body: Level(compatibility: level.rawValue))
    }

    // MARK: Answers

    private func schema(_ body: SchemaBody, _ path: [String]) throws(SchemaRegistryError) -> RegistrySchema {
        guard let format = RegistrySchema.Format(rawValue: body.schemaType ?? "AVRO") else {
            throw Self.unknown(path, "the schema type \(body.schemaType ?? "") is not known")
        }
        return RegistrySchema(format, body.schema, references: body.references ?? [])
    }

    private func registered(_ body: SchemaBody, _ path: [String]) throws(SchemaRegistryError) -> RegisteredSchema {
        guard let id = body.id, let subject = body.subject, let version = body.version else {
            throw Self.unknown(path, "the answer lacks the schema's id, subject or version")
        }
        return RegisteredSchema(id: id, subject: subject, version: version, schema: try self.schema(body, path))
    }

    private static func unknown(_ path: [String], _ message: String) -> SchemaRegistryError {
        SchemaRegistryError(.response, "/" + path.joined(separator: "/"), message)
    }
}
