internal import CLibrdkafka
internal import Dispatch
internal import Logging

/// Gets tokens for a client, in the background, whenever librdkafka wants one: at the start, and when four fifths of a
/// token's lifetime are over.
///
/// librdkafka's wishes come in a queue of their own, with a pump of its own: nothing that an application does, or fails to
/// do, holds them up.
///
/// Unchecked, because `schedule` and `task` are confined to the pump. It has a pointer to the client and no reference; the
/// client stops it before it is destroyed.
final class TokenRefresh: @unchecked Sendable {
    private let client: SendablePointer
    private let source: KafkaSecurity.SASL.TokenSource
    private let logger: Logger
    private let pump: EventPump
    private var schedule = TokenSchedule()
    private var task: Task<Void, Never>?

    init(client: OpaquePointer, source: KafkaSecurity.SASL.TokenSource, logger: Logger, label: String) {
        self.client = SendablePointer(client)
        self.source = source
        self.logger = logger
        self.pump = EventPump(label: label)
    }

    func start() {
        self.pump.start { event in
            if rd_kafka_event_type(event) == RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH,
                let attempt = self.schedule.begin()
            {
                self.fetch(attempt)
            }
            return .done
        }
        if let queue = rd_kafka_queue_get_sasl(self.client.value) {
            self.pump.connect(queue)
        }
    }

    /// Ends it: the provider's task is cancelled, and the client is not touched any more.
    func stop() {
        self.pump.dispatchQueue.sync {
            self.schedule.stop()
            self.task?.cancel()
            self.task = nil
        }
        self.pump.disconnect()
    }

    // MARK: On the pump

    private func fetch(_ attempt: Int) {
        let source = self.source
        self.task = Task {
            let result: Result<KafkaOAuthToken, any Error>
            do {
                result = .success(try await source.provider())
            } catch {
                result = .failure(error)
            }
            self.pump.dispatchQueue.async { self.finish(attempt, result) }
        }
        let timeout = DispatchTimeInterval.milliseconds(source.timeout.milliseconds)
        self.pump.dispatchQueue.asyncAfter(deadline: .now() + timeout) { [weak self] in
            guard let self, self.schedule.isRunning(attempt) else { return }
            self.task?.cancel()
            self.fail(attempt, "the provider took longer than \(source.timeout)")
        }
    }

    private func finish(_ attempt: Int, _ result: Result<KafkaOAuthToken, any Error>) {
        guard self.schedule.isRunning(attempt) else { return }
        self.task = nil
        switch result {
        case .success(let token):
            if let problem = self.set(token) {
                self.fail(attempt, problem)
            } else {
                self.schedule.succeed(attempt, expiration: token.expiration.millisecondsSince1970)
                self.logger.debug("got a \(token)")
            }
        case .failure(let error):
            self.fail(attempt, "\(error)")
        }
    }

    private func fail(_ attempt: Int, _ reason: String) {
        guard let failure = self.schedule.fail(attempt, now: WallClock.now) else { return }
        self.logger.warning(
            "no OAUTHBEARER token: \(reason)",
            metadata: ["retry": "in \(failure.delay)", "token": failure.isWithoutToken ? "none" : "still good"]
        )
        if failure.isWithoutToken {
            // Comes back as an error event, by which all learn of it who wait. An empty text would be refused.
            rd_kafka_oauthbearer_set_token_failure(self.client.value, reason.isEmpty ? "unknown" : reason)
        }
        let delay = DispatchTimeInterval.milliseconds(failure.delay.milliseconds)
        self.pump.dispatchQueue.asyncAfter(deadline: .now() + delay) { [weak self] in
            guard let self, let next = self.schedule.retry(after: attempt) else { return }
            self.fetch(next)
        }
    }

    /// Hands a token to librdkafka; the answer is what is wrong with it.
    private func set(_ token: KafkaOAuthToken) -> String? {
        if let problem = token.problem(now: WallClock.now) { return problem }
        // Names and values, one behind the other, each with its NUL.
        var text: [CChar] = []
        var offsets: [Int] = []
        for part in token.extensions.flatMap({ [$0.key, $0.value] }) {
            offsets.append(text.count)
            text += part.utf8CString
        }
        let response = text.withUnsafeBufferPointer { text in
            var extensions = offsets.map { offset in text.baseAddress.map { $0 + offset } }
            // librdkafka's text may repeat the token, so nobody sees it.
            var buffer = [CChar](repeating: 0, count: 512)
            return rd_kafka_oauthbearer_set_token(
                self.client.value,
                token.value,
                token.expiration.millisecondsSince1970,
                token.principal,
                &extensions,
                extensions.count,
                &buffer,
                buffer.count
            )
        }
        return response == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : "librdkafka refuses the token"
    }
}
