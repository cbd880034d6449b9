import Foundation
import Testing

@testable import SchemaRegistry

@Suite(.timeLimit(.minutes(1)))
struct SchemaRegistryTests {
    private static let first = RegistrySchema(.json, #"{"type":"object"}"#)
    private static let second = RegistrySchema(
        .json,
        #"{"type":"object","required":["a"]}"#,
        references: [.init(name: "common", subject: "common", version: 1)]
    )

    private func registry(
        _ urls: [URL],
        _ change: (inout SchemaRegistry.Configuration) -> Void = { _ in }
    ) throws -> SchemaRegistry {
        var configuration = SchemaRegistry.Configuration(urls: urls)
        configuration.firstDelay = .milliseconds(1)
        change(&configuration)
        return try SchemaRegistry(configuration)
    }

    private func code(of body: () async throws -> some Sendable) async -> SchemaRegistryError.Code? {
        do {
            _ = try await body()
            return nil
        } catch {
            return (error as? SchemaRegistryError)?.code
        }
    }

    @Test func schemasAreRegisteredFoundAndRead() async throws {
        try await TestRegistry.with { server in
            let registry = try self.registry([server.url])
            #expect(try await registry.subjects() == [])
            // A name that is no part of a path as it is.
            let subject = "orders/eu value"
            let id = try await registry.register(Self.first, as: subject)
            #expect(try await registry.register(Self.first, as: subject) == id)
            let next = try await registry.register(Self.second, as: subject)
            #expect(next != id)
            #expect(try await registry.subjects() == [subject])
            #expect(try await registry.versions(of: subject) == [1, 2])
            let latest = try await registry.schema(of: subject, .latest)
            #expect(latest == RegisteredSchema(id: next, subject: subject, version: 2, schema: Self.second))
            #expect(try await registry.schema(of: subject, .number(1)).schema == Self.first)
            #expect(try await registry.find(Self.first, in: subject).version == 1)
            #expect(try await registry.isCompatible(Self.second, with: subject))
            #expect(try await registry.compatibility() == .backward)
            try await registry.setCompatibility(.full, of: subject)
            #expect(try await registry.compatibility(of: subject) == .full)
            #expect(try await registry.compatibility() == .backward)
            let avro = RegistrySchema(.avro, #""string""#)
            let avroID = try await registry.register(avro, as: "names-key")
            let other = try self.registry([server.url])
            #expect(try await other.schema(id: avroID) == avro)
        }
    }

    @Test func whatTheRegistryRefusesHasACode() async throws {
        try await TestRegistry.with { server in
            let registry = try self.registry([server.url])
            try await registry.register(Self.first, as: "a")
            #expect(await self.code { try await registry.versions(of: "nobody") } == .subjectNotFound)
            #expect(await self.code { try await registry.schema(of: "a", .number(9)) } == .versionNotFound)
            #expect(await self.code { try await registry.schema(of: "a", .number(0)) } == .invalidVersion)
            #expect(await self.code { try await registry.schema(id: 99) } == .schemaNotFound)
            #expect(await self.code { try await registry.find(Self.second, in: "a") } == .schemaNotFound)
            #expect(
                await self.code { try await registry.register(.init(.json, "no schema"), as: "a") } == .invalidSchema
            )
            #expect(
                await self.code { try await registry.setCompatibility(.backwardTransitive) } == .invalidCompatibility
            )
            server.refuseSchemas()
            #expect(await self.code { try await registry.register(Self.second, as: "a") } == .incompatible)
            #expect(try await !registry.isCompatible(Self.second, with: "a"))
            // None of it was asked twice.
            #expect(Set(server.requests).count == server.requests.count - 2)
            await #expect {
                try await registry.schema(id: 98)
            } throws: { error in
                "\(error)" == "GET /schemas/ids/98: Schema 98 not found (40403)"
            }
        }
    }

    @Test func schemasByIDAreAskedForOnce() async throws {
        try await TestRegistry.with { server in
            let id = try await self.registry([server.url]).register(Self.first, as: "a")
            let registry = try self.registry([server.url])
            let before = server.requests.count
            try await withThrowingTaskGroup(of: RegistrySchema.self) { group in
                for _ in 0..<50 { group.addTask { try await registry.schema(id: id) } }
                for try await schema in group { #expect(schema == Self.first) }
            }
            _ = try await registry.schema(id: id)
            #expect(server.requests.count == before + 1)
            // An error is not kept.
            for _ in 0..<2 { #expect(await self.code { try await registry.schema(id: 77) } == .schemaNotFound) }
            #expect(server.requests.count == before + 3)
        }
    }

    @Test func troublesThatPassAreTriedAgain() async throws {
        try await TestRegistry.with { server in
            let registry = try self.registry([server.url])
            server.fail(with: [500, 503, 502])
            #expect(try await registry.subjects() == [])
            #expect(server.requests.count == 4)
            server.fail(with: [500, 500, 500, 500])
            #expect(await self.code { try await registry.subjects() } == .server)
            #expect(server.requests.count == 8)
            // What is refused is refused.
            server.fail(with: [400])
            #expect(await self.code { try await registry.subjects() } == .refused)
            #expect(server.requests.count == 9)
        }
    }

    @Test func theNextRegistryIsAskedWhenOneDoesNotAnswer() async throws {
        let nobody = try #require(URL(string: "http://127.0.0.1:1/"))
        try await TestRegistry.with { server in
            let registry = try self.registry([nobody, server.url])
            #expect(try await registry.subjects() == [])
            #expect(server.requests == ["GET /subjects"])
        }
        let registry = try self.registry([nobody]) { $0.attempts = 2 }
        await #expect {
            try await registry.subjects()
        } throws: { error in
            guard let error = error as? SchemaRegistryError else { return false }
            return error.code == .unreachable && error.isRetriable
                && error.message.contains("127.0.0.1 does not answer")
        }
    }

    @Test func credentialsGoWithEachRequestAndIntoNoError() async throws {
        let credentials: [(SchemaRegistry.Credentials, String)] = [
            (.basic(user: "alice", password: "se:cret"), "Basic YWxpY2U6c2U6Y3JldA=="),
            (.bearer(token: "tok-en"), "Bearer tok-en"),
        ]
        for (credentials, header) in credentials {
            try await TestRegistry.with { server in
                server.need(authorization: header)
                let registry = try self.registry([server.url]) { $0.credentials = credentials }
                #expect(try await registry.subjects() == [])
                server.need(authorization: "another")
                await #expect {
                    try await registry.subjects()
                } throws: { error in
                    (error as? SchemaRegistryError)?.code == .unauthorized && !"\(error)".contains("cret")
                        && !"\(error)".contains("tok-en")
                }
            }
        }
    }

    @Test(arguments: ["", "[]", "{", #"{"schema":1}"#, #"{"schema":"x","schemaType":"XML"}"#, "\"x\""])
    func nonsenseIsAnError(text: String) async throws {
        try await TestRegistry.with { server in
            server.answer(with: text)
            let registry = try self.registry([server.url])
            #expect(await self.code { try await registry.schema(id: 1) } == .response)
            #expect(await self.code { try await registry.schema(of: "a", .latest) } == .response)
        }
    }

    @Test func anAnswerMayBeTooLong() async throws {
        try await TestRegistry.with { server in
            server.answer(with: "[\"\(String(repeating: "x", count: 2_000))\"]")
            let registry = try self.registry([server.url]) { $0.maxResponseBytes = 1_000 }
            #expect(await self.code { try await registry.subjects() } == .response)
        }
    }

    @Test(arguments: ["ftp://a", "http:", "nothing"])
    func addressesAreChecked(address: String) throws {
        let url = try #require(URL(string: address))
        #expect(throws: SchemaRegistryError.self) { try SchemaRegistry(.init(urls: [url])) }
        #expect(throws: SchemaRegistryError.self) { try SchemaRegistry(.init(urls: [])) }
    }

    @Test func subjectsAreNamedByStrategy() {
        #expect(SubjectNameStrategy.topic.subject(topic: "orders", .value) == "orders-value")
        #expect(SubjectNameStrategy.topic.subject(topic: "orders", .key) == "orders-key")
        #expect(SubjectNameStrategy.record("shop.Order").subject(topic: "orders", .value) == "shop.Order")
        #expect(SubjectNameStrategy.topicRecord("shop.Order").subject(topic: "orders", .value) == "orders-shop.Order")
    }
}
