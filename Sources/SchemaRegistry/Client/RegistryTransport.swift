internal import Foundation

#if canImport(FoundationNetworking)
internal import FoundationNetworking
#endif

/// Asks registries over HTTP, one after the other, until one answers.
struct RegistryTransport: Sendable {
    private struct Failure: Decodable {
        var error_code: Int?
        var message: String?
    }

    private static let mediaType = "application/vnd.schemaregistry.v1+json"

    private let configuration: SchemaRegistry.Configuration
    private let session: URLSession

    init(_ configuration: SchemaRegistry.Configuration) {
        self.configuration = configuration
        let session = URLSessionConfiguration.ephemeral
        session.urlCache = nil
        session.httpCookieStorage = nil
        self.session = URLSession(configuration: session)
    }

    /// Sends a request and decodes its answer.
    func send<Answer: Decodable>(
        _ method: String,
        _ path: [String],
        query: String? = nil,
        body: (any Encodable & Sendable)? = nil
    ) async throws -> Answer {
        let address = "/" + path.map(Self.escaped).joined(separator: "/") + (query.map { "?\($0)" } ?? "")
        let operation = "\(method) \(address)"
        let body = try body.map { try JSONEncoder().encode($0) }
        let data = try await self.data(method, address, body, operation)
        do {
            return try JSONDecoder().decode(Answer.self, from: data)
        } catch {
            throw SchemaRegistryError(.response, operation, "the answer is not that of a schema registry")
        }
    }

    private func data(_ method: String, _ address: String, _ body: Data?, _ operation: String) async throws -> Data {
        var last = SchemaRegistryError(.unreachable, operation, "no registry was asked")
        for attempt in 1...self.configuration.attempts {
            for url in self.configuration.urls {
                do {
                    return try await self.answer(from: url, method, address, body, operation)
                } catch let error as SchemaRegistryError where error.isRetriable {
                    last = error
                }
            }
            guard attempt < self.configuration.attempts else { break }
            try await Task.sleep(for: self.configuration.firstDelay * (1 << min(attempt - 1, 10)))
        }
        throw last
    }

    private func answer(
        from url: URL,
        _ method: String,
        _ address: String,
        _ body: Data?,
        _ operation: String
    ) async throws -> Data {
        var base = url.absoluteString
        while base.hasSuffix("/") { base.removeLast() }
        guard let url = URL(string: base + address) else {
            throw SchemaRegistryError(.configuration, operation, "the name can't be part of an address")
        }
        var request = URLRequest(url: url, timeoutInterval: self.configuration.timeout / .seconds(1))
        request.httpMethod = method
        request.httpBody = body
        request.setValue(Self.mediaType, forHTTPHeaderField: "Accept")
        if body != nil { request.setValue(Self.mediaType, forHTTPHeaderField: "Content-Type") }
        if let credentials = self.configuration.credentials {
            request.setValue(credentials.header, forHTTPHeaderField: "Authorization")
        }
        let (data, response): (Data, URLResponse)
        do {
            (data, response) = try await self.session.data(for: request)
        } catch {
            try Task.checkCancellation()
            let reason = (error as? URLError).map { "\($0.code.rawValue)" } ?? "\(type(of: error))"
            throw SchemaRegistryError(
                .unreachable,
                operation,
                "\(url.host() ?? "the registry") does not answer (\(reason))"
            )
        }
        guard let status = (response as? HTTPURLResponse)?.statusCode, data.count <= self.configuration.maxResponseBytes
        else {
            throw SchemaRegistryError(
                .response,
                operation,
                "the answer has more than \(self.configuration.maxResponseBytes) bytes"
            )
        }
        guard (200..<300).contains(status) else {
            let failure = try? JSONDecoder().decode(Failure.self, from: data)
            throw SchemaRegistryError(
                status: status,
                registryCode: failure?.error_code,
                operation: operation,
                message: failure?.message ?? "the registry answers with status \(status)"
            )
        }
        return data
    }

    /// A part of a path: a subject may have slashes in its name.
    private static func escaped(_ part: String) -> String {
        var text = ""
        for byte in part.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                text.append(Character(UnicodeScalar(byte)))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                text += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return text
    }
}
