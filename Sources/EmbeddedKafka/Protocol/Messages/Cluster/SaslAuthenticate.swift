internal import NIOCore

/// Takes a step of an authentication (API 36, KIP-152).
struct SaslAuthenticateRequest: Equatable {
    /// The mechanism's business.
    var authBytes: ByteBuffer
}

extension SaslAuthenticateRequest: RequestMessage {
    static let api = APIKey.saslAuthenticate

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.authBytes = try reader.bytes()
        try reader.tags()
    }
}

/// What came of a step of an authentication.
struct SaslAuthenticateResponse {
    var errorCode: ErrorCode
    var errorMessage: String?
    var authBytes = ByteBuffer()
    /// When the client must authenticate anew (KIP-368, version 1 and up), in milliseconds; 0: never.
    var sessionLifetimeMs: Int64 = 0
}

extension SaslAuthenticateResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.error(self.errorCode)
        writer.string(self.errorMessage)
        writer.bytes(self.authBytes)
        if version >= 1 { writer.int64(self.sessionLifetimeMs) }
        writer.tags()
    }
}
