internal import CLibrdkafka
internal import Synchronization

/// Knows whether a consumer is joining its group anew, by the requests that it sends and the answers that come.
///
/// A commit that is sent meanwhile names the group's old generation. It waits behind JoinGroup on the same connection, so
/// the broker refuses it; and librdkafka before 2.10 takes that for the loss of all partitions, which a cooperative member
/// goes on to read while it joins (librdkafka issue 4059). So commits are held back until the group is joined.
///
/// Two ways to that loss are left, and both are rare: a commit that librdkafka has taken, and sends when it has put JoinGroup
/// into the line but not yet on the wire; and one whose coordinator has moved, which librdkafka sends again as it was.
final class JoinWatch: Sendable {
    /// Keys of the Kafka protocol (protocol guide, "Api Keys").
    private enum API {
        static let joinGroup: Int16 = 11
        static let leaveGroup: Int16 = 13
        static let syncGroup: Int16 = 14
    }

    private struct State {
        /// When JoinGroup was sent, until SyncGroup is answered.
        var begin: ContinuousClock.Instant?
        var observer: (@Sendable () -> Void)?
    }

    /// After this time the answer counts as lost: the broker gives it before.
    private let limit: Duration
    private let state = Mutex(State())

    /// - Parameter limit: how long the group waits for its members to join.
    init(limit: Duration) {
        self.limit = limit
    }

    /// Whether the client is joining its group.
    var isJoining: Bool {
        self.state.withLock { state in state.begin.map { ContinuousClock.now - $0 < self.limit } ?? false }
    }

    /// Calls `observer` each time that the client has joined, or that it may have to do so again. On a thread of librdkafka.
    func observe(_ observer: @escaping @Sendable () -> Void) {
        self.state.withLock { $0.observer = observer }
    }

    /// Makes the client that will be made with this configuration tell of its requests. This object must outlive it.
    func install(in configuration: OpaquePointer) -> ResponseCode {
        let opaque = Unmanaged.passUnretained(self).toOpaque()
        return rd_kafka_conf_interceptor_add_on_new(
            configuration,
            Self.name,
            { client, _, opaque, _, _ in JoinWatch.addInterceptors(to: client, opaque) },
            opaque
        )
    }

    // MARK: What the client does

    func sent(_ api: Int16) {
        switch api {
        case API.joinGroup: self.state.withLock { $0.begin = .now }
        case API.leaveGroup: self.end()
        default: break
        }
    }

    /// - Parameter isError: whether there was no answer, since the connection ended or the time was over.
    func received(_ api: Int16, isError: Bool) {
        // What becomes of other requests, to other brokers perhaps, says nothing of the group.
        if api == API.syncGroup || api == API.joinGroup && isError { self.end() }
    }

    private func end() {
        let observer = self.state.withLock { state in
            defer { state.begin = nil }
            return state.begin == nil ? nil : state.observer
        }
        observer?()
    }

    // MARK: Interceptors

    private static let name = "kstream-joins"

    private static func addInterceptors(
        to client: OpaquePointer?,
        _ opaque: UnsafeMutableRawPointer?
    ) -> ResponseCode {
        let response = rd_kafka_interceptor_add_on_request_sent(
            client,
            JoinWatch.name,
            { _, _, _, _, api, _, _, _, opaque in
                JoinWatch.at(opaque)?.sent(api)
                return RD_KAFKA_RESP_ERR_NO_ERROR
            },
            opaque
        )
        guard response == RD_KAFKA_RESP_ERR_NO_ERROR else { return response }
        return rd_kafka_interceptor_add_on_response_received(
            client,
            JoinWatch.name,
            { _, _, _, _, api, _, _, _, _, response, opaque in
                JoinWatch.at(opaque)?.received(api, isError: response != RD_KAFKA_RESP_ERR_NO_ERROR)
                return RD_KAFKA_RESP_ERR_NO_ERROR
            },
            opaque
        )
    }

    private static func at(_ opaque: UnsafeMutableRawPointer?) -> JoinWatch? {
        opaque.map { Unmanaged<JoinWatch>.fromOpaque($0).takeUnretainedValue() }
    }
}
