import Crypto
import CryptoShredding
import EventSourcing
import EventSourcingSQLite
import EventStreaming
import Foundation
import GRDB
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct CryptoShreddingTests {
    private struct Registered: Codable, Equatable, Sendable {
        var customer: String
        var email: Personal<String>
        var birth: Personal<[Int]?>
        var country: String
    }

    private func serde(_ keys: any SubjectKeyStore) -> Serde<Registered> {
        .json(shredding: keys) { $0.customer }
    }

    private let ada = Registered(
        customer: "ada",
        email: Personal("ada@example.com"),
        birth: Personal([1815, 12, 10]),
        country: "UK"
    )

    private func withStores(_ body: (any SubjectKeyStore) async throws -> Void) async throws {
        try await body(MemorySubjectKeys())
        try await withTemporaryFolder { folder in
            try await body(try SQLiteSubjectKeys(path: "\(folder)/keys.sqlite"))
        }
    }

    @Test func whatIsPersonalIsEncryptedAndComesBack() async throws {
        try await self.withStores { keys in
            let bytes = try #require(try self.serde(keys).encode(self.ada))
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(!text.contains("example.com") && !text.contains("1815"))
            #expect(text.contains("UK"))
            #expect(try self.serde(keys).decode(bytes) == self.ada)
            // Equal values do not look equal.
            #expect(try self.serde(keys).encode(self.ada) != bytes)
        }
    }

    @Test func whoIsForgottenReadsAsRedacted() async throws {
        try await self.withStores { keys in
            let bytes = try #require(try self.serde(keys).encode(self.ada))
            var bob = self.ada
            bob.customer = "bob"
            let other = try #require(try self.serde(keys).encode(bob))
            try keys.forget("ada")
            let read = try self.serde(keys).decode(bytes)
            #expect(read.email == .redacted)
            #expect(read.birth == .redacted)
            #expect(read.country == "UK")
            #expect(try self.serde(keys).decode(other) == bob)
            let error = #expect(throws: SerdeError.self) { try self.serde(keys).encode(self.ada) }
            #expect(error?.description.contains("ada") == false)
            // What reads as redacted can be written again.
            let again = try #require(try self.serde(keys).encode(read))
            #expect(try self.serde(keys).decode(again) == read)
            try keys.forget("nobody")
            #expect(throws: SubjectForgotten.self) { try keys.key(of: "nobody") }
            #expect(try keys.key(of: "somebody") == nil)
        }
    }

    /// A store of keys that is lost, or the wrong one, must not look as if everybody had asked to be forgotten.
    @Test func aKeyThatIsNotThereIsAnError() async throws {
        let bytes = try #require(try self.serde(MemorySubjectKeys()).encode(self.ada))
        try await self.withStores { keys in
            let error = #expect(throws: SerdeError.self) { try self.serde(keys).decode(bytes) }
            #expect(error?.message.contains("is not in the store of keys") == true)
        }
    }

    /// Of whoever is forgotten while it is in memory, snapshots go on.
    @Test func snapshotsOfWhoIsForgottenAreRedacted() async throws {
        try await self.withStores { keys in
            let snapshots = Serde<Registered>.json(shredding: keys, redactsForgotten: true) { $0.customer }
            let before = try #require(try snapshots.encode(self.ada))
            #expect(try snapshots.decode(before) == self.ada)
            try keys.forget("ada")
            let after = try #require(try snapshots.encode(self.ada))
            #expect(try snapshots.decode(after).email == .redacted)
            #expect(try snapshots.decode(after).country == "UK")
        }
    }

    @Test func logsAndErrorsDoNotQuoteIt() throws {
        var dumped = ""
        dump(self.ada, to: &dumped)
        for text in ["\(self.ada)", String(reflecting: self.ada), dumped] {
            #expect(!text.contains("example.com") && !text.contains("1815"))
            #expect(text.contains("<personal>") && text.contains("UK"))
        }
        enum Event: Sendable { case registered(Registered) }
        let error = #expect(throws: EventRegistryError.self) {
            try EventRegistry<Event>().encode(.registered(self.ada), source: "/test")
        }
        #expect(error?.type == "Event.registered")
    }

    /// Old events have personal fields, too.
    @Test func upcastersKnowOfKeys() throws {
        struct Old: Codable, Sendable {
            var customer: String
            var email: Personal<String>
        }
        let keys = MemorySubjectKeys()
        let old = Serde<Old>.json(shredding: keys) { $0.customer }
        var registry = EventRegistry<Registered>()
        registry.register("registered", version: 2, serde: self.serde(keys)) {
            $0
        } from: {
            $0
        }
        registry.upcast("registered", from: 1, reading: old, writing: self.serde(keys)) {
            Registered(customer: $0.customer, email: $0.email, birth: .redacted, country: "UK")
        }
        let data = try #require(try old.encode(Old(customer: "ada", email: Personal("ada@example.com"))))
        #expect(try registry.decode(data, type: "registered", version: 1)?.email.value == "ada@example.com")
        try keys.forget("ada")
        #expect(try registry.decode(data, type: "registered", version: 1)?.email == .redacted)
    }

    @Test func aFieldThatWasChangedOrMovedIsRefused() async throws {
        try await self.withStores { keys in
            let bytes = try #require(try self.serde(keys).encode(self.ada))
            var bob = self.ada
            bob.customer = "bob"
            _ = try self.serde(keys).encode(bob)
            let text = String(decoding: bytes, as: UTF8.self)
            let moved = text.replacingOccurrences(of: #""subject":"ada""#, with: #""subject":"bob""#)
            #expect(throws: SerdeError.self) { try self.serde(keys).decode(Array(moved.utf8)) }
            let cut = text.replacingOccurrences(of: #""sealed":""#, with: #""sealed":"AAAA"#)
            #expect(throws: SerdeError.self) { try self.serde(keys).decode(Array(cut.utf8)) }
            let short =
                #"{"customer":"ada","country":"UK","email":{"subject":"ada","sealed":"AA=="},"birth":{"subject":"ada"}}"#
            #expect(throws: SerdeError.self) { try self.serde(keys).decode(Array(short.utf8)) }
        }
    }

    @Test func nothingPersonalIsWrittenInTheClear() throws {
        #expect(throws: EncodingError.self) { try JSONEncoder().encode(self.ada) }
        #expect(throws: SerdeError.self) { try Serde<Registered>.json().encode(self.ada) }
        let bytes = try #require(try self.serde(MemorySubjectKeys()).encode(self.ada))
        #expect(throws: SerdeError.self) { try Serde<Registered>.json().decode(bytes) }
    }

    /// Two processes, as far as SQLite is concerned.
    @Test func otherProcessesHearOfWhoIsForgotten() async throws {
        try await withTemporaryFolder { folder in
            let first = try SQLiteSubjectKeys(path: "\(folder)/keys.sqlite")
            let second = try SQLiteSubjectKeys(path: "\(folder)/keys.sqlite")
            let bytes = try #require(try self.serde(first).encode(self.ada))
            #expect(try self.serde(second).decode(bytes) == self.ada)
            try first.forget("ada")
            #expect(try self.serde(second).decode(bytes).email == .redacted)
            #expect(throws: SubjectForgotten.self) { try second.makeKey(of: "ada") }
        }
    }

    /// The key is not in the file any more, not even in a part that is not used.
    @Test func aForgottenKeyIsGoneFromTheFile() async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/keys.sqlite"
            let keys = try SQLiteSubjectKeys(path: path)
            let key = try keys.makeKey(of: "ada").withUnsafeBytes { Data($0) }
            for number in 0..<50 { _ = try keys.makeKey(of: "other-\(number)") }
            #expect(try Data(contentsOf: URL(filePath: path)).range(of: key) != nil)
            try keys.forget("ada")
            #expect(try Data(contentsOf: URL(filePath: path)).range(of: key) == nil)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["keys.sqlite"])
        }
    }

    /// The same event in a rebuild: before, with the address; afterwards, without.
    @Test func aRebuildDoesNotBringItBack() async throws {
        let shop = try await Shop.make("customers", partitions: 1)
        let keys = MemorySubjectKeys()
        let topic = Topic(shop.topic("customers"), key: .string, value: self.serde(keys))
        let sent = try await shop.send([try topic.record(of: Message(key: "ada", value: self.ada), source: "/test")])
        func projection(_ version: Int) -> Projection<Database> {
            Projection(
                name: "customers",
                version: version,
                inputs: [
                    ProjectionInput(topic) { message, db, _ in
                        let value = try message.value
                        try db.execute(
                            sql: "INSERT INTO customers VALUES (?, ?, ?)",
                            arguments: [value.customer, value.email.value ?? "redacted", value.country]
                        )
                    }
                ]
            )
        }
        try await withTemporaryFolder { folder in
            let readModels = try SQLiteReadModels(folder: folder)
            var rows: [String] = []
            for version in 1...2 {
                let storage = try await readModels.storage(of: "customers", version: version) { db in
                    try db.execute(sql: "CREATE TABLE customers (id, email, country)")
                }
                var configuration = ProjectorConfiguration(bootstrapServers: shop.servers)
                configuration.consumer = shop.consuming
                let projector = Projector(
                    projection(version),
                    storage: storage,
                    configuration: configuration,
                    logger: shop.logger
                )
                try await withRunning({ try await projector.run() }) {
                    try await eventually("it is handled") { projector.status.handled == 1 }
                }
                if version == 2 { try await readModels.promote("customers", to: 2) }
                rows += try await readModels["customers"].read { db in
                    try Row.fetchAll(db, sql: "SELECT * FROM customers").map {
                        "\($0[0] as String) \($0[1] as String) \($0[2] as String)"
                    }
                }
                try keys.forget("ada")
            }
            #expect(rows == ["ada ada@example.com UK", "ada redacted UK"])
            #expect(sent.count == 1)
        }
    }
}
