import Foundation
import Testing

/// What a client promises while members die and brokers fail under load.
///
/// One after the other, since each takes all of a small machine. `make faults` runs them as long as their promises ask for.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct FaultTests {
    /// How long each keeps up its load. KSTREAM_FAULT_SECONDS says otherwise.
    static let duration: Duration = {
        let seconds = ProcessInfo.processInfo.environment["KSTREAM_FAULT_SECONDS"].flatMap(Int.init)
        return .seconds(max(1, seconds ?? 6))
    }()

    /// The load, in records per second.
    static let rate = 10_000

    /// Says what a run came to: a test that passes says nothing else, and counts are what shows that there was a fault.
    static func report(_ headline: String, _ counts: KeyValuePairs<String, Int>) {
        print("faults: \(headline): " + counts.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
    }
}
