import TestSupport
import Testing

struct ArticleTests {
    @Test func codeOfArticlesIsCompiled() throws {
        let articles = try Articles(of: "EventSourcing", compiledBeside: #filePath)
        #expect(articles.count > 0)
        for code in try articles.uncompiled() { Issue.record("\(code)") }
    }
}
