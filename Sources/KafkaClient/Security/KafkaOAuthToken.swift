/// A token of an authorization server, by which a client proves who it is.
public struct KafkaOAuthToken: Sendable {
    /// The token, mostly a JSON Web Token, as it is sent.
    public var value: String
    /// When it is no longer good.
    public var expiration: KafkaTimestamp
    /// Who the token is for; librdkafka names it in its log lines. Default: empty.
    public var principal: String
    /// What is sent beside the token, by names of letters (RFC 7628, section 3.1). Default: nothing.
    public var extensions: [String: String]

    /// Describes a token by the time of its end.
    public init(
        value: String,
        expiration: KafkaTimestamp,
        principal: String = "",
        extensions: [String: String] = [:]
    ) {
        self.value = value
        self.expiration = expiration
        self.principal = principal
        self.extensions = extensions
    }

    /// Describes a token that is good for some time from now, as authorization servers say it (`expires_in`).
    public init(
        value: String,
        lifetime: Duration,
        principal: String = "",
        extensions: [String: String] = [:]
    ) {
        self.init(
            value: value,
            expiration: KafkaTimestamp(millisecondsSince1970: WallClock.now + Int64(lifetime.milliseconds)),
            principal: principal,
            extensions: extensions
        )
    }
}

extension KafkaOAuthToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Whose token it is, without the token.
    public var description: String {
        let names = self.extensions.keys.sorted().joined(separator: ", ")
        return "token\(self.principal.isEmpty ? "" : " of \(self.principal)")\(names.isEmpty ? "" : " with \(names)")"
    }

    /// The same as the description.
    public var debugDescription: String { self.description }

    /// Shows nothing inside.
    public var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}

extension KafkaOAuthToken {
    /// What is wrong with it, without saying what it is; `nil` when nothing is.
    ///
    /// librdkafka checks the same, and repeats in its text what it refuses.
    func problem(now: Int64) -> String? {
        if self.value.isEmpty { return "the token is empty" }
        if self.expiration.millisecondsSince1970 <= now { return "the token has expired already" }
        // The time is counted in microseconds further down.
        if self.expiration.millisecondsSince1970 > Int64.max / 1000 { return "the token's end is out of range" }
        if !Self.isValue(self.value) { return "the token has characters that RFC 7628 does not allow" }
        if self.principal.utf8.contains(0) { return "the principal has a NUL character" }
        for (name, value) in self.extensions {
            let isName = !name.isEmpty && name.utf8.allSatisfy { ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A }
            if !isName || name == "auth" { return "an extension has a name that RFC 7628 does not allow" }
            if !Self.isValue(value) { return "the extension \(name) has characters that RFC 7628 does not allow" }
        }
        return nil
    }

    private static func isValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x20...0x7E).contains($0) || [0x09, 0x0A, 0x0D].contains($0) }
    }
}
