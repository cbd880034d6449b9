public import Foundation

extension SchemaRegistry {
    /// Who asks.
    public enum Credentials: Sendable {
        /// A name and a password (RFC 7617).
        case basic(user: String, password: String)
        /// A token (RFC 6750).
        case bearer(token: String)

        var header: String {
            switch self {
            case .basic(let user, let password): "Basic \(Data("\(user):\(password)".utf8).base64EncodedString())"
            case .bearer(let token): "Bearer \(token)"
            }
        }
    }

    /// Where registries are, and how they are asked.
    public struct Configuration: Sendable {
        /// The addresses of the registries, all of one cluster. When one does not answer, the next one is asked.
        public var urls: [URL]
        /// Who asks. Default: nobody in particular.
        public var credentials: Credentials?
        /// How long one answer may take. Default: 10 s.
        public var timeout = Duration.seconds(10)
        /// How often all registries are asked at most, when none answers or they have troubles of their own. Default: 4.
        public var attempts = 4
        /// The pause after the first time that all were asked in vain; it doubles each time. Default: 100 ms.
        public var firstDelay = Duration.milliseconds(100)
        /// How many bytes an answer may have. Default: 10 MB.
        public var maxResponseBytes = 10_000_000
        /// How many schemas are kept in memory at most. Default: 1,000.
        public var maxCachedSchemas = 1_000

        /// Makes a configuration with the defaults.
        public init(urls: [URL], credentials: Credentials? = nil) {
            self.urls = urls
            self.credentials = credentials
        }

        func check() throws(SchemaRegistryError) {
            func fail(_ message: String) -> SchemaRegistryError {
                SchemaRegistryError(.configuration, "configuration", message)
            }
            if self.urls.isEmpty { throw fail("`urls` is empty") }
            for url in self.urls where !["http", "https"].contains(url.scheme ?? "") || url.host() == nil {
                throw fail("`urls` has an address that is not http://host:port or https://host:port")
            }
            if self.attempts < 1 { throw fail("`attempts` is \(self.attempts): it must be at least 1") }
            if self.timeout <= .zero { throw fail("`timeout` is \(self.timeout): it must be above 0") }
            if self.maxCachedSchemas < 1 {
                throw fail("`maxCachedSchemas` is \(self.maxCachedSchemas): it must be at least 1")
            }
        }
    }
}
