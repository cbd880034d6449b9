#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

extension Serde where Value: Codable {
    /// JSON by `Codable`: keys as they are declared, dates as RFC 3339 in UTC, no slashes escaped.
    ///
    /// Members of an object are in the order of their names, so that equal values have equal bytes.
    public static func json() -> Self {
        // Both may be used by several threads at once, and making one costs more than using it.
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(try date.utcTime(at: container.codingPath))
        }
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let container = try decoder.singleValueContainer()
            let time = try container.decode(UTCTime.self)
            return Date(timeIntervalSince1970: Double(time.millisecondsSince1970) / 1000)
        }
        return .bytes(contentType: "application/json") { value in
            Array(try encoder.encode(value))
        } decode: { bytes in
            try decoder.decode(Value.self, from: Data(bytes))
        }
    }
}

extension Date {
    /// The moment to the millisecond.
    fileprivate func utcTime(at path: [any CodingKey]) throws -> UTCTime {
        let milliseconds = (self.timeIntervalSince1970 * 1000).rounded()
        guard let milliseconds = Int64(exactly: milliseconds),
            let time = UTCTime(millisecondsSince1970: milliseconds)
        else {
            throw EncodingError.invalidValue(
                self,
                .init(codingPath: path, debugDescription: "the date is not between the years 1 and 9999")
            )
        }
        return time
    }
}
