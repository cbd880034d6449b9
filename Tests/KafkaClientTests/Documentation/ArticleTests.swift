import TestSupport
import Testing

struct ArticleTests {
    @Test func codeOfArticlesIsCompiled() throws {
        let articles = try Articles(of: "KafkaClient", compiledBeside: #filePath)
        #expect(articles.count > 0)
        for code in try articles.uncompiled() { Issue.record("\(code)") }
    }

    @Test func snippetsAreFound() {
        let article = ["text", "```swift", "a", "", "b", "```", "```sh", "c", "```", "```swift", "d", "```"]
        #expect(Articles.snippets(in: article) == [["a", "", "b"], ["d"]])
        #expect(Articles.contains(["x", "a", "", "b", "y"], ["a", "", "b"]))
        #expect(!Articles.contains(["x", "a", "b", "y"], ["a", "", "b"]))
        #expect(!Articles.contains(["a"], ["a", "b"]))
        #expect(Articles.contains(["a", "a", "b"], ["a", "b"]), "also after a false start")
        #expect(!Articles.contains(["a"], []))
    }
}
