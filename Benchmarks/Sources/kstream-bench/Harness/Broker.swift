import CReference
import Foundation

/// The broker of one benchmark, with its topics: a mock of its own, or topics of the given cluster.
final class Broker {
    /// A topic to be there when the benchmark starts.
    struct Topic {
        var name: String
        var partitions: Int32
    }

    /// `host:port`, several separated by commas.
    let bootstrapServers: String
    /// Of the mock.
    private let process: ChildProcess?
    private let topics: [Topic]

    /// Starts a mock broker, or creates the topics in a cluster.
    init(servers: String?, topics: [Topic]) throws {
        self.topics = topics
        if let servers {
            self.bootstrapServers = servers
            self.process = nil
            for (index, topic) in topics.enumerated() {
                guard reference_create_topic(self.properties, topic.name, topic.partitions) == 0 else {
                    self.delete(topics.prefix(index))
                    throw BenchFailure(description: "can't create topic \(topic.name) on \(servers)")
                }
            }
        } else {
            let process = try ChildProcess(["mock-broker"] + topics.map { "\($0.name):\($0.partitions)" })
            self.bootstrapServers = try process.readLine(seconds: 10)
            self.process = process
        }
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

    /// Ends the mock, or deletes the topics.
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
