/// A producer's id with its epoch: of two producers with one id, the one with the lower epoch is fenced.
struct ProducerIdentity: Hashable, Sendable {
    var id: Int64
    var epoch: Int16

    /// No epoch above this one is given to a producer, so that the coordinator can still fence it.
    static let lastEpoch = Int16.max - 1

    /// Whether the next producer needs another id.
    var isExhausted: Bool { self.epoch >= Self.lastEpoch }

    /// The epoch that fences this one.
    var fencing: ProducerIdentity {
        ProducerIdentity(id: self.id, epoch: self.epoch == .max ? .max : self.epoch + 1)
    }
}
