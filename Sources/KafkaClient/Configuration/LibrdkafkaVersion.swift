internal import CLibrdkafka

/// The version of the librdkafka that is loaded at run time, which may be newer than the headers.
struct LibrdkafkaVersion: Comparable, CustomStringConvertible {
    let number: Int32

    init(_ major: Int32, _ minor: Int32) {
        self.number = major << 24 | minor << 16
    }

    private init(number: Int32) {
        self.number = number
    }

    static let loaded = LibrdkafkaVersion(number: rd_kafka_version())

    static func < (left: Self, right: Self) -> Bool {
        left.number < right.number
    }

    var description: String {
        "\(self.number >> 24 & 0xFF).\(self.number >> 16 & 0xFF).\(self.number >> 8 & 0xFF)"
    }
}
