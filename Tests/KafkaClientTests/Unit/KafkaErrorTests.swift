import Testing

@testable import KafkaClient

/// Every error says which call, which topic and partition, what was said and what can be done.
@Suite struct KafkaErrorTests {
    @Test func theDescriptionHasEverything() {
        let error = KafkaError(
            .queueFull,
            operation: "send",
            topic: "orders",
            partition: 3,
            message: "Local: Queue full",
            librdkafkaName: "_QUEUE_FULL",
            disposition: .init(isRetriable: true)
        )
        #expect(error.description == "send (orders[3]): Local: Queue full [_QUEUE_FULL] (may be retried)")
        #expect("\(error)" == error.description)
        #expect(error.code.description == "queueFull")
    }

    @Test func theDescriptionLeavesOutWhatIsNotKnown() {
        #expect(KafkaError(.closed, operation: "send", message: "no").description == "send: no")
        #expect(KafkaError(.broker, operation: "read", topic: "t", message: "no").description == "read (t): no")
    }

    @Test func theDescriptionSaysWhatToDo() {
        let fatal = KafkaError(.fatal, operation: "send", message: "no", disposition: .init(isFatal: true))
        #expect(fatal.description == "send: no (fatal: close this client)")
        let abort = KafkaError(.broker, operation: "send", message: "no", disposition: .init(requiresAbort: true))
        #expect(abort.description == "send: no (abort the transaction)")
    }

    @Test func codesCompare() {
        #expect(KafkaError(.closed, operation: "send", message: "").code == .closed)
        #expect(KafkaError.Code.closed != .fatal)
        #expect(Set([KafkaError.Code.closed, .closed, .fatal]).count == 2)
    }
}
