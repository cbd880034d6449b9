import EventStreaming
import Foundation
import SchemaRegistry
import TestSupport
import Testing

struct ArticleTests {
    @Test func codeOfArticlesIsCompiled() throws {
        let articles = try Articles(of: "SchemaRegistry", compiledBeside: #filePath)
        #expect(articles.count > 0)
        for code in try articles.uncompiled() { Issue.record("\(code)") }
    }
}

private struct OrderPlaced: Codable {}

// The code of the landing page, which is compared with it. It is compiled, not run.
private func typedTopic(
    _ address: URL,
    _ password: String,
    _ orderSchema: String
) async throws -> Topic<String, OrderPlaced> {
    let registry = try SchemaRegistry(.init(urls: [address], credentials: .basic(user: "billing", password: password)))
    let values = try await registry.serde(
        subject: SubjectNameStrategy.topic.subject(topic: "orders", .value),
        schema: RegistrySchema(.json, orderSchema),
        wrapping: Serde<OrderPlaced>.json()
    )
    let orders = Topic<String, OrderPlaced>("orders", key: .string, value: values)
    return orders
}
