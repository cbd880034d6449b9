import TestSupport
import Testing

@testable import KafkaClient

struct JoinWatchTests {
    private let fetch: Int16 = 1
    private let joinGroup: Int16 = 11
    private let leaveGroup: Int16 = 13
    private let syncGroup: Int16 = 14
    private let heartbeat: Int16 = 12

    @Test func joiningLastsFromJoinGroupToTheAnswerToSyncGroup() {
        let watch = JoinWatch(limit: .seconds(60))
        let ends = Collected<Bool>()
        watch.observe { ends.append(watch.isJoining) }
        #expect(!watch.isJoining)
        watch.sent(self.heartbeat)
        watch.received(self.syncGroup, isError: false)
        #expect(!watch.isJoining)
        #expect(ends.elements == [], "it was not joining")

        watch.sent(self.joinGroup)
        #expect(watch.isJoining)
        watch.received(self.joinGroup, isError: false)
        watch.received(self.heartbeat, isError: false)
        watch.sent(self.syncGroup)
        #expect(watch.isJoining)
        watch.received(self.syncGroup, isError: false)
        #expect(!watch.isJoining)
        #expect(ends.elements == [false], "told when it is over, once")
    }

    @Test func joiningEndsWithTheConnectionAndWithTheMembership() {
        let watch = JoinWatch(limit: .seconds(60))
        let ends = Collected<Bool>()
        watch.observe { ends.append(watch.isJoining) }
        watch.sent(self.joinGroup)
        watch.received(self.joinGroup, isError: true)
        #expect(!watch.isJoining)
        watch.sent(self.joinGroup)
        watch.received(self.joinGroup, isError: false)
        watch.sent(self.syncGroup)
        watch.received(self.syncGroup, isError: true)
        #expect(!watch.isJoining)
        watch.sent(self.joinGroup)
        watch.sent(self.leaveGroup)
        #expect(!watch.isJoining)
        #expect(ends.elements == [false, false, false])
    }

    @Test func joiningGoesOnWhenOtherRequestsFail() {
        let watch = JoinWatch(limit: .seconds(60))
        watch.sent(self.joinGroup)
        for api in [self.fetch, self.heartbeat, -1] {
            watch.received(api, isError: true)
            #expect(watch.isJoining, "JoinGroup may still be waiting at the coordinator")
        }
    }

    @Test func anAnswerThatNeverComesIsNotWaitedForForEver() {
        let watch = JoinWatch(limit: .zero)
        watch.sent(self.joinGroup)
        #expect(!watch.isJoining)
    }
}
