import CLibrdkafka
import Testing

@testable import KafkaClient

/// What the errors of librdkafka say about the options, in the words of its versions.
@Suite struct ConnectionDiagnosisTests {
    @Test(arguments: [
        (RD_KAFKA_RESP_ERR__AUTHENTICATION, "SASL PLAIN mechanism: broker refused", "password"),
        (RD_KAFKA_RESP_ERR__AUTHENTICATION, "Failed to acquire SASL OAUTHBEARER token: x", "token provider"),
        (RD_KAFKA_RESP_ERR__SSL, "SSL handshake failed: certificate verify failed", "`trustedRoots`"),
        (RD_KAFKA_RESP_ERR__SSL, "broker certificate could not be verified", "`trustedRoots`"),
        (RD_KAFKA_RESP_ERR__SSL, "certificate verify failed: hostname mismatch", "another host"),
        (RD_KAFKA_RESP_ERR__SSL, "unexpected message: client SSL authentication might be required", "set `identity`"),
        (RD_KAFKA_RESP_ERR__SSL, "SSL routines::sslv3 alert bad certificate", "check `identity`"),
        (RD_KAFKA_RESP_ERR__TRANSPORT, "SSL routines::tlsv13 alert certificate required", "set `identity`"),
        (RD_KAFKA_RESP_ERR__TRANSPORT, "SSL routines::tlsv1 alert unknown ca", "check `identity`"),
        (RD_KAFKA_RESP_ERR__TRANSPORT, "SSL routines::tlsv1 alert internal error", "the transport"),
        (RD_KAFKA_RESP_ERR__SSL, "something else", "the transport"),
    ])
    func authentication(response: ResponseCode, text: String, advice: String) {
        let diagnosis = ConnectionDiagnosis(response, text: text)
        #expect(diagnosis?.code == .authentication)
        #expect(diagnosis?.advice.contains(advice) == true, "\(String(describing: diagnosis))")
    }

    @Test(arguments: [
        (
            RD_KAFKA_RESP_ERR__SSL, "ssl3_get_record:wrong version number: connecting to a PLAINTEXT broker listener?",
            "TLS"
        ),
        (
            RD_KAFKA_RESP_ERR__SSL, "SSL handshake failed: SSL routines::unexpected eof while reading",
            "may not speak TLS"
        ),
        (
            RD_KAFKA_RESP_ERR__TRANSPORT, "Disconnected: connecting to a PLAINTEXT broker listener?",
            "may not speak TLS"
        ),
        (RD_KAFKA_RESP_ERR__TRANSPORT, "might be caused by incorrect security.protocol configuration", "TLS or SASL"),
        (RD_KAFKA_RESP_ERR__BAD_MSG, "Receive failed: Invalid response size 352518912 (0..1)", "TLS or SASL"),
    ])
    func anotherProtocol(response: ResponseCode, text: String, advice: String) {
        let diagnosis = ConnectionDiagnosis(response, text: text)
        #expect(diagnosis?.code == .brokerUnreachable)
        #expect(diagnosis?.advice.contains(advice) == true, "\(String(describing: diagnosis))")
    }

    @Test func otherErrorsSayNothing() {
        #expect(ConnectionDiagnosis(RD_KAFKA_RESP_ERR__TRANSPORT, text: "Connection refused") == nil)
        #expect(ConnectionDiagnosis(RD_KAFKA_RESP_ERR__RESOLVE, text: "security.protocol") == nil)
    }

    /// What looked like another protocol was a broker that went down.
    @Test func aGuessIsForgottenWhenNothingAnswersAnyMore() {
        let problem = ConnectionProblem(servers: "a:1")
        problem.record(RD_KAFKA_RESP_ERR__TRANSPORT, text: "verify that security.protocol is correctly configured")
        #expect(problem.suspicion?.code == .brokerUnreachable)
        problem.record(RD_KAFKA_RESP_ERR__TRANSPORT, text: "Connection refused")
        #expect(problem.suspicion == nil)
        problem.refuse()
        #expect(problem.refusal == nil)
        #expect(problem.detail == "last connection error: Connection refused")
    }

    /// A refusal ends all waiting, until a broker answers; what other servers of the list say does not hide it.
    @Test func aRefusalIsKeptUntilABrokerAnswers() async {
        let problem = ConnectionProblem(servers: "a:1,b:1")
        problem.record(RD_KAFKA_RESP_ERR__TRANSPORT, text: "Connection refused")
        #expect(problem.suspicion == nil)
        problem.refuse()
        #expect(problem.refusal == nil)
        #expect(problem.code == .brokerUnreachable)
        problem.record(RD_KAFKA_RESP_ERR__AUTHENTICATION, text: "wrong")
        problem.record(RD_KAFKA_RESP_ERR__TRANSPORT, text: "Connection refused")
        #expect(problem.code == .authentication)
        #expect(problem.detail?.contains("wrong; check the user") == true)
        let (early, gone) = (Completion(), Completion())
        problem.add(early)
        problem.add(gone)
        problem.remove(gone)
        problem.refuse()
        #expect(early.isComplete)
        #expect(!gone.isComplete)
        #expect(problem.refusal?.code == .authentication)
        problem.clear()
        #expect(problem.refusal == nil)
        // After the first contact, single connections may fail as they like.
        problem.record(RD_KAFKA_RESP_ERR__AUTHENTICATION, text: "wrong")
        #expect(problem.suspicion == nil)
        problem.refuse()
        #expect(problem.refusal == nil)
    }
}
