import CReference

/// A round in C, on the calling thread; Swift does nothing while the clock runs.
struct ReferenceSide {
    var settings: ClientSettings
    var round: Round

    func run() throws -> Measurement {
        switch self.round.work {
        case .consumeBatches: try self.consume()
        case .produce: try self.produce(batchSize: 1)
        case .produceBatches: try self.produce(batchSize: Round.batchSize)
        case .latency: try self.latency()
        case .transactions: try self.transactions()
        case .idle: try self.idle()
        default: throw self.failure
        }
    }

    private var failure: BenchFailure {
        BenchFailure(description: "the reference could not do a round of \(self.round.work)")
    }

    private func consume() throws -> Measurement {
        var result = reference_measurement()
        let status = reference_consume(
            self.settings.referenceConsumer(isIdle: false),
            self.round.topic,
            self.round.partitions,
            Int64(self.round.records),
            Int32(Round.valueSize),
            Int32(Round.batchSize),
            self.round.isFetchedFirst,
            self.round.countsAllocations,
            &result
        )
        return try self.measurement(result, status)
    }

    private func produce(batchSize: Int) throws -> Measurement {
        var result = reference_measurement()
        let status = reference_produce(
            self.settings.referenceProducer(linger: ClientSettings.linger),
            self.round.topic,
            Int64(self.round.records),
            Int32(Round.valueSize),
            Int32(batchSize),
            Int32(Round.window),
            &result
        )
        return try self.measurement(result, status)
    }

    private func latency() throws -> Measurement {
        var result = reference_measurement()
        var microseconds = [Double](repeating: 0, count: self.round.records)
        let status = reference_send_awaited(
            self.settings.referenceProducer(linger: .zero),
            self.round.topic,
            Int64(self.round.records),
            Int32(Round.valueSize),
            &microseconds,
            &result
        )
        var measurement = try self.measurement(result, status)
        measurement.setPercentiles(of: microseconds)
        return measurement
    }

    private func transactions() throws -> Measurement {
        var result = reference_measurement()
        let status = reference_transactions(
            self.settings.referenceProducer(linger: .zero, transactionalID: self.round.topic),
            self.round.topic,
            Int64(self.round.records / Round.transactionSize),
            Int32(Round.transactionSize),
            Int32(Round.valueSize),
            &result
        )
        return try self.measurement(result, status)
    }

    private func idle() throws -> Measurement {
        var result = reference_measurement()
        let status = reference_idle(
            self.settings.referenceProducer(linger: .zero),
            self.settings.referenceConsumer(isIdle: true),
            self.round.topic,
            self.round.seconds,
            &result
        )
        return try self.measurement(result, status)
    }

    private func measurement(_ result: reference_measurement, _ status: Int32) throws -> Measurement {
        guard status == 0 else { throw self.failure }
        var measurement = Measurement()
        measurement.seconds = result.seconds
        measurement.cpuSeconds = result.cpu_seconds
        measurement.records = Int(result.records)
        measurement.allocations = Int(result.allocations)
        measurement.shortBatches = Int(result.short_batches)
        measurement.checksum = result.checksum
        return measurement
    }
}
