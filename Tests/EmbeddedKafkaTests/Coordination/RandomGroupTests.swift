import NIOCore
import Testing

@testable import EmbeddedKafka

/// Five clients of one group that do random things, most of them sensible, and what must hold whatever they do.
private struct GroupSimulation {
    /// What a client believes of itself.
    struct Client {
        enum Phase { case outside, joined, synced }

        let index: Int
        var phase = Phase.outside
        let instance: String?
        var member = ""
        var generation: Int32 = -1
        var leader = ""
        var members: [String] = []
        var waiter: Waiter?
    }

    struct Waiting {
        let client: Int
        let isJoin: Bool
        let generation: Int32
        let since: Int64
    }

    static let rebalanceTimeout: Int64 = 9000

    var coordinator: GroupCoordinator
    var generator: SeededGenerator
    var now: Int64 = 1_000_000
    var clients: [Client]
    var waiting: [Waiter: Waiting] = [:]
    var forgotten: Set<Waiter> = []
    var lastWaiter: Waiter = 0
    var generation: Int32 = 0
    var counts: [GroupState: Int] = [:]
    var answered = 0

    init(seed: UInt64, initialDelay: Int32) {
        var ids = SeededGenerator(seed: seed ^ 0xffff)
        self.coordinator = GroupCoordinator(settings: GroupSettings(initialRebalanceDelay: initialDelay)) {
            WireUUID.random(using: &ids)
        }
        self.generator = SeededGenerator(seed: seed)
        self.clients = (0..<5).map { Client(index: $0, instance: $0 < 1 ? "instance-\($0)" : nil) }
    }

    // MARK: Steps

    mutating func step() throws {
        var client = self.clients[Int.random(in: 0..<5, using: &self.generator)]
        // Now and then somebody uses an id or a generation that isn't its own.
        let isOdd = Int.random(in: 0..<20, using: &self.generator) == 0
        if isOdd {
            client.member =
                ["", "?", self.clients[2].member, self.clients[0].member]
                .randomElement(using: &self.generator) ?? ""
            client.generation += Int32.random(in: -1...1, using: &self.generator)
        }
        switch Int.random(in: 0..<100, using: &self.generator) {
        case 0..<60: try self.goOn(client)
        case 60..<65: try self.join(client)
        case 65..<70: try self.sync(client)
        case 70..<75: try self.heartbeat(client)
        case 75..<80: try self.commit(client)
        case 80..<82: try self.leave(client)
        case 82..<84: self.clients[client.index].member = ""
        case 84..<88: self.forget(client)
        case 88: try self.advance(Int64.random(in: 0...20_000, using: &self.generator))
        default: try self.advance(Int64.random(in: 0...500, using: &self.generator))
        }
        try self.check()
    }

    /// What a client does that minds its business.
    private mutating func goOn(_ client: Client) throws {
        if let waiter = client.waiter, self.waiting[waiter] != nil { return }
        switch client.phase {
        case .outside: try self.join(client)
        case .joined: try self.sync(client)
        case .synced: try self.heartbeat(client)
        }
    }

    private mutating func wait(_ client: Client, isJoin: Bool) -> Waiter {
        self.lastWaiter += 1
        self.waiting[self.lastWaiter] = Waiting(
            client: client.index,
            isJoin: isJoin,
            generation: client.generation,
            since: self.now
        )
        self.clients[client.index].waiter = self.lastWaiter
        return self.lastWaiter
    }

    private mutating func join(_ client: Client) throws {
        let orders = [["range", "sticky"], ["sticky", "range"], ["range"], ["robin"]]
        let protocols = orders[[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3].randomElement(using: &self.generator) ?? 0]
        let metadata = ["", "", "", "", "", "", "", "", "", "changed"].randomElement(using: &self.generator) ?? ""
        let request = GroupJoin(
            group: "group",
            member: client.member,
            instance: client.instance,
            clientID: "client-\(client.index)",
            protocols: protocols.map { GroupProtocol(name: $0, metadata: ByteBuffer(string: metadata)) },
            sessionTimeout: Int32.random(in: 2000...6000, using: &self.generator),
            rebalanceTimeout: Int32.random(in: 0...Int32(Self.rebalanceTimeout), using: &self.generator),
            requiresKnownMemberID: Bool.random(using: &self.generator)
        )
        let waiter = self.wait(client, isJoin: true)
        try self.note(self.coordinator.join(request, waiter: waiter, now: self.now))
    }

    private mutating func sync(_ client: Client) throws {
        guard !client.member.isEmpty else { return }
        let isLeader = client.leader == client.member
        let request = GroupSync(
            group: "group",
            member: client.member,
            instance: client.instance,
            generation: client.generation,
            assignments: isLeader
                ? client.members.map { ($0, ByteBuffer(string: "\(client.generation)")) } : []
        )
        let waiter = self.wait(client, isJoin: false)
        try self.note(self.coordinator.sync(request, waiter: waiter, now: self.now))
    }

    private mutating func heartbeat(_ client: Client) throws {
        let error = self.coordinator.heartbeat(
            group: "group",
            member: client.member,
            instance: client.instance,
            generation: client.generation,
            now: self.now
        )
        let description = self.coordinator.describe("group")
        let isMember = description.members.contains { $0.id == client.member && $0.instance == client.instance }
        if error != .none { self.clients[client.index].phase = .outside }
        if error == .unknownMemberID || error == .fencedInstanceID { self.clients[client.index].member = "" }
        if error == .none || error == .rebalanceInProgress {
            // Without an instance a static member's id is taken as it is.
            try self.hold(isMember || client.instance == nil)
            try self.hold(client.generation == description.generation)
            try self.hold((error == .rebalanceInProgress) == (description.state == .preparingRebalance))
        }
    }

    private mutating func commit(_ client: Client) throws {
        let commit = OffsetCommit(
            group: "group",
            member: client.member,
            instance: client.instance,
            generation: client.generation,
            partitions: [OffsetCommit.Partition(partition: TopicPartition("topic", 0), offset: 1)]
        )
        let before = self.coordinator.describe("group")
        if self.coordinator.commitOffsets(commit, now: self.now) == [.none] {
            try self.hold(before.state != .completingRebalance)
            let isMember = before.members.contains { $0.id == client.member }
            try self.hold(
                isMember && client.generation == before.generation || before.members.isEmpty && client.generation < 0
            )
        }
    }

    private mutating func leave(_ client: Client) throws {
        let leaving = [GroupLeave(member: client.member, instance: client.instance)]
        try self.note(self.coordinator.leave(group: "group", leaving, now: self.now).answers)
    }

    private mutating func forget(_ client: Client) {
        guard let waiter = client.waiter, self.waiting.removeValue(forKey: waiter) != nil else { return }
        self.coordinator.forget(waiter, now: self.now)
        self.forgotten.insert(waiter)
    }

    private mutating func advance(_ milliseconds: Int64) throws {
        let end = self.now + milliseconds
        while let deadline = self.coordinator.nextDeadline, deadline <= end {
            self.now = deadline - 1
            try self.checkThatNothingIsDue()
            self.now = deadline
            try self.note(self.coordinator.tick(now: self.now))
            try self.hold((self.coordinator.nextDeadline ?? .max) > self.now, "something is due after a tick")
        }
        self.now = end
        try self.checkThatNothingIsDue()
    }

    // MARK: Answers

    private mutating func note(_ answers: [GroupAnswer]) throws {
        for answer in answers {
            try self.hold(!self.forgotten.contains(answer.waiter), "a forgotten request is answered")
            let request = self.waiting.removeValue(forKey: answer.waiter)
            guard let waiting = request else { throw Broken("answered twice") }
            self.answered += 1
            switch answer {
            case .joined(_, .success(let joined)):
                try self.hold(waiting.isJoin)
                try self.hold(joined.members.isEmpty == (joined.leader != joined.member))
                try self.hold(Set(joined.members.map(\.id)).count == joined.members.count)
                self.clients[waiting.client].member = joined.member
                self.clients[waiting.client].phase = .joined
                self.clients[waiting.client].generation = joined.generation
                self.clients[waiting.client].leader = joined.leader
                self.clients[waiting.client].members = joined.members.map(\.id)
            case .joined(_, .failure(let failure)):
                try self.hold(waiting.isJoin)
                let isLost = failure.error == .unknownMemberID || failure.error == .fencedInstanceID
                if failure.error == .memberIDRequired { self.clients[waiting.client].member = failure.member }
                if isLost { self.clients[waiting.client].member = "" }
                self.clients[waiting.client].phase = .outside
            case .synced(_, .success(let synced)):
                try self.hold(!waiting.isJoin)
                let share = String(buffer: synced.assignment)
                try self.hold(share.isEmpty || share == "\(waiting.generation)", "a share of another generation")
                self.clients[waiting.client].phase = .synced
            case .synced(_, .failure(let error)):
                try self.hold(!waiting.isJoin)
                self.clients[waiting.client].phase = .outside
                if error == .unknownMemberID { self.clients[waiting.client].member = "" }
            }
        }
    }

    // MARK: What must hold

    struct Broken: Error {
        let promise: String
        init(_ promise: String) { self.promise = promise }
    }

    /// Much faster than an expectation, of which there would be a million.
    private func hold(_ condition: Bool, _ promise: String = "", line: UInt = #line) throws {
        if !condition { throw Broken("\(promise) (line \(line))") }
    }

    private mutating func check() throws {
        let group = self.coordinator.describe("group")
        self.counts[group.state, default: 0] += 1
        if group.state != .dead {
            try self.hold(group.generation >= self.generation || group.generation == 0)
            self.generation = max(self.generation, group.generation)
        }
        let instances = group.members.compactMap(\.instance)
        try self.hold(Set(instances).count == instances.count, "two members are one instance")
        switch group.state {
        case .stable:
            try self.hold(self.waiting.isEmpty, "somebody waits in a stable group")
            try self.hold(!group.members.isEmpty)
        case .empty, .dead:
            try self.hold(self.waiting.isEmpty, "somebody waits in an empty group")
            try self.hold(group.members.isEmpty)
        case .preparingRebalance:
            try self.hold(!self.waiting.values.contains { !$0.isJoin })
        case .completingRebalance:
            let late = self.waiting.values.filter { $0.isJoin || $0.generation != group.generation }
            try self.hold(late.isEmpty)
        }
        for waiting in self.waiting.values {
            try self.hold(self.now - waiting.since <= Self.rebalanceTimeout, "somebody waits for too long")
        }
        try self.hold((self.coordinator.nextDeadline ?? .max) > self.now, "something is overdue")
        try self.hold(group.members.isEmpty || self.coordinator.nextDeadline != nil || !self.waiting.isEmpty)
    }

    private func checkThatNothingIsDue() throws {
        var copy = self.coordinator
        let answers = copy.tick(now: self.now)
        try self.hold(answers.isEmpty, "something was due before its time")
        let (before, after) = (self.coordinator.describe("group"), copy.describe("group"))
        try self.hold(before.state == after.state)
        try self.hold(before.members == after.members)
        try self.hold(copy.nextDeadline == self.coordinator.nextDeadline)
    }
}

@Suite("Groups: random clients")
struct RandomGroupTests {
    @Test("Whatever five clients do, the group keeps its promises", arguments: 0..<4 as Range<UInt64>)
    func simulation(seed: UInt64) throws {
        var simulation = GroupSimulation(seed: seed, initialDelay: seed == 3 ? 500 : 0)
        for step in 0..<5000 {
            do { try simulation.step() } catch {
                Issue.record("seed \(seed), step \(step)")
                throw error
            }
        }
        // The walk has been everywhere, or it proves nothing.
        for state in [GroupState.empty, .preparingRebalance, .completingRebalance, .stable] {
            let count = simulation.counts[state, default: 0]
            #expect(count > 30, "\(state)")
        }
        #expect(simulation.answered > 800)
    }
}
