internal import NIOCore

/// A request and the way to answer it, once: at once, later, or not at all.
final class Exchange {
    let connection: Connection
    /// Known once the bytes were read that far.
    var header = RequestHeader(apiKey: 0, apiVersion: 0, correlationID: 0, clientID: nil)
    /// Where the answer goes before it reaches the client, for faults that delay or swallow it.
    var interceptor: ((BufferPieces?, Exchange) -> Void)?
    private var isAnswered = false

    init(connection: Connection) {
        self.connection = connection
    }

    var version: Int16 { self.header.apiVersion }
    var clientID: String { self.header.clientID ?? "" }
    /// The node that was asked.
    var node: Int32 { self.connection.node }

    /// Answers the request.
    func answer(_ message: some ResponseMessage) {
        guard !self.isAnswered, let api = APIKey(rawValue: self.header.apiKey) else { return }
        var writer = WireWriter(isFlexible: api.isFlexible(self.version))
        writer.int32(0)
        ResponseHeader(correlationID: self.header.correlationID).write(to: &writer, api: api)
        message.write(to: &writer, version: self.version)
        guard let answer = writer.takeFrame() else { return self.connection.close() }
        self.deliver(answer)
    }

    /// Ends the request without an answer, as a Produce that asks for none.
    func answerNothing() {
        guard !self.isAnswered else { return }
        self.deliver(nil)
    }

    private func deliver(_ bytes: BufferPieces?) {
        self.isAnswered = true
        if let interceptor = self.interceptor {
            interceptor(bytes, self)
        } else {
            self.send(bytes)
        }
    }

    /// Sends the bytes of the answer; what an interceptor calls when it is done.
    func send(_ bytes: BufferPieces?) {
        self.connection.finish(self, response: bytes)
    }
}
