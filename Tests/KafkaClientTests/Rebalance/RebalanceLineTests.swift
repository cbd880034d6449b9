import Testing

@testable import KafkaClient

@Suite struct RebalanceLineTests {
    private let partition = KafkaTopicPartition(topic: "t", partition: 0)

    private func begin(_ line: inout RebalanceLine) -> Rebalance? {
        line.begin()
    }

    @Test func rebalancesAreServedOneAfterTheOther() throws {
        var line = RebalanceLine()
        #expect(self.begin(&line) == nil)
        let first = line.append(.revoked, [self.partition])
        let second = line.append(.lost, [self.partition])
        #expect(self.begin(&line) == first)
        #expect(self.begin(&line) == nil, "the first is not answered yet")
        line.finish()
        #expect(self.begin(&line) == second)
        line.finish()
        #expect(self.begin(&line) == nil)
    }

    @Test func whatComesLateIsNotTaken() throws {
        var line = RebalanceLine()
        let first = line.append(.revoked, [self.partition])
        let second = line.append(.revoked, [self.partition])
        #expect(line.served(first.id) == nil, "not begun")
        _ = line.begin()
        #expect(line.served(first.id, in: .draining) == first)
        #expect(line.served(second.id) == nil)
        line.enter(.hook)
        #expect(line.served(first.id, in: .draining) == nil)
        #expect(line.served(first.id, in: .hook) == first)
        line.finish()
        #expect(line.served(first.id) == nil)
        _ = line.begin()
        #expect(line.served(second.id, in: .draining) == second, "each begins at the beginning")
    }
}
