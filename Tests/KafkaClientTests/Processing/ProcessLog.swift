import KafkaClient
import Synchronization

/// What handlers did, in the order in which they did it. Records are named by partition and offset: `1/42`.
final class ProcessLog: Sendable {
    private struct State {
        var started: [String] = []
        var finished: [String] = []
        var runningKeys: [String: Int] = [:]
        var overlappingKeys: Set<String> = []
        var offsetsByKey: [String: [Int64]] = [:]
        var running = 0
        var mostAtOnce = 0
    }

    private let state = Mutex(State())

    var started: [String] { self.state.withLock { $0.started } }
    var finished: [String] { self.state.withLock { $0.finished } }
    var mostAtOnce: Int { self.state.withLock { $0.mostAtOnce } }
    /// Keys (of one partition) of which several records were processed at the same time.
    var overlappingKeys: Set<String> { self.state.withLock { $0.overlappingKeys } }
    var offsetsByKey: [String: [Int64]] { self.state.withLock { $0.offsetsByKey } }

    /// Notes that a record is processed, which takes as long as `body`.
    func run(_ record: KafkaConsumerRecord, _ body: () async -> Void) async {
        let name = "\(record.partition)/\(record.offset)"
        let key = "\(record.partition)/\(record.keyString ?? "without key \(record.offset)")"
        self.state.withLock { state in
            state.started.append(name)
            state.running += 1
            state.mostAtOnce = max(state.mostAtOnce, state.running)
            state.runningKeys[key, default: 0] += 1
            if state.runningKeys[key] != 1 { state.overlappingKeys.insert(key) }
        }
        await body()
        self.state.withLock { state in
            state.finished.append(name)
            state.running -= 1
            state.runningKeys[key, default: 0] -= 1
            state.offsetsByKey[key, default: []].append(record.offset)
        }
    }
}
