internal import CLibrdkafka

/// What an error of a connection says about the client's `security`.
struct ConnectionDiagnosis: Sendable, Equatable {
    /// `authentication`, or `brokerUnreachable` where client and broker do not speak the same.
    let code: KafkaError.Code
    /// What can be done about it.
    let advice: String
    /// How long to wait for a broker that lets the client in. A guess gets more time: connections also break off while a
    /// broker starts.
    let patience: Duration

    /// Reads an error of librdkafka; `nil` when it has nothing to do with security.
    init?(_ response: ResponseCode, text: String) {
        switch response {
        case RD_KAFKA_RESP_ERR__AUTHENTICATION:
            self = text.contains("OAUTHBEARER token") ? .noToken : .credentials
        case RD_KAFKA_RESP_ERR__SSL:
            self = Self.handshake(text)
        case RD_KAFKA_RESP_ERR__TRANSPORT where text.contains("PLAINTEXT broker"):
            self = .cutOff
        case RD_KAFKA_RESP_ERR__TRANSPORT where text.contains("SSL routines") && text.contains(" alert "):
            // With TLS 1.3 the broker looks at the client's certificate after the client's handshake.
            self = Self.alert(text)
        case RD_KAFKA_RESP_ERR__TRANSPORT where text.contains("security.protocol"),
            RD_KAFKA_RESP_ERR__BAD_MSG where text.contains("Invalid response size"):
            self = .moreThanPlain
        default:
            return nil
        }
    }

    /// What OpenSSL says when a handshake fails.
    private static func handshake(_ text: String) -> ConnectionDiagnosis {
        if text.contains("wrong version number") { return .noTLS }
        if text.contains("unexpected eof") || text.contains("PLAINTEXT") { return .cutOff }
        if text.contains(" alert ") || text.contains("SSL authentication might be required") { return self.alert(text) }
        if text.contains("hostname mismatch") || text.contains("IP address mismatch") { return .otherHost }
        if text.contains("verif") { return .otherAuthority }
        return .transport
    }

    /// What the broker says about the client's part in the handshake.
    private static func alert(_ text: String) -> ConnectionDiagnosis {
        if text.contains("required") { return .certificateRequired }
        return ["certificate", "unknown ca", "decrypt error", "access denied"].contains { text.contains($0) }
            ? .certificateRefused : .transport
    }

    private static let credentials = ConnectionDiagnosis(
        "check the user, the password or token, and the mechanism of `security.sasl`"
    )
    private static let noToken = ConnectionDiagnosis("the token provider of `security.sasl` brought none")
    private static let transport = ConnectionDiagnosis("check the transport of `security`")
    private static let otherHost = ConnectionDiagnosis(
        "the broker's certificate is for another host: connect by the name that it has, or turn `verifiesHostName` of "
            + "`security` off for a test"
    )
    private static let otherAuthority = ConnectionDiagnosis(
        "the broker's certificate is not by an authority that the client trusts, or for another host: check "
            + "`trustedRoots` of `security`, and the names in `bootstrapServers`"
    )
    private static let certificateRequired = ConnectionDiagnosis(
        "the broker asks for a client certificate: set `identity` of `security`"
    )
    private static let certificateRefused = ConnectionDiagnosis(
        "the broker does not take the client's certificate: check `identity` of `security`"
    )
    private static let noTLS = ConnectionDiagnosis(
        "the broker's port does not speak TLS: use another port, or the transport `.plaintext` of `security`",
        code: .brokerUnreachable
    )
    /// A port without TLS does this, and a broker that goes down.
    private static let cutOff = ConnectionDiagnosis(
        "the broker's port may not speak TLS: then use another port, or the transport `.plaintext` of `security`",
        code: .brokerUnreachable,
        patience: .seconds(4)
    )
    private static let moreThanPlain = ConnectionDiagnosis(
        "the broker's port may want TLS or SASL: set `security`, or use another port",
        code: .brokerUnreachable,
        patience: .seconds(4)
    )

    private init(
        _ advice: String,
        code: KafkaError.Code = .authentication,
        patience: Duration = .seconds(1)
    ) {
        self.code = code
        self.advice = advice
        self.patience = patience
    }
}
