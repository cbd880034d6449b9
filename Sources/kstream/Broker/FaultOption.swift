internal import ArgumentParser
internal import EmbeddedKafka

/// A fault as the command line writes it: `produce:error=7,topic=orders,times=3`.
struct FaultOption: ExpressibleByArgument, Hashable {
    let fault: EmbeddedKafkaFault

    init?(argument: String) {
        guard let fault = Self.parse(argument) else { return nil }
        self.fault = fault
    }

    private static func parse(_ text: String) -> EmbeddedKafkaFault? {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let words = parts[1].split(separator: ",", omittingEmptySubsequences: false).map(Pair.init)
        guard let effect = words.first.flatMap(Self.effect) else { return nil }
        let api: EmbeddedKafkaFault.API?
        if parts[0] == "any" {
            api = nil
        } else {
            guard let named = EmbeddedKafkaFault.API(named: String(parts[0])) else { return nil }
            api = named
        }
        var fault = EmbeddedKafkaFault(api, effect)
        for word in words.dropFirst() {
            guard let value = word.value, !value.isEmpty, Self.narrow(&fault, by: word.name, value) else { return nil }
        }
        return fault
    }

    private static func effect(_ word: Pair) -> EmbeddedKafkaFault.Effect? {
        switch (word.name, word.value) {
        case ("error", let value?): Int16(value).map { .error($0) }
        case ("delay", let value?): UInt32(value).map { .delay(.milliseconds($0)) }
        case ("drop-request", nil): .dropRequest
        case ("drop-response", nil): .dropResponse
        case ("disconnect-before", nil): .disconnectBefore
        case ("disconnect-after", nil): .disconnectAfter
        default: nil
        }
    }

    private static func narrow(_ fault: inout EmbeddedKafkaFault, by name: String, _ value: String) -> Bool {
        switch name {
        case "topic": fault.topic = value
        case "group": fault.group = value
        case "transactional-id": fault.transactionalID = value
        case "client-id": fault.clientID = value
        case "partition":
            guard let number = Int32(value), number >= 0 else { return false }
            fault.partition = number
        case "node":
            guard let number = Int32(value), number > 0 else { return false }
            fault.node = number
        case "skip":
            guard let number = Int(value), number >= 0 else { return false }
            fault.skipping = number
        case "times":
            guard value != "all" else {
                fault.times = nil
                return true
            }
            guard let number = Int(value), number > 0 else { return false }
            fault.times = number
        default: return false
        }
        return true
    }

    /// `name=value`, or a name alone.
    private struct Pair {
        let name: String
        let value: String?

        init(_ text: Substring) {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            self.name = String(parts[0])
            self.value = parts.count == 2 ? String(parts[1]) : nil
        }
    }
}
