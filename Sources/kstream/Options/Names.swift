internal import ArgumentParser

/// The name of a topic, checked by Kafka's rule before anything is asked of a broker.
struct TopicName: ExpressibleByArgument {
    let value: String

    init?(argument: String) {
        let isLegal = argument.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
            default: false
            }
        }
        guard isLegal, (1...249).contains(argument.utf8.count), argument != ".", argument != ".." else { return nil }
        self.value = argument
    }
}

/// The name of a consumer group: any text but the empty one.
struct GroupName: ExpressibleByArgument {
    let value: String

    init?(argument: String) {
        guard !argument.isEmpty, !argument.utf8.contains(0) else { return nil }
        self.value = argument
    }
}
