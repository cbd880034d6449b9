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
}
