import Testing

@testable import EventStreaming

struct LetterLogTests {
    private let lane = LetterLane(processor: "p", topic: "t", key: [1])

    private func log(_ offsets: [Int64]) -> LetterLog<String> {
        var log = LetterLog<String>()
        for offset in offsets { log.append(LetterLog.Letter(offset: offset, note: "\(offset)"), lane: self.lane) }
        return log
    }

    private func order(_ log: LetterLog<String>) -> [[Int64]] {
        log.lanes.map { $0.map(\.offset) }
    }

    @Test func lettersOfALaneStandInTheirOrder() {
        var log = self.log([3, 5, 9])
        #expect(self.order(log) == [[3, 5, 9]])
        #expect(log.head(of: self.lane)?.offset == 3)
        log.remove(5)
        log.remove(3)
        #expect(log.head(of: self.lane)?.offset == 9)
        log.remove(9)
        #expect(log.head(of: self.lane) == nil)
        #expect(log.count == 0)
        #expect(self.order(log).isEmpty)
    }

    @Test func aLetterTakesThePlaceOfTheOneBefore() {
        var log = self.log([3, 5, 9])
        log.append(LetterLog.Letter(offset: 12, note: "new"), lane: self.lane, replacing: 3)
        log.append(LetterLog.Letter(offset: 13, note: "new"), lane: self.lane, replacing: 9)
        #expect(self.order(log) == [[12, 5, 13]])
        #expect(log.note(of: 3) == nil)
        #expect(log.note(of: 12) == "new")
        log.update(12, note: "changed")
        #expect(log.note(of: 12) == "changed")
        log.append(LetterLog.Letter(offset: 14, note: "late"), lane: self.lane, replacing: 3)
        #expect(self.order(log) == [[12, 5, 13, 14]], "the place of one that is settled is the last")
    }

    @Test func aLetterThatIsReadTwiceIsThereOnce() {
        var log = self.log([3])
        log.append(LetterLog.Letter(offset: 3, note: "again"), lane: self.lane)
        log.append(LetterLog.Letter(offset: 3, note: "again"), lane: nil)
        #expect(log.count == 1)
        #expect(log.note(of: 3) == "3")
    }

    @Test func lettersWithoutALaneHaveNoOrder() {
        var log = LetterLog<String>()
        log.append(LetterLog.Letter(offset: 1, note: "a"), lane: nil)
        log.append(LetterLog.Letter(offset: 2, note: "b"), lane: nil, replacing: 1)
        log.append(LetterLog.Letter(offset: 3, note: "c"), lane: nil)
        #expect(log.unordered.map(\.offset).sorted() == [2, 3])
        log.remove(2)
        log.remove(7)
        #expect(log.count == 1)
    }

    /// Against a list that is searched from its beginning.
    @Test func itAgreesWithAPlainList() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            var log = LetterLog<String>()
            var plain: [Int64] = []
            for offset in Int64(0)..<400 {
                switch UInt8.random(in: 0..<10, using: &generator) {
                case 0..<4:
                    log.append(LetterLog.Letter(offset: offset, note: ""), lane: self.lane)
                    plain.append(offset)
                case 4..<6:
                    guard let index = plain.indices.randomElement(using: &generator) else { continue }
                    log.append(LetterLog.Letter(offset: offset, note: ""), lane: self.lane, replacing: plain[index])
                    plain[index] = offset
                case 6..<9:
                    guard !plain.isEmpty else { continue }
                    log.remove(plain.removeFirst())
                default:
                    guard let index = plain.indices.randomElement(using: &generator) else { continue }
                    log.remove(plain.remove(at: index))
                }
                #expect(log.head(of: self.lane)?.offset == plain.first)
                #expect(log.count == plain.count)
            }
            #expect(self.order(log) == (plain.isEmpty ? [] : [plain]))
        }
    }
}
