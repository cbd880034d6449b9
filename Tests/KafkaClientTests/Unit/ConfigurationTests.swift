import Testing

@testable import KafkaClient

/// What is wrong with a configuration is said when the client is made: which property, and what to do.
@Suite struct ConfigurationTests {
    private func producerError(
        _ change: (inout KafkaProducer.Configuration) -> Void,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> KafkaError {
        var configuration = KafkaProducer.Configuration(bootstrapServers: ["127.0.0.1:1"])
        change(&configuration)
        let wrong = configuration
        let error = try #require(throws: KafkaError.self, sourceLocation: sourceLocation) {
            try KafkaProducer(configuration: wrong, logger: CapturedLog().makeLogger())
        }
        #expect(error.code == .configuration, sourceLocation: sourceLocation)
        #expect(error.operation == "make a producer", sourceLocation: sourceLocation)
        #expect(error.description.hasPrefix("make a producer: "), sourceLocation: sourceLocation)
        return error
    }

    private func consumerError(
        _ change: (inout KafkaConsumer.Configuration) -> Void,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> KafkaError {
        var configuration = KafkaConsumer.Configuration(bootstrapServers: ["127.0.0.1:1"], group: "g")
        change(&configuration)
        let wrong = configuration
        let error = try #require(throws: KafkaError.self, sourceLocation: sourceLocation) {
            try KafkaConsumer(configuration: wrong, logger: CapturedLog().makeLogger())
        }
        #expect(error.code == .configuration, sourceLocation: sourceLocation)
        #expect(error.operation == "make a consumer", sourceLocation: sourceLocation)
        return error
    }

    @Test func anUnknownPropertyIsNamed() throws {
        let error = try self.producerError { $0.additional["no.such.property"] = "1" }
        #expect(error.message.contains("\"no.such.property\" is unknown"))
    }

    @Test func aBadValueIsNamed() throws {
        let error = try self.producerError { $0.additional["retries"] = "many" }
        #expect(error.message.contains("\"retries\""))
        #expect(error.message.contains("\"many\""))
        let typed = try self.producerError { $0.maxMessageBytes = -1 }
        #expect(typed.message.contains("message.max.bytes"))
        #expect(typed.message.contains("-1"))
        let consumer = try self.consumerError { $0.heartbeatInterval = .seconds(-1) }
        #expect(consumer.message.contains("heartbeat.interval.ms"))
    }

    @Test(arguments: [
        ["security.protocol": "ssl", "ssl.key.pem": "hunter2"],
        ["sasl.passwort.password": "hunter2"],
        ["security.protocol": "sasl_plaintext", "sasl.mechanisms": "bad", "sasl.password": "hunter2"],
    ])
    func theValueOfASecretIsNotShown(properties: [String: String]) throws {
        let error = try self.producerError { $0.additional = properties }
        #expect(!error.description.contains("hunter2"))
        #expect(!"\(error)".contains("hunter2"))
    }

    @Test(arguments: ["delivery.report.only.error", "log.queue"])
    func propertiesOfTheEngineAreRefusedForProducers(name: String) throws {
        let error = try self.producerError { $0.additional[name] = "true" }
        #expect(error.message.contains("\"\(name)\" can't be set in `additional`: "))
    }

    @Test(arguments: [
        ("enable.auto.offset.store", "commitPolicy"), ("enable.auto.commit", "commitPolicy"), ("group.id", "group"),
        ("max.poll.interval.ms", "maxPollInterval"), ("enable.partition.eof", "reportsEndOfPartition"),
        ("log.queue", "logger"),
    ])
    func propertiesOfTheEngineAreRefusedForConsumers(name: String, instead: String) throws {
        let error = try self.consumerError { $0.additional[name] = "true" }
        #expect(error.message.contains("\"\(name)\" can't be set in `additional`: "))
        #expect(error.message.contains(instead))
    }

    @Test func additionalPropertiesWinOverOptions() throws {
        var configuration = KafkaProducer.Configuration(bootstrapServers: ["127.0.0.1:1"])
        configuration.additional = ["message.max.bytes": "-2"]
        let wrong = configuration
        let error = try #require(throws: KafkaError.self) {
            try KafkaProducer(configuration: wrong, logger: CapturedLog().makeLogger())
        }
        #expect(error.message.contains("-2"))
    }

    @Test func bootstrapServersAreChecked() throws {
        #expect(try self.producerError { $0.bootstrapServers = [] }.message.contains("no bootstrap servers"))
        #expect(try self.consumerError { $0.bootstrapServers = [] }.message.contains("no bootstrap servers"))
        #expect(try self.producerError { $0.bootstrapServers = ["ok:1", "bad:port"] }.message.contains("\"bad:port\""))
        #expect(try self.consumerError { $0.bootstrapServers = ["a:1,b:1"] }.message.contains("\"a:1,b:1\""))
    }

    @Test func idempotenceNeedsAllAcknowledgements() throws {
        for acknowledgements in [KafkaProducer.Acknowledgements.leader, .none] {
            let error = try self.producerError { $0.acknowledgements = acknowledgements }
            #expect(error.message.contains("idempotent"))
            #expect(error.message.contains(".all"))
        }
        let additional = try self.producerError { $0.additional["acks"] = "1" }
        #expect(additional.message.contains("acks"))
    }

    @Test func aDeliveryTimeoutOfNothingIsRefused() throws {
        // librdkafka would take 0 for "no limit".
        let error = try self.producerError { $0.deliveryTimeout = .zero }
        #expect(error.message.contains("deliveryTimeout") || error.message.contains("message.timeout.ms"))
        _ = try self.producerError { $0.deliveryTimeout = .milliseconds(-1.5) }
    }

    @Test func transactionsAreChecked() throws {
        #expect(try self.producerError { $0.transactionalID = "" }.message.contains("`transactionalID` is empty"))
        #expect(try self.producerError { $0.transactionalID = "a\0b" }.message.contains("zero byte"))
        let idempotence = try self.producerError { configuration in
            configuration.transactionalID = "id"
            configuration.isIdempotent = false
        }
        #expect(idempotence.message.contains("idempotent"))
        let short = try self.producerError { configuration in
            configuration.transactionalID = "id"
            configuration.transactionTimeout = .milliseconds(999)
        }
        #expect(short.message.contains("at least 1 s"))
        for (name, option) in [
            ("transactional.id", "transactionalID"), ("transaction.timeout.ms", "transactionTimeout"),
        ] {
            let error = try self.producerError { $0.additional[name] = "1000" }
            #expect(error.message.contains(name))
            #expect(error.message.contains(option))
        }
    }

    @Test func recordsOfTransactionsHaveNoMoreTimeThanThese() throws {
        var configuration = KafkaProducer.Configuration(bootstrapServers: ["127.0.0.1:1"])
        configuration.transactionTimeout = .seconds(30)
        func timeout() throws -> String? {
            try configuration.makeProperties().values.last { $0.name == "message.timeout.ms" }?.value
        }
        #expect(try timeout() == "120000")
        configuration.transactionalID = "id"
        #expect(try timeout() == "30000")
        configuration.deliveryTimeout = .seconds(10)
        #expect(try timeout() == "10000")
    }

    @Test func assignorsAreChecked() throws {
        let mixed = try self.consumerError { $0.assignors = [.cooperativeSticky, .range] }
        #expect(mixed.message.contains("cooperative"))
        let none = try self.consumerError { $0.assignors = [] }
        #expect(none.message.contains("assignors"))
    }

    @Test func limitsAreChecked() throws {
        #expect(try self.consumerError { $0.group = "" }.message.contains("group"))
        #expect(try self.consumerError { $0.maxBatchRecords = 0 }.message.contains("maxBatchRecords"))
        #expect(try self.consumerError { $0.maxBatchRecords = 1_000_001 }.message.contains("maxBatchRecords"))
        #expect(try self.consumerError { $0.maxPollInterval = .seconds(1) }.message.contains("maxPollInterval"))
        #expect(try self.producerError { $0.maxQueuedRecords = -1 }.message.contains("queue.buffering.max.messages"))
    }

    @Test func fractionsOfAMillisecondOfLingerCount() throws {
        var configuration = KafkaProducer.Configuration(bootstrapServers: ["127.0.0.1:1"])
        configuration.linger = .microseconds(200)
        let properties = try configuration.makeProperties().values
        let linger = properties.last { $0.name == "queue.buffering.max.ms" }
        #expect(linger.flatMap { Double($0.value) } == 0.2)
        configuration.linger = .microseconds(10)
        configuration.closeTimeout = .zero
        _ = try KafkaProducer(configuration: configuration, logger: CapturedLog().makeLogger())
    }

    @Test func theDefaultsAreGood() throws {
        let producer = KafkaProducer.Configuration(bootstrapServers: [
            "127.0.0.1:1", "[::1]:1", "PLAINTEXT://localhost:1",
        ])
        let properties = try producer.makeProperties().values.reduce(into: [:]) { $0[$1.name] = $1.value }
        #expect(properties["enable.idempotence"] == "true")
        #expect(properties["acks"] == "all")
        #expect(properties["bootstrap.servers"] == "127.0.0.1:1,[::1]:1,PLAINTEXT://localhost:1")
        let consumer = KafkaConsumer.Configuration(bootstrapServers: ["127.0.0.1:1"], group: "g")
        let consumerProperties = try consumer.makeProperties().values.reduce(into: [:]) { $0[$1.name] = $1.value }
        #expect(consumerProperties["enable.auto.offset.store"] == "false")
        #expect(consumerProperties["auto.offset.reset"] == "error", "the consumer applies the policy")
        #expect(consumerProperties["partition.assignment.strategy"] == "cooperative-sticky")
        #expect(consumerProperties["auto.commit.interval.ms"] == "5000")
    }

    @Test func withoutAGroupNothingIsCommitted() throws {
        let consumer = KafkaConsumer.Configuration(bootstrapServers: ["127.0.0.1:1"])
        let properties = try consumer.makeProperties().values.reduce(into: [:]) { $0[$1.name] = $1.value }
        #expect(properties["enable.auto.commit"] == "false")
    }
}
