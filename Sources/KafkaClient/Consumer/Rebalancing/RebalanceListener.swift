/// Who hands out records beside the reader of `records` and `batches`, and must know what the group gives and takes.
///
/// All of it is called on the client's event queue, in order; so it must return soon.
protocol RebalanceListener: AnyObject, Sendable {
    /// Partitions were given, and are about to be fetched.
    func assigned(_ partitions: Set<KafkaTopicPartition>)
    /// Partitions are to be given up. Nothing of them may be begun any more; the revocation goes on when every
    /// ``ConsumerState/Hold`` of them is released, or at its deadline.
    func revoking(_ partitions: Set<KafkaTopicPartition>)
    /// Partitions were given up: nothing of them is committed any more.
    func gaveUp(_ partitions: Set<KafkaTopicPartition>)
}
