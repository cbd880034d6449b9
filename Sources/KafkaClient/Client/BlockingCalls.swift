internal import Dispatch
internal import Synchronization

/// The threads of one client for calls that block in C.
///
/// Serial queues, each with a thread of its own while it works: the blocks of a concurrent queue would run on the threads
/// that Swift concurrency shares. A call goes where the fewest wait, so that time-outs do not add up.
final class BlockingCalls: Sendable {
    private struct Lane {
        let queue: DispatchQueue
        var load = 0
    }

    private let lanes: Mutex<[Lane]>

    init(label: String, count: Int = 8) {
        self.lanes = Mutex((0..<count).map { Lane(queue: DispatchQueue(label: "\(label).\($0)")) })
    }

    func async(_ call: @escaping @Sendable () -> Void) {
        let (index, queue) = self.lanes.withLock { lanes in
            let index = lanes.indices.min { lanes[$0].load < lanes[$1].load } ?? 0
            lanes[index].load += 1
            return (index, lanes[index].queue)
        }
        queue.async {
            call()
            self.lanes.withLock { $0[index].load -= 1 }
        }
    }
}
