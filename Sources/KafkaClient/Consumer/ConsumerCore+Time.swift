internal import CLibrdkafka
internal import Dispatch
internal import Logging
internal import Synchronization

/// What happens now and then, on the pump.
extension ConsumerCore {
    func startTimer() {
        let third = self.configuration.maxPollInterval / 3
        let interval = max(.milliseconds(10), min(third, self.configuration.commitInterval ?? third))
        let timer = DispatchSource.makeTimerSource(queue: self.handle.withLock { $0?.pump.dispatchQueue })
        timer.setEventHandler { [weak self] in self?.tick() }
        let milliseconds = interval.milliseconds
        timer.schedule(
            deadline: .now() + .milliseconds(milliseconds),
            repeating: .milliseconds(milliseconds),
            leeway: .milliseconds(milliseconds / 10)
        )
        timer.resume()
        self.timer = timer
    }

    private func tick() {
        guard let client = self.handle.withLock({ $0 }) else { return }
        // An idle member must be seen to poll: librdkafka measures max.poll.interval.ms by it.
        client.pump.drain()
        self.readers.withLock { $0 }?.storeProcessed()
        let now = ContinuousClock.now
        let action = self.storing { state in
            let action = state.tick(now: now, maxPollInterval: self.configuration.maxPollInterval)
            if case .store(let positions) = action { return (action, positions) }
            return (action, [])
        }
        self.commitByTime(client, now: now)
        // A join whose answer was lost no longer holds commits back.
        self.commits.send(client)
        switch action {
        case .none, .store:
            break
        case .leaveGroup:
            self.leaveGroup(becauseOfSlowness: client)
        }
    }

    func rejoin(_ client: ClientHandle, topics: [String]) {
        self.logger.notice("rejoining the group")
        do throws(KafkaError) {
            try Self.subscribe(client, to: topics, operation: "rejoin")
        } catch {
            self.fail(error)
        }
    }
}
