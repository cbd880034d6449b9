internal import EventStreaming

extension OrderCommand {
    /// Reads a line of a JSON Lines file, strictly (``JSONReader``).
    ///
    /// The records of the topics are read by the command's `Codable` form, which says less of what is wrong: who wrote a file
    /// needs to know the field.
    /// - Throws: ``JSONFailure`` that names the field: `lines[2].quantity: expected a whole number`.
    init(json line: some Collection<UInt8>) throws(JSONFailure) {
        let command = try JSONObject(try JSONReader.value(of: line), path: "")
        let kind = try command.text("type")
        let number = try command.text("orderId")
        guard !number.isEmpty else { throw JSONFailure(reason: "orderId: it is empty") }
        let time = try command.text("placedAt")
        guard Self.hasTimesForm(time.utf8), let placedAt = UTCTime(rfc3339: time.utf8) else {
            throw JSONFailure(reason: "placedAt: expected a time such as 2010-12-01T08:26:00Z")
        }
        let invoice = Invoice(
            number: number,
            customerID: try command.optionalText("customerId"),
            country: try command.text("country"),
            placedAt: placedAt,
            lines: try command.objects("lines").map { line throws(JSONFailure) in try InvoiceLine(line) }
        )
        switch kind {
        case "PlaceOrder": self = .placeOrder(invoice)
        case "IssueCreditNote": self = .issueCreditNote(invoice)
        default: throw JSONFailure(reason: "type: expected PlaceOrder or IssueCreditNote")
        }
    }

    /// Whether a time is in UTC and to the millisecond at most, as the contract has it: RFC 3339 has more forms.
    private static func hasTimesForm(_ text: String.UTF8View) -> Bool {
        "2010-12-01T08:26:00Z".utf8.count <= text.count && text.count <= "2010-12-01T08:26:00.123Z".utf8.count
            && text.last == UInt8(ascii: "Z") && text.contains(UInt8(ascii: "T"))
    }
}

extension InvoiceLine {
    fileprivate init(_ line: JSONObject) throws(JSONFailure) {
        self.init(
            sku: try line.text("sku"),
            description: try line.optionalText("description") ?? "",
            quantity: try line.whole("quantity"),
            unitPrice: Money(thousandths: try line.whole("unitPrice"))
        )
    }
}

/// The members of an object, and where it stands.
private struct JSONObject {
    private let members: [(key: String, value: JSONValue)]
    private let path: String

    init(_ value: JSONValue, path: String) throws(JSONFailure) {
        guard case .object(let members) = value else {
            throw JSONFailure(reason: path.isEmpty ? "expected an object" : "\(path): expected an object")
        }
        self.members = members
        self.path = path
    }

    private func name(_ key: String) -> String { self.path.isEmpty ? key : "\(self.path).\(key)" }

    private func value(_ key: String) throws(JSONFailure) -> JSONValue {
        guard let member = self.members.first(where: { $0.key == key }) else {
            throw JSONFailure(reason: "\(self.name(key)) is missing")
        }
        return member.value
    }

    func text(_ key: String) throws(JSONFailure) -> String {
        guard case .string(let text) = try self.value(key) else {
            throw JSONFailure(reason: "\(self.name(key)): expected a string")
        }
        return text
    }

    func optionalText(_ key: String) throws(JSONFailure) -> String? {
        switch self.members.first(where: { $0.key == key })?.value {
        case nil, .null: return nil
        case .string(let text): return text
        default: throw JSONFailure(reason: "\(self.name(key)): expected a string or null")
        }
    }

    func whole(_ key: String) throws(JSONFailure) -> Int64 {
        guard case .number(let digits) = try self.value(key), digits.utf8.allSatisfy(Self.isOfWhole) else {
            throw JSONFailure(reason: "\(self.name(key)): expected a whole number")
        }
        guard let number = Int64(decimal: digits.utf8) else {
            throw JSONFailure(reason: "\(self.name(key)): \(digits.prefix(40)) is beyond 64 bits")
        }
        return number
    }

    func objects(_ key: String) throws(JSONFailure) -> [JSONObject] {
        guard case .array(let values) = try self.value(key) else {
            throw JSONFailure(reason: "\(self.name(key)): expected an array")
        }
        var objects: [JSONObject] = []
        for (index, value) in values.enumerated() {
            objects.append(try JSONObject(value, path: "\(self.name(key))[\(index)]"))
        }
        return objects
    }

    /// Digits and a sign: neither fraction nor exponent.
    private static func isOfWhole(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
