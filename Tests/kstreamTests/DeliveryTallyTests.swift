import ArgumentParser
import Testing

@testable import KafkaClient
@testable import kstream

@Suite(.timeLimit(.minutes(1)))
struct DeliveryTallyTests {
    private let delivered = Result<KafkaRecordMetadata, KafkaError>.success(
        KafkaRecordMetadata(topic: "t", partition: 0, offset: 0, timestamp: nil)
    )
    private let timedOut = Result<KafkaRecordMetadata, KafkaError>.failure(
        KafkaError(.timedOut, operation: "send", message: "too late")
    )
    private let tooLarge = Result<KafkaRecordMetadata, KafkaError>.failure(
        KafkaError(.messageTooLarge, operation: "send", message: "too large")
    )

    private func tally(
        _ results: [Result<KafkaRecordMetadata, KafkaError>],
        isDisconnected: Bool = false
    ) -> DeliveryTally {
        let tally = DeliveryTally(isDisconnected: { isDisconnected }, complain: { _ in })
        let lines = results.map { _ in Array("x".utf8)[...] }
        tally.count(results, of: RecordLines(topic: "t", keySeparator: nil).batch(of: lines, firstLine: 1))
        return tally
    }

    @Test func `nothing delivered in time is status 3, a part of it 4`() async {
        let none = self.tally([self.timedOut, self.timedOut])
        #expect(none.isHopeless)
        #expect(none.status?.rawValue == 3)
        await none.waitUntilHopeless()
        let part = self.tally([self.delivered, self.timedOut], isDisconnected: true)
        #expect(part.isHopeless)
        #expect(part.status?.rawValue == 4)
        await part.waitUntilHopeless()
    }

    @Test func `one partition that is late does not end it while there is a broker`() {
        #expect(!self.tally([self.delivered, self.timedOut]).isHopeless)
        #expect(!self.tally([self.tooLarge, self.timedOut]).isHopeless)
        #expect(!self.tally([self.tooLarge], isDisconnected: true).isHopeless)
        #expect(!self.tally([self.delivered], isDisconnected: true).isHopeless)
        #expect(self.tally([self.tooLarge]).status?.rawValue == 1)
        #expect(self.tally([self.delivered]).status?.rawValue == nil)
    }
}
