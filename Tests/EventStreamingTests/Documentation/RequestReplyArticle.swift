import EventStreaming

// The code of the article "Request and reply", which `ArticleTests` compares with the article. It is compiled, not run.

private struct QuoteRequest: Codable {
    var sku: String
}

private func ask(
    _ configuration: RequesterConfiguration,
    _ quotes: Topic<String, QuoteRequest>,
    _ prices: Topic<String, Int>
) async throws {
    try await withRequester(configuration, sending: quotes, receiving: prices) { requester in
        let reply = try await requester.request(Message(key: "42", value: QuoteRequest(sku: "85123A")))
        print(try reply.value)
    }
}

private func answer(
    _ configuration: ProcessorConfiguration,
    _ quotes: Topic<String, QuoteRequest>,
    _ prices: Topic<String, Int>,
    _ lookUp: @escaping @Sendable (QuoteRequest) async throws -> Int
) async throws {
    @Sendable func price(of request: QuoteRequest) async throws -> Int { try await lookUp(request) }
    let responder = Responder(configuration, answering: quotes, on: prices) { request in
        try await price(of: try request.value)
    }
    try await responder.run()
}

private func fallBack(
    _ requester: Requester<String, QuoteRequest, Int>,
    _ message: Message<String, QuoteRequest>,
    _ yesterdaysPrice: Int
) async throws -> Int {
    do {
        let reply = try await requester.request(message, timeout: .seconds(2))
        return try reply.value
    } catch let error as RequestError where error.code == .timedOut {
        return yesterdaysPrice
    }
}
