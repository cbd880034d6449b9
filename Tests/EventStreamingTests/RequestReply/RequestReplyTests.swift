import EmbeddedKafka
import Foundation
import KafkaClient
import Logging
import Synchronization
import TestSupport
import Testing

@testable import EventStreaming

@Suite(.timeLimit(.minutes(3)))
struct RequestReplyTests {
    struct Refusal: Error, CustomStringConvertible {
        var description: String { "not today" }
    }

    @Test(arguments: [ProcessingGuarantee.exactlyOnce, .atLeastOnce])
    func aRequestIsRepliedTo(guarantee: ProcessingGuarantee) async throws {
        let fixture = try await RequestFixture.make(guarantee)
        try await fixture.withResponder {
            "\(try $0.key) \(try $0.value)"
        } _: { responder in
            try await fixture.withRequester { requester in
                let cause = EventMetadata(id: "7", source: "/test", type: "t", correlationID: "c")
                let reply = try await requester.request(Message(key: "a", value: "1"), causedBy: cause)
                #expect(try reply.value == "a 1")
                #expect(try reply.key == "a")
                let metadata = try #require(reply.metadata)
                #expect(metadata.correlationID == "c")
                #expect(metadata.causationID != "7", "the reply comes of the request")
                let statistics = requester.statistics
                #expect(statistics == RequesterStatistics(requests: 1, replies: 1))
                try await eventually("the responder has counted it") {
                    responder.statistics == ResponderStatistics(replies: 1)
                }
            }
        }
    }

    @Test func anErrorOfTheHandlerIsTheRequestersError() async throws {
        let fixture = try await RequestFixture.make()
        try await fixture.withResponder { request in
            if try request.value == "bad" { throw Refusal() }
            return "good"
        } _: { responder in
            try await fixture.withRequester { requester in
                await #expect {
                    try await requester.request(Message(key: "a", value: "bad"))
                } throws: { error in
                    guard let error = error as? RequestError else { return false }
                    return error.code == .rejected && error.message == "not today" && error.type == "Refusal"
                }
                let good = try await requester.request(Message(key: "a", value: "x"))
                #expect(try good.value == "good")
                #expect(requester.statistics.rejections == 1)
                #expect(requester.statistics.replies == 2)
            }
            try await eventually("both are counted") {
                responder.statistics == ResponderStatistics(replies: 1, rejections: 1)
            }
        }
    }

    @Test func aSecondRunIsRefusedAndTheFirstGoesOn() async throws {
        let fixture = try await RequestFixture.make()
        try await fixture.withResponder {
            try $0.value
        } _: { responder in
            try await eventually("it runs") { responder.status.phase == .running }
            await #expect(throws: ProcessorError.self) { try await responder.run() }
            try await fixture.withRequester { requester in
                let reply = try await requester.request(Message(key: "a", value: "1"))
                #expect(try reply.value == "1")
            }
        }
    }

    /// Also requests that nobody can read.
    @Test func whatCannotBeReadIsRejected() async throws {
        let fixture = try await RequestFixture.make()
        let binary = Topic<String, [UInt8]>(fixture.requests.name, key: .string, value: .bytes)
        try await fixture.withResponder {
            try $0.value
        } _: { _ in
            try await withRequester(
                fixture.requesting,
                sending: binary,
                receiving: fixture.replies,
                logger: fixture.logger
            ) { requester -> Void in
                await #expect {
                    try await requester.request(Message(key: "a", value: [0xFF]))
                } throws: { error in
                    (error as? RequestError)?.type == "SerdeError"
                }
            }
        }
    }

    @Test func aRequestWithoutReplyEndsInItsOwnTime() async throws {
        let fixture = try await RequestFixture.make()
        try await fixture.withRequester { requester in
            // It is connected, so that all of the time is that of the request.
            try await fixture.withResponder { _ in
                ""
            } _: { _ in
                _ = try await requester.request(Message(key: "a", value: "0"))
            }
            let start = ContinuousClock.now
            await #expect {
                try await requester.request(Message(key: "a", value: "1"), timeout: .seconds(2))
            } throws: { error in
                (error as? RequestError)?.code == .timedOut
            }
            #expect(start.duration(to: .now) >= .seconds(2))
            #expect(try await fixture.cluster.records(in: fixture.requests.name) == 2)
            #expect(requester.statistics == RequesterStatistics(requests: 2, replies: 1, timeouts: 1))
            // Whoever comes later does not begin with it.
            let handled = Collected<String>()
            try await fixture.withResponder { request in
                handled.append(try request.value)
                return ""
            } _: { responder in
                try await eventually("it is passed over") { responder.statistics.expired == 1 }
                _ = try await requester.request(Message(key: "a", value: "2"))
            }
            #expect(handled.elements == ["2"])
        }
    }

    @Test func aReplyThatComesTooLateIsAnOrphan() async throws {
        let fixture = try await RequestFixture.make()
        let gate = Deferred<Void>()
        let begun = Collected<String>()
        try await fixture.withResponder { request in
            begun.append(try request.value)
            try await gate.value
            return ""
        } _: { _ in
            try await fixture.withRequester { requester in
                let late = Task { try await requester.request(Message(key: "a", value: "late"), timeout: .seconds(60)) }
                try await eventually("it is being handled") { begun.count == 1 }
                // Whoever asked does not want to know any more.
                late.cancel()
                await #expect(throws: CancellationError.self) { try await late.value }
                #expect(requester.statistics.pending == 0)
                #expect(requester.statistics.orphans == 0)
                gate.fulfil(.success(()))
                try await eventually("its reply is an orphan") { requester.statistics.orphans == 1 }
                #expect(requester.statistics.replies == 0)
            }
        }
    }

    @Test func instancesShareAReplyPartition() async throws {
        let fixture = try await RequestFixture.make(replyPartitions: 1)
        try await fixture.withResponder {
            try $0.value
        } _: { _ in
            try await fixture.withRequester { first in
                try await fixture.withRequester { second in
                    // Both read from now on.
                    _ = try await first.request(Message(key: "a", value: "0"))
                    _ = try await second.request(Message(key: "a", value: "0"))
                    let (before, beforeOther) = (first.statistics.foreign, second.statistics.foreign)
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for number in 0..<100 {
                            let requester = number % 2 == 0 ? first : second
                            group.addTask {
                                let reply = try await requester.request(Message(key: "\(number)", value: "\(number)"))
                                #expect(try reply.value == "\(number)")
                            }
                        }
                        try await group.waitForAll()
                    }
                    try await eventually("each has seen the other's replies") {
                        first.statistics.foreign - before >= 50 && second.statistics.foreign - beforeOther >= 50
                    }
                    #expect(first.statistics.orphans + second.statistics.orphans == 0)
                }
            }
        }
    }

    @Test func thereAreNoMoreRequestsThanMayWait() async throws {
        let fixture = try await RequestFixture.make()
        var configuration = fixture.requesting
        configuration.maxPending = 2
        try await fixture.withRequester(configuration) { requester in
            let waiting = (0..<2).map { _ in Task { try await requester.request(Message(key: "a", value: "1")) } }
            try await eventually("two wait") { requester.statistics.pending == 2 }
            await #expect {
                try await requester.request(Message(key: "a", value: "1"))
            } throws: { error in
                (error as? RequestError)?.code == .tooManyPending
            }
            for task in waiting { task.cancel() }
            for task in waiting { _ = await task.result }
            #expect(requester.statistics.pending == 0)
        }
    }

    @Test func whoWaitsWhenItEndsIsTold() async throws {
        let fixture = try await RequestFixture.make()
        let requester = Requester(
            fixture.requesting,
            sending: fixture.requests,
            receiving: fixture.replies,
            logger: fixture.logger
        )
        let running = Task { try await requester.run() }
        let waiting = Task { try await requester.request(Message(key: "a", value: "1")) }
        try await eventually("the request has arrived") {
            try await fixture.cluster.records(in: fixture.requests.name) == 1
        }
        running.cancel()
        try await running.value
        for task in [waiting, Task { try await requester.request(Message(key: "a", value: "2")) }] {
            await #expect {
                try await task.value
            } throws: { error in
                (error as? RequestError)?.code == .closed
            }
        }
    }

    @Test func whatEndsARequesterIsTheErrorOfItsRequests() async throws {
        let fixture = try await RequestFixture.make()
        var configuration = fixture.requesting
        configuration.replyPartition = 99
        try await fixture.withRequester(configuration) { requester in
            await #expect {
                try await requester.request(Message(key: "a", value: "1"))
            } throws: { error in
                guard let error = error as? RequestError else { return false }
                return error.code == .closed && error.message.contains("`replyPartition` is 99")
            }
        }
    }

    /// Neither where nobody reads, nor to a topic of somebody else's choice, nor to a partition that is not there.
    @Test func recordsThatAreNoRequestsAreDeadLetters() async throws {
        let fixture = try await RequestFixture.make()
        let good = RequestHeaders(
            id: "1",
            requester: "r",
            replyTopic: fixture.replies.name,
            replyPartition: 0,
            deadline: .now.advanced(by: .seconds(60))
        )
        var elsewhere = good
        elsewhere.replyTopic = fixture.requests.name
        var nowhere = good
        nowhere.replyPartition = 99
        let letters = "\(fixture.requests.name).dead-letters"
        try await withKafkaProducer(fixture.producing, logger: fixture.logger) { producer in
            for headers in [[], elsewhere.headers, nowhere.headers] {
                _ = try await producer.send(.init(topic: fixture.requests.name, key: "a", value: "1", headers: headers))
            }
        }
        try await fixture.withResponder {
            try $0.value
        } _: { responder in
            try await fixture.withRequester { requester in
                let reply = try await requester.request(Message(key: "a", value: "2"))
                #expect(try reply.value == "2")
            }
            try await eventually("they are put aside") { try await fixture.cluster.records(in: letters) == 3 }
            #expect(responder.status.phase == .running)
        }
    }
}
