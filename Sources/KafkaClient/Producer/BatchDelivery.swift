internal import Synchronization

/// Where the reports of a batch and its sender meet: one buffer of slots, one counter, one suspension.
///
/// The address of a slot travels through librdkafka as the message's opaque pointer, with its lowest bit set to tell it
/// from the address of a ``DeliveryWaiter``.
///
/// Unchecked, because the slots are written and read under the mutex.
final class BatchDelivery: @unchecked Sendable {
    struct Slot {
        let batch: Unmanaged<BatchDelivery>
        var report: DeliveryReport?
    }

    private struct State {
        var outstanding = 0
        /// Whether all records were handed over: only then can "none outstanding" mean the end.
        var isComplete = false
        var continuation: UnsafeContinuation<Void, Never>?
        var isCancelled = false
    }

    private let slots: UnsafeMutableBufferPointer<Slot>
    private let state = Mutex(State())

    init(count: Int) {
        self.slots = .allocate(capacity: count)
        self.slots.initialize(repeating: Slot(batch: Unmanaged.passUnretained(self), report: nil))
    }

    deinit {
        self.slots.deinitialize()
        self.slots.deallocate()
    }

    // MARK: Handing over

    /// The opaque pointer for librdkafka of the record at a position.
    func opaque(at index: Int) -> UnsafeMutableRawPointer? {
        self.slots.baseAddress.map { UnsafeMutableRawPointer($0 + index) + 1 }
    }

    /// Counts records that are about to be handed to librdkafka. They hold one reference together until the last report.
    func willHandOver(_ count: Int) {
        self.state.withLock { state in
            if state.outstanding == 0 {
                _ = Unmanaged.passRetained(self)
            }
            state.outstanding += count
        }
    }

    /// Takes back records that librdkafka refused, so that no report will come.
    func didNotTake(_ count: Int) {
        let wereLast = self.state.withLock { state in
            state.outstanding -= count
            return count > 0 && state.outstanding == 0
        }
        if wereLast {
            Unmanaged.passUnretained(self).release()
        }
    }

    // MARK: Reports

    /// Whether an opaque pointer is that of a slot.
    static func owns(_ opaque: UnsafeMutableRawPointer) -> Bool {
        UInt(bitPattern: opaque) & 1 == 1
    }

    /// The slot behind an opaque pointer.
    static func slot(_ opaque: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Slot> {
        (opaque - 1).assumingMemoryBound(to: Slot.self)
    }

    /// Delivers a run of reports of this batch under one lock.
    func deliver(_ reports: some Collection<(slot: UnsafeMutablePointer<Slot>, report: DeliveryReport)>) {
        let (wereLast, continuation) = self.state.withLock { state -> (Bool, UnsafeContinuation<Void, Never>?) in
            for (slot, report) in reports {
                slot.pointee.report = report
            }
            state.outstanding -= reports.count
            guard state.outstanding == 0 else { return (false, nil) }
            // While records are still being handed over, "none outstanding" is not the end.
            guard state.isComplete else { return (true, nil) }
            defer { state.continuation = nil }
            return (true, state.continuation)
        }
        continuation?.resume()
        if wereLast {
            Unmanaged.passUnretained(self).release()
        }
    }

    // MARK: Waiting

    /// Waits until every record that was handed over has its report, or the task is cancelled.
    func wait() async {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                let isOver = self.state.withLock { state -> Bool in
                    state.isComplete = true
                    if state.outstanding == 0 || state.isCancelled || Task.isCancelled { return true }
                    state.continuation = continuation
                    return false
                }
                if isOver {
                    continuation.resume()
                }
            }
        } onCancel: {
            let continuation = self.state.withLock { state -> UnsafeContinuation<Void, Never>? in
                state.isCancelled = true
                defer { state.continuation = nil }
                return state.continuation
            }
            continuation?.resume()
        }
    }

    /// The reports so far, in the order of the records.
    func withReports<R>(_ body: (UnsafeMutableBufferPointer<Slot>) -> R) -> R {
        self.state.withLock { _ in body(self.slots) }
    }
}
