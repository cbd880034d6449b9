package import KafkaClient

/// What makes a record the reply to a request: `kstream-request-id` and `kstream-requester` of the request, and, where its
/// handler threw, `kstream-reply-error` and `kstream-reply-error-type`.
package struct ReplyHeaders {
    /// Why there is no value.
    struct Rejection {
        var message: String
        var type: String
    }

    var id: String
    var requester: String
    var rejection: Rejection?

    private static let error = "kstream-reply-error"
    private static let errorType = "kstream-reply-error-type"

    /// A reply to a request.
    package init(to request: RequestHeaders, rejection: (any Error)? = nil) {
        self.id = request.id
        self.requester = request.requester
        self.rejection = rejection.map { error in
            Rejection(message: "\(error)".shortened(), type: "\(Swift.type(of: error))")
        }
    }

    /// Reads the headers of a record; `nil` when it is no reply.
    init?(headers: [KafkaHeader]) {
        let values = Self.texts(of: headers)
        guard let id = values[RequestHeaders.Name.id], let requester = values[RequestHeaders.Name.requester] else {
            return nil
        }
        self.id = id
        self.requester = requester
        self.rejection = values[Self.error].map { Rejection(message: $0, type: values[Self.errorType] ?? "Error") }
    }

    package var headers: [KafkaHeader] {
        var headers = [
            KafkaHeader(key: RequestHeaders.Name.id, value: self.id),
            KafkaHeader(key: RequestHeaders.Name.requester, value: self.requester),
        ]
        if let rejection {
            headers.append(KafkaHeader(key: Self.error, value: rejection.message))
            headers.append(KafkaHeader(key: Self.errorType, value: rejection.type))
        }
        return headers
    }

    /// The headers of ours that are UTF-8, the first of each name.
    static func texts(of headers: [KafkaHeader]) -> [String: String] {
        var texts: [String: String] = [:]
        for header in headers where header.key.hasPrefix("kstream-") && texts[header.key] == nil {
            texts[header.key] = header.value.flatMap { String(validating: $0, as: UTF8.self) }
        }
        return texts
    }
}
