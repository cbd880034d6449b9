extension EmbeddedKafkaCluster {
    /// What goes wrong on purpose.
    public var faults: Faults { Faults(cluster: self) }

    /// The faults of a cluster. Where several fit a request, the one that was added first happens.
    public struct Faults: Sendable {
        let cluster: EmbeddedKafkaCluster

        /// Adds a fault; it happens from now on.
        /// - Returns: The fault in this cluster, which counts how often it happened.
        public func add(_ fault: EmbeddedKafkaFault) async throws -> Handle {
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
        public func happened(times: Int = 1) async throws {
            let id = self.id
            let cluster = self.cluster
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                Task {
                    do {
                        try await cluster.onBroker { broker in
                            broker.observeFault(id, count: times) { continuation.resume() }
                        }
                    } catch {
                        continuation.resume(throwing: error)
                    }
                }
            }
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
    /// Calls back when a fault has happened so often, or is gone.
    func observeFault(_ id: UInt64, count: Int, _ resume: @escaping () -> Void) {
        self.faultObservers[id, default: []].append((count, resume))
        self.resumeFaultObservers()
    }

    func resumeFaultObservers() {
        for (id, observers) in self.faultObservers {
            let count = self.faults.count(of: id)
            let isKnown = self.faults.contains(id)
            let (due, rest) = (observers.filter { !isKnown || $0.count <= count }, observers.filter { isKnown && $0.count > count })
            self.faultObservers[id] = rest.isEmpty ? nil : rest
            for observer in due { observer.resume() }
        }
    }
}
