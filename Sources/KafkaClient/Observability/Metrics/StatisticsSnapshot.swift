/// What the metrics need of librdkafka's statistics (`STATISTICS.md` there describes the document).
///
/// Counts are since the client was made, or since librdkafka got to know the broker or partition.
struct StatisticsSnapshot: Sendable, Equatable {
    /// librdkafka's "no offset".
    static let noOffset: Int64 = -1001

    /// Records that wait in a producer, and their limit.
    var queuedRecords: Int64 = 0
    var maxQueuedRecords: Int64 = 0
    var queuedBytes: Int64 = 0
    var maxQueuedBytes: Int64 = 0
    var brokers: [Broker] = []
    var topics: [Topic] = []
    /// The membership of a consumer.
    var group: Group?

    struct Broker: Sendable, Equatable {
        var name = ""
        /// -1 for an address of which nobody knows yet which broker it is.
        var id: Int64 = -1
        /// Whether this is a connection for a purpose, such as the one to the group's coordinator.
        var isLogical = false
        var isUp = false
        var requestsWaiting: Int64 = 0
        var requestsInFlight: Int64 = 0
        var requests: Int64 = 0
        var sentBytes: Int64 = 0
        var errors: Int64 = 0
        var retries: Int64 = 0
        var timeouts: Int64 = 0
        var receivedBytes: Int64 = 0
        var connects: Int64 = 0
        var disconnects: Int64 = 0
        /// Microseconds.
        var roundTrip = Window()
        /// Milliseconds.
        var throttle = Window()
    }

    struct Topic: Sendable, Equatable {
        var name = ""
        var batchBytes = Window()
        var batchRecords = Window()
        var partitions: [Partition] = []
    }

    struct Partition: Sendable, Equatable {
        /// -1 for records whose partition is not chosen yet.
        var number: Int64 = -1
        var fetchedBytes: Int64 = 0
        var committedOffset = StatisticsSnapshot.noOffset
        var highWatermark = StatisticsSnapshot.noOffset
        /// Behind the last record of a transaction that has ended.
        var lastStableOffset = StatisticsSnapshot.noOffset
        var sentRecords: Int64 = 0
        var sentBytes: Int64 = 0
        var receivedRecords: Int64 = 0
        var receivedBytes: Int64 = 0
    }

    struct Group: Sendable, Equatable {
        var rebalances: Int64 = 0
        /// Milliseconds.
        var rebalanceAge: Int64 = 0
    }

    /// Values of the time since the last report.
    struct Window: Sendable, Equatable {
        var count: Int64 = 0
        var average: Int64 = 0
        var median: Int64 = 0
        var percentile99: Int64 = 0
    }
}

// MARK: - Reading

extension StatisticsSnapshot {
    /// Reads librdkafka's document.
    init(_ json: [UInt8]) throws(JSONReader.Failure) {
        var reader = JSONReader(json)
        try reader.object { (reader, name) throws(JSONReader.Failure) in
            switch name {
            case "msg_cnt": self.queuedRecords = try reader.integer()
            case "msg_max": self.maxQueuedRecords = try reader.integer()
            case "msg_size": self.queuedBytes = try reader.integer()
            case "msg_size_max": self.maxQueuedBytes = try reader.integer()
            case "brokers": self.brokers = try reader.all(Broker.init)
            case "topics": self.topics = try reader.all(Topic.init)
            case "cgrp": self.group = try Group(&reader)
            default: try reader.skip()
            }
        }
        try reader.end()
    }
}

extension JSONReader {
    /// The members of an object whose names do not matter.
    fileprivate mutating func all<Value>(
        _ make: (inout JSONReader) throws(Failure) -> Value
    ) throws(Failure) -> [Value] {
        var values: [Value] = []
        try self.object { (reader, _) throws(Failure) in values.append(try make(&reader)) }
        return values
    }
}

extension StatisticsSnapshot.Broker {
    fileprivate init(_ reader: inout JSONReader) throws(JSONReader.Failure) {
        try reader.object { (reader, name) throws(JSONReader.Failure) in
            switch name {
            case "name": self.name = try reader.string()
            case "nodeid": self.id = try reader.integer()
            case "source": self.isLogical = try reader.string() == "logical"
            case "state": self.isUp = try reader.string() == "UP"
            case "outbuf_cnt": self.requestsWaiting = try reader.integer()
            case "waitresp_cnt": self.requestsInFlight = try reader.integer()
            case "tx": self.requests = try reader.integer()
            case "txbytes": self.sentBytes = try reader.integer()
            case "txerrs": self.errors = try reader.integer()
            case "txretries": self.retries = try reader.integer()
            case "req_timeouts": self.timeouts = try reader.integer()
            case "rxbytes": self.receivedBytes = try reader.integer()
            case "connects": self.connects = try reader.integer()
            case "disconnects": self.disconnects = try reader.integer()
            case "rtt": self.roundTrip = try StatisticsSnapshot.Window(&reader)
            case "throttle": self.throttle = try StatisticsSnapshot.Window(&reader)
            default: try reader.skip()
            }
        }
    }
}

extension StatisticsSnapshot.Topic {
    fileprivate init(_ reader: inout JSONReader) throws(JSONReader.Failure) {
        try reader.object { (reader, name) throws(JSONReader.Failure) in
            switch name {
            case "topic": self.name = try reader.string()
            case "batchsize": self.batchBytes = try StatisticsSnapshot.Window(&reader)
            case "batchcnt": self.batchRecords = try StatisticsSnapshot.Window(&reader)
            case "partitions": self.partitions = try reader.all(StatisticsSnapshot.Partition.init)
            default: try reader.skip()
            }
        }
    }
}

extension StatisticsSnapshot.Partition {
    fileprivate init(_ reader: inout JSONReader) throws(JSONReader.Failure) {
        try reader.object { (reader, name) throws(JSONReader.Failure) in
            switch name {
            case "partition": self.number = try reader.integer()
            case "fetchq_size": self.fetchedBytes = try reader.integer()
            case "committed_offset": self.committedOffset = try reader.integer()
            case "hi_offset": self.highWatermark = try reader.integer()
            case "ls_offset": self.lastStableOffset = try reader.integer()
            case "txmsgs": self.sentRecords = try reader.integer()
            case "txbytes": self.sentBytes = try reader.integer()
            case "rxmsgs": self.receivedRecords = try reader.integer()
            case "rxbytes": self.receivedBytes = try reader.integer()
            default: try reader.skip()
            }
        }
    }
}

extension StatisticsSnapshot.Group {
    fileprivate init(_ reader: inout JSONReader) throws(JSONReader.Failure) {
        try reader.object { (reader, name) throws(JSONReader.Failure) in
            switch name {
            case "rebalance_cnt": self.rebalances = try reader.integer()
            case "rebalance_age": self.rebalanceAge = try reader.integer()
            default: try reader.skip()
            }
        }
    }
}

extension StatisticsSnapshot.Window {
    fileprivate init(_ reader: inout JSONReader) throws(JSONReader.Failure) {
        try reader.object { (reader, name) throws(JSONReader.Failure) in
            switch name {
            case "cnt": self.count = try reader.integer()
            case "avg": self.average = try reader.integer()
            case "p50": self.median = try reader.integer()
            case "p99": self.percentile99 = try reader.integer()
            default: try reader.skip()
            }
        }
    }
}
