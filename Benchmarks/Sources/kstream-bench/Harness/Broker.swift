import CReference
import Foundation

/// The broker of one benchmark, with its topics: one of its own, or topics of the given cluster.
final class Broker {
    /// A topic to be there when the benchmark starts.
    struct Topic {
        var name: String
        var partitions: Int32
    }

    /// What a benchmark runs on.
    enum Kind {
        /// librdkafka's mock, in a process of its own.
        case mock
        /// The embedded broker, in a process of its own.
        case embedded(nodes: Int)
        /// A cluster that is there already.
        case cluster(String)

        /// What a reader of the figures needs to know of it.
        var note: String {
            switch self {
            case .mock:
                "librdkafka's mock broker in a process of its own, which serves wake-ups badly: a fetch that finds "
                    + "nothing waits its whole fetch.wait.max.ms, and a fetch brings one message set of each partition"
            case .embedded:
                "the embedded broker in a process of its own"
            case .cluster(let servers):
                "the cluster \(servers)"
            }
        }
    }

    /// `host:port`, several separated by commas.
    let bootstrapServers: String
    /// Of a broker of its own.
    private let process: ChildProcess?
    private let topics: [Topic]

    /// Starts a broker, or creates the topics in a cluster.
    init(_ kind: Kind, topics: [Topic]) throws {
        self.topics = topics
        let names = topics.map { "\($0.name):\($0.partitions)" }
        let arguments: [String]
        switch kind {
        case .mock: arguments = ["mock-broker"] + names
        case .embedded(let nodes): arguments = ["embedded-broker", "--nodes", "\(nodes)"] + names
        case .cluster(let servers):
            self.bootstrapServers = servers
            self.process = nil
            for (index, topic) in topics.enumerated() {
                guard reference_create_topic(self.properties, topic.name, topic.partitions) == 0 else {
                    self.delete(topics.prefix(index))
                    throw BenchFailure(description: "can't create topic \(topic.name) on \(servers)")
                }
            }
            return
        }
        let process = try ChildProcess(arguments)
        self.bootstrapServers = try process.readLine(seconds: 10)
        self.process = process
    }

    /// Seconds of processor time that an embedded broker has used so far.
    func processorTime() throws -> Double {
        guard let process else { throw BenchFailure(description: "a cluster can't be asked for its processor time") }
        try process.write("cpu")
        guard let seconds = Double(try process.readLine(seconds: 10)) else {
            throw BenchFailure(description: "the broker did not say how much processor time it has used")
        }
        return seconds
    }

    private var properties: String { "bootstrap.servers=\(self.bootstrapServers)" }

    /// Fills a topic for consumers.
    func fill(_ topic: Topic, recordsPerPartition: Int) throws {
        // Message sets of a usual size: a fetch brings one or more of each partition.
        let properties = """
            \(self.properties)
            linger.ms=50
            batch.num.messages=\(Round.batchSize)
            """
        let status = reference_fill(
            properties,
            topic.name,
            topic.partitions,
            Int64(recordsPerPartition),
            Int32(Round.valueSize)
        )
        guard status == 0 else { throw BenchFailure(description: "can't fill topic \(topic.name)") }
    }

    /// Ends the broker, or deletes the topics.
    func stop() {
        if let process {
            process.stop()
        } else {
            self.delete(self.topics[...])
        }
    }

    private func delete(_ topics: ArraySlice<Topic>) {
        for topic in topics where reference_delete_topic(self.properties, topic.name) != 0 {
            progress("topic \(topic.name) was left behind")
        }
    }
}
