internal import NIOCore

extension Broker {
    /// Agrees on a mechanism (API 17, KIP-43).
    func saslHandshake(_ request: SaslHandshakeRequest, _ exchange: Exchange) {
        let mechanisms = self.security.mechanisms.map(\.rawValue)
        guard exchange.connection.authentication.canBegin else {
            return exchange.answer(SaslHandshakeResponse(errorCode: .illegalSASLState, mechanisms: mechanisms))
        }
        guard let mechanism = SASLMechanism(rawValue: request.mechanism), self.security.mechanisms.contains(mechanism)
        else {
            return exchange.answer(SaslHandshakeResponse(errorCode: .unsupportedSASLMechanism, mechanisms: mechanisms))
        }
        exchange.connection.authentication = .exchanging(
            mechanism.makeExchange(now: self.now),
            isBare: exchange.version == 0
        )
        exchange.answer(SaslHandshakeResponse(errorCode: .none, mechanisms: mechanisms))
    }

    /// Takes a step of the authentication (API 36, KIP-152).
    func saslAuthenticate(_ request: SaslAuthenticateRequest, _ exchange: Exchange) {
        guard case .exchanging(let sasl, isBare: false) = exchange.connection.authentication else {
            return exchange.answer(
                SaslAuthenticateResponse(
                    errorCode: .illegalSASLState,
                    errorMessage: "A handshake comes first.",
                    authBytes: ByteBuffer()
                )
            )
        }
        switch sasl.receive(Array(request.authBytes.readableBytesView), security: self.security) {
        case .goOn(let bytes):
            exchange.answer(
                SaslAuthenticateResponse(errorCode: .none, errorMessage: nil, authBytes: ByteBuffer(bytes: bytes))
            )
        case .succeeded(let user, let bytes, let expiration):
            exchange.connection.authentication = .done(user: user, expiration: expiration)
            exchange.answer(
                SaslAuthenticateResponse(
                    errorCode: .none,
                    errorMessage: nil,
                    authBytes: ByteBuffer(bytes: bytes),
                    sessionLifetimeMs: expiration.map { max(1, $0 &- self.now) } ?? 0
                )
            )
        case .failed(let reason):
            exchange.connection.authentication = .needed
            exchange.answer(
                SaslAuthenticateResponse(
                    errorCode: .saslAuthenticationFailed,
                    errorMessage: reason,
                    authBytes: ByteBuffer()
                )
            )
            exchange.connection.close()
        }
    }

    /// Takes a token that comes without a request around it. There is no room for a reason here: who is refused finds the
    /// connection closed.
    func bareToken(_ token: ByteBuffer, _ sasl: any SASLExchange, _ exchange: Exchange) {
        switch sasl.receive(Array(token.readableBytesView), security: self.security) {
        case .goOn(let bytes): exchange.send(BufferPieces(Self.frame(bytes)))
        case .succeeded(let user, let bytes, let expiration):
            exchange.connection.authentication = .done(user: user, expiration: expiration)
            exchange.send(BufferPieces(Self.frame(bytes)))
        case .failed: exchange.connection.close()
        }
    }

    private static func frame(_ bytes: [UInt8]) -> ByteBuffer {
        var frame = ByteBuffer(integer: Int32(clamping: bytes.count))
        frame.writeBytes(bytes)
        return frame
    }
}
