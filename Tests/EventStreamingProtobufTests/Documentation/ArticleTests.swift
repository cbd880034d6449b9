import EventStreaming
import EventStreamingProtobuf
import SwiftProtobuf
import TestSupport
import Testing

struct ArticleTests {
    @Test func codeOfArticlesIsCompiled() throws {
        let articles = try Articles(of: "EventStreamingProtobuf", compiledBeside: #filePath)
        #expect(articles.count > 0)
        for code in try articles.uncompiled() { Issue.record("\(code)") }
    }
}

private typealias Shop_OrderPlaced = Google_Protobuf_Struct

// The code of the landing page, which is compared with it. It is compiled, not run.
private func typedTopic() -> Topic<String, Shop_OrderPlaced> {
    let orders = Topic<String, Shop_OrderPlaced>("orders.events", key: .string, value: .protobuf())
    return orders
}
