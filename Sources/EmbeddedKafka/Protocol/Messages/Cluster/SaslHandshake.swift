/// Agrees on a mechanism before authentication (API 17, KIP-43).
///
/// After version 0 the client speaks the mechanism without Kafka's headers, after version 1 in ``SaslAuthenticateRequest``
/// (KIP-152).
struct SaslHandshakeRequest: Equatable {
    var mechanism: String
}

extension SaslHandshakeRequest: RequestMessage {
    static let api = APIKey.saslHandshake

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.mechanism = try reader.string()
        try reader.tags()
    }
}

/// The mechanisms that there are.
struct SaslHandshakeResponse {
    var errorCode: ErrorCode
    var mechanisms: [String]
}

extension SaslHandshakeResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.error(self.errorCode)
        writer.strings(self.mechanisms)
        writer.tags()
    }
}
