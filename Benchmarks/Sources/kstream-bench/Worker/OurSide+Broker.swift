import EmbeddedKafka
import KafkaClient

extension OurSide {
    /// From nothing to the first record that an embedded broker in this process has acknowledged.
    func startBroker() async throws -> Measurement {
        let watch = Stopwatch()
        return try await withEmbeddedKafka { cluster in
            var settings = self.settings
            settings.bootstrapServers = cluster.bootstrapServers.joined(separator: ",")
            let configuration = settings.producer(linger: .zero)
            return try await withKafkaProducer(configuration, logger: Self.logger) { producer in
                _ = try await producer.send(self.record)
                return watch.measurement(records: 1)
            }
        }
    }

    /// From a cluster with topics, records and a connected client to one without.
    func resetBroker() async throws -> Measurement {
        try await withEmbeddedKafka { cluster in
            for number in 0..<20 { try await cluster.createTopic("used-\(number)", partitions: 3) }
            var settings = self.settings
            settings.bootstrapServers = cluster.bootstrapServers.joined(separator: ",")
            return try await withKafkaProducer(settings.producer(linger: .zero), logger: Self.logger) { producer in
                for number in 0..<20 {
                    var record = self.record
                    record.topic = "used-\(number)"
                    _ = try await producer.send(record)
                }
                let watch = Stopwatch()
                try await cluster.reset()
                return watch.measurement(records: 1)
            }
        }
    }
}
