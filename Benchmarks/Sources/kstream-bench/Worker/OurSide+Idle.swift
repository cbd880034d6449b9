import CMeasurement
import KafkaClient

extension OurSide {
    /// A producer that has sent one record and a consumer whose reader waits at the end of partition 0.
    func idle() async throws -> Measurement {
        let end = [KafkaTopicPartition(topic: self.round.topic, partition: 0): KafkaOffset.end]
        return try await withKafkaProducer(self.settings.producer(linger: .zero), logger: Self.logger) { producer in
            _ = try await producer.send(self.record)
            return try await withKafkaConsumer(self.settings.consumer(isIdle: true), assigned: end, logger: Self.logger)
            { consumer in
                await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        for try await _ in consumer.batches {}
                    }
                    let measurement = await self.rest()
                    group.cancelAll()
                    return measurement
                }
            }
        }
    }

    /// Comes to rest, then does nothing for the round's time. The wait blocks, so it happens on the main thread.
    @MainActor
    private func rest() -> Measurement {
        _ = measurement_wait_until_quiet(5)
        let stopwatch = Stopwatch()
        measurement_wait(self.round.seconds)
        return stopwatch.measurement(records: 0)
    }
}
