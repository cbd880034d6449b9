/// Makes the ids of members like Apache Kafka's: the client id, or the instance id of a static member, and a UUID.
struct MemberIDs {
    private let uuid: () -> WireUUID

    init(uuid: @escaping () -> WireUUID) {
        self.uuid = uuid
    }

    func make(for request: GroupJoin) -> String {
        "\(request.instance ?? request.clientID)-\(Self.text(self.uuid()))"
    }

    /// The usual form of a UUID (RFC 9562): 8-4-4-4-12 hexadecimal digits.
    private static func text(_ uuid: WireUUID) -> String {
        let digits = Self.digits(uuid.high) + Self.digits(uuid.low)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index == 8 || index == 12 || index == 16 || index == 20 { text.append("-") }
            text.append(digit)
        }
        return text
    }

    private static func digits(_ half: UInt64) -> String {
        let digits = String(half, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
