internal import Logging
internal import NIOCore

/// What happens to logs by themselves: retention and compaction.
extension Broker {
    /// How often logs are looked at, in milliseconds of the cluster's clock. Apache Kafka looks every five minutes for old
    /// segments and every 15 s for what to compact; a test wants to see it.
    static let maintenanceInterval: Int64 = 5_000

    /// Looks at the logs when it is time, and at the next call again. Asked for whenever records come, so that a cluster
    /// that nobody writes to does nothing at all; what is old by then goes with the next look.
    func scheduleMaintenance() {
        guard self.maintenanceTimer == nil, case .system = self.options.clock.source else { return }
        self.maintenanceTimer = Timer(self.eventLoop, after: .milliseconds(Self.maintenanceInterval)) {
            self.maintenanceTimer = nil
            self.maintain()
        }
    }

    /// Applies retention and compaction to all logs.
    func maintain() {
        let now = self.now
        var needsMore = false
        for topic in self.topics.topics.values {
            for partition in topic.partitions {
                do {
                    try partition.log.enforceRetention(now: now)
                    if partition.log.configuration.cleanupPolicy.contains(.compact) {
                        try partition.log.compact(now: now)
                        needsMore = true
                    }
                } catch {
                    self.logger.error(
                        "a log can't be tidied",
                        metadata: ["partition": "\(partition.id)", "reason": "\(error)"]
                    )
                }
                needsMore = needsMore || partition.log.size > 0
            }
        }
        if needsMore { self.scheduleMaintenance() }
    }
}
