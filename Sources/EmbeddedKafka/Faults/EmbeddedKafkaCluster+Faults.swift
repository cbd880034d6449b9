extension EmbeddedKafkaCluster {
    /// What goes wrong on purpose.
    public var faults: Faults { Faults(cluster: self) }

    /// The faults of a cluster. Where several fit a request, the one that was added first happens.
    public struct Faults: Sendable {
        let cluster: EmbeddedKafkaCluster

        /// Adds a fault; it happens from now on.
        /// - Returns: The fault in this cluster, which counts how often it happened.
        /// - Throws: ``EmbeddedKafkaError`` for an error that Kafka doesn't have.
        public func add(_ fault: EmbeddedKafkaFault) async throws -> Handle {
            if case .error(let code) = fault.effect, ErrorCode(rawValue: code) == nil {
                throw EmbeddedKafkaError(.invalidConfiguration, "\(code) is no error code of the Kafka protocol")
            }
            let id = try await self.cluster.onBroker { $0.faults.add(fault) }
            return Handle(cluster: self.cluster, id: id)
        }

        /// Removes all faults.
        public func removeAll() async throws {
            try await self.cluster.onBroker { broker in
                broker.faults.removeAll()
                broker.resumeFaultObservers()
            }
        }
    }

    /// A fault of a running cluster.
    public struct Handle: Sendable {
        let cluster: EmbeddedKafkaCluster
        let id: UInt64

        /// How many requests it happened to.
        public var count: Int {
            get async throws {
                let id = self.id
                return try await self.cluster.onBroker { $0.faults.count(of: id) }
            }
        }

        /// Returns when it has happened to so many requests, or is removed.
        /// - Throws: `CancellationError`, and ``EmbeddedKafkaError`` when the cluster ends.
        public func happened(times: Int = 1) async throws {
            let id = self.id
            let observer = FaultObserver(count: times)
            try await self.cluster.onBroker { $0.observeFault(id, observer) }
            try await observer.wait()
        }

        /// Removes it.
        public func remove() async throws {
            let id = self.id
            try await self.cluster.onBroker { broker in
                broker.faults.remove(id)
                broker.resumeFaultObservers()
            }
        }
    }
}

extension Broker {
    /// Tells the observer when a fault has happened so often, or is gone.
    func observeFault(_ id: UInt64, _ observer: FaultObserver) {
        self.faultObservers[id, default: []].append(observer)
        self.resumeFaultObservers()
    }

    func resumeFaultObservers() {
        for (id, observers) in self.faultObservers {
            let count = self.faults.count(of: id)
            let isKnown = self.faults.contains(id)
            let rest = observers.filter { isKnown && $0.count > count }
            self.faultObservers[id] = rest.isEmpty ? nil : rest
            for observer in observers where !isKnown || observer.count <= count { observer.end(.success(())) }
        }
    }

    /// No fault will happen any more.
    func endFaultObservers() {
        let observers = self.faultObservers.values.flatMap { $0 }
        self.faultObservers = [:]
        for observer in observers {
            observer.end(.failure(EmbeddedKafkaError(.notRunning, "the cluster has ended")))
        }
    }
}
