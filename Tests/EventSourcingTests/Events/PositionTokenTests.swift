import EventSourcing
import KafkaClient
import Testing

struct PositionTokenTests {
    private let orders = KafkaTopicPartition(topic: "orders.events", partition: 0)
    private let payments = KafkaTopicPartition(topic: "payments_events", partition: 12)

    @Test func theTextComesBack() throws {
        var token = PositionToken([self.orders: 17, KafkaTopicPartition(topic: "orders.events", partition: 3): 0])
        token.merge(PositionToken([self.payments: .max]))
        token.merge(PositionToken(store: "shop", position: 4))
        let text = token.description
        #expect(text == "orders.events:0@17,3@0;payments_events:12@9223372036854775807;~shop:0@5")
        #expect(try PositionToken(text) == token)
        #expect(try PositionToken("") == PositionToken())
    }

    @Test(arguments: [
        "orders", "orders:", "orders:0", "orders:0@", "orders:0@x", "orders:-1@2", "orders:0@-2", ":0@1", "a:0@1;",
        "a b:0@1", "~:0@1", "a:0@99999999999999999999", "a:4294967296@1", "a:0@1@2", "a:0:1", "ä:0@1", "\n",
    ])
    func anythingElseIsNoToken(_ text: String) {
        #expect(throws: PositionTokenError.self) { try PositionToken(text) }
    }

    @Test func aLongTextIsRefused() {
        let error = #expect(throws: PositionTokenError.self) {
            try PositionToken("a:0@1" + String(repeating: ",1@1", count: 50_000))
        }
        #expect(error.map { $0.description.utf8.count < 300 } == true)
    }

    @Test func mergingTakesTheFurther() {
        let token = PositionToken([self.orders: 5]).merging(PositionToken([self.orders: 3, self.payments: 1]))
        #expect(token.positions == [self.orders: 5, self.payments: 1])
    }

    @Test func missingIsWhatIsNotReached() {
        let token = PositionToken([self.orders: 5, self.payments: 1])
        #expect(token.missing(at: [self.orders: 5]).positions == [self.payments: 1])
        #expect(token.missing(at: [self.orders: 4, self.payments: 2]).positions == [self.orders: 5])
        #expect(token.missing(at: [self.orders: 6, self.payments: 2]).isEmpty)
        #expect(PositionToken([self.orders: 0]).missing(at: [:]).isEmpty)
    }

    @Test func acknowledgementsMakeTokens() {
        let metadata = KafkaRecordMetadata(topic: "orders.events", partition: 0, offset: 6, timestamp: nil)
        #expect(PositionToken(metadata).positions == [self.orders: 7])
        let unknown = KafkaRecordMetadata(topic: "orders.events", partition: 0, offset: nil, timestamp: nil)
        #expect(PositionToken([metadata, unknown, metadata]).positions == [self.orders: 7])
    }
}
