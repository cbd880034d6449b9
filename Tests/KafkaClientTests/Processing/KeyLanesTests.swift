import Testing

@testable import KafkaClient

/// Which records may run beside each other.
@Suite struct KeyLanesTests {
    @Test func recordsOfOneLaneRunOneAfterTheOther() {
        var lanes = KeyLanes()
        #expect(lanes.append(lane: 7) == true)
        #expect(lanes.append(lane: 7) == false)
        #expect(lanes.append(lane: 8) == true)
        #expect(lanes.append(lane: 7) == false)
        #expect(lanes.remove(0) == 1)
        #expect(lanes.remove(2) == nil)
        #expect(lanes.remove(1) == 3)
        #expect(lanes.remove(3) == nil)
        #expect(lanes.append(lane: 7) == true, "a lane that is empty begins anew")
    }

    @Test func recordsWithoutALaneWaitForNobody() {
        var lanes = KeyLanes()
        #expect(lanes.append(lane: nil) == true)
        #expect(lanes.append(lane: nil) == true)
        #expect(lanes.remove(0) == nil)
        #expect(lanes.remove(1) == nil)
        #expect(lanes.count == 0)
    }

    @Test func lanesThatAreEmptyNeedNoMemory() {
        var lanes = KeyLanes()
        for key in 0..<1_000 {
            #expect(lanes.append(lane: key) == true)
            #expect(lanes.remove(key) == nil)
            #expect(lanes.count == 0)
        }
    }

    @Test func numbersBeginAnywhereAndMayBeLeftOut() {
        var lanes = KeyLanes(first: 5)
        lanes.skip()
        #expect(lanes.append(lane: 1) == true)
        lanes.skip()
        #expect(lanes.append(lane: 1) == false)
        #expect(lanes.remove(6) == 8)
        #expect(lanes.remove(8) == nil)
        #expect(lanes.count == 0)
    }

    /// Random work on few keys, against a list per key.
    @Test func eachLaneHasOneRecordThatRuns() {
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<50 {
            var lanes = KeyLanes()
            var model: [Int: [Int]] = [:]
            var running: Set<Int> = []
            var next = 0
            for _ in 0..<300 {
                if running.isEmpty || Bool.random(using: &generator) {
                    let key = Int.random(in: 0..<5, using: &generator)
                    let mayRun = lanes.append(lane: key)
                    #expect(mayRun == model[key, default: []].isEmpty)
                    model[key, default: []].append(next)
                    if mayRun { running.insert(next) }
                    next += 1
                } else if let number = running.sorted().randomElement(using: &generator),
                    let key = model.first(where: { $0.value.first == number })?.key
                {
                    running.remove(number)
                    model[key]?.removeFirst()
                    let following = lanes.remove(number)
                    #expect(following == model[key]?.first)
                    if let following { running.insert(following) }
                }
                #expect(lanes.count == model.values.filter { !$0.isEmpty }.count)
            }
        }
    }
}
