public import EventStreaming

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

extension Serde where Value: Codable {
    /// JSON whose ``Personal`` fields are encrypted with the key of a subject.
    ///
    /// A record that was written stays as it is. When the subject is forgotten, its personal fields read as ``Personal/redacted``, in
    /// replays and rebuilds as well, and all others as before. What was copied out of them stays: into the rows of read models, which
    /// are built anew then, and into the memory of what runs.
    ///
    /// - Parameters:
    ///   - keys: the keys of the subjects.
    ///   - redactsForgotten: what becomes of a value of a subject that was forgotten and whose personal fields are known: whether
    ///     they are written as redacted, as is right for snapshots of states, or writing throws ``SubjectForgotten``, as is right for
    ///     events. Default: it throws.
    ///   - subject: whom the personal fields of a value are about.
    public static func json(
        shredding keys: any SubjectKeyStore,
        redactsForgotten: Bool = false,
        subject: @escaping @Sendable (Value) -> String
    ) -> Self {
        let decoder = JSONDecoder()
        decoder.userInfo[.shredding] = ShreddingContext(keys: keys, subject: nil)
        return .bytes(contentType: "application/json") { value in
            // Its own, since it knows the subject.
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            encoder.userInfo[.shredding] = ShreddingContext(
                keys: keys,
                subject: subject(value),
                redactsForgotten: redactsForgotten
            )
            return Array(try encoder.encode(value))
        } decode: { bytes in
            try decoder.decode(Value.self, from: Data(bytes))
        }
    }
}
