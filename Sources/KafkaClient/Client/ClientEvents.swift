internal import CLibrdkafka
internal import Logging

/// The events that producers and consumers handle alike: log lines and errors.
struct ClientEvents: Sendable {
    /// Used on the pump only, which is disconnected before the client is destroyed. A reference to the handle would be
    /// one to itself, and a weak one would make every retain of it slow.
    let client: SendablePointer
    let logger: Logger
    let connectionProblem: ConnectionProblem
    let connectionWatch: ConnectionWatch?
    let refusalWatch: RefusalWatch

    init(client: ClientHandle, logger: Logger) {
        self.client = SendablePointer(client.pointer)
        self.logger = logger
        self.connectionProblem = client.connectionProblem
        self.connectionWatch = client.connectionWatch
        self.refusalWatch = client.refusalWatch
    }

    /// The events to ask librdkafka for. There are statistics only where metrics are configured.
    static let kinds = RD_KAFKA_EVENT_LOG | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS

    /// Sends a log line of librdkafka to the logger.
    func log(_ event: OpaquePointer) {
        var facility: UnsafePointer<CChar>?
        var text: UnsafePointer<CChar>?
        var level: Int32 = 0
        guard rd_kafka_event_log(event, &facility, &text, &level) == 0, let text else { return }
        self.logger.log(
            level: Logger.Level(syslog: level),
            "\(String(cString: text))",
            metadata: ["facility": "\(facility.map { String(cString: $0) } ?? "")"]
        )
    }

    /// Takes note of an error event and logs it. The answer is what it said.
    @discardableResult
    func error(_ event: OpaquePointer) -> (response: ResponseCode, text: String) {
        let response = rd_kafka_event_error(event)
        let text = rd_kafka_event_error_string(event).map { String(cString: $0) } ?? ""
        self.connectionProblem.record(response, text: text)
        self.refusalWatch.problemWasRecorded()
        switch response {
        case RD_KAFKA_RESP_ERR__FATAL:
            let error = KafkaError.fatal(of: self.client.value, operation: "run")
            self.logger.critical("\(error?.message ?? text)", metadata: ["error": "\(error?.librdkafkaName ?? "")"])
        case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
            self.logger.warning("\(text)", metadata: ["error": "\(String(cString: rd_kafka_err2name(response)))"])
            self.connectionWatch?.connectionWentDown()
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__RESOLVE:
            // librdkafka has logged the same text with more context.
            self.logger.debug("\(text)")
            self.connectionWatch?.connectionWentDown()
        default:
            self.logger.warning("\(text)", metadata: ["error": "\(String(cString: rd_kafka_err2name(response)))"])
        }
        return (response, text)
    }
}

extension Logger.Level {
    /// The level of a syslog severity (RFC 5424, section 6.2.1).
    init(syslog level: Int32) {
        self =
            switch level {
            case ...2: .critical
            case 3: .error
            case 4: .warning
            case 5: .notice
            case 6: .info
            default: .debug
            }
    }
}
