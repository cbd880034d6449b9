internal import NIOCore

/// Something that happens on the broker's event loop after a while, in real time.
final class Timer {
    private var scheduled: Scheduled<Void>?

    init(_ eventLoop: any EventLoop, after delay: TimeAmount, _ action: @escaping () -> Void) {
        self.scheduled = eventLoop.assumeIsolated().scheduleTask(in: delay) { action() }
    }

    func cancel() {
        self.scheduled?.cancel()
        self.scheduled = nil
    }
}
