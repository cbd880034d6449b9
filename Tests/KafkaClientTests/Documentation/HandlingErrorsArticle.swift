import KafkaClient
import Logging

// The code of the article "Handling errors", which `ArticleTests` compares with the article. It is compiled, not run.

private func sending(
    _ producer: KafkaProducer,
    _ record: KafkaProducerRecord,
    _ waiting: inout [KafkaProducerRecord]
) async throws {
    do {
        _ = try await producer.send(record)
    } catch let error as KafkaError where error.isRetriable {
        waiting.append(record)
    } catch let error as KafkaError where error.isFatal {
        await producer.close()
        throw error
    }
}

private func skipping(_ producer: KafkaProducer, _ record: KafkaProducerRecord) async throws {
    do {
        _ = try await producer.send(record)
    } catch let error as KafkaError where error.code == .messageTooLarge {
        print("skipped: \(error)")
    }
}

private func connections(_ configuration: inout KafkaConsumer.Configuration, _ logger: Logger) {
    configuration.onConnectionChange = { change in
        switch change {
        case .lost(let reason): logger.warning("no broker answers: \(reason)")
        case .restored: logger.notice("a broker answers again")
        }
    }
}
