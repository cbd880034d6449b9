internal import ArgumentParser
internal import CommandLineSupport
internal import KafkaClient

extension [Int32] {
    /// - Throws: A usage error when one of them can't be the number of a partition.
    func checkNumbers() throws {
        for partition in self where partition < 0 {
            throw ValidationError("--partition must be 0 or above, not \(partition): partitions are numbered from 0.")
        }
    }

    /// These partitions of a topic, or of them the ones that were chosen where any were.
    /// - Throws: A failure that lists the partitions that there are when one that was chosen is not among them.
    func chosen(_ choice: [Int32], of topic: String) throws -> [KafkaTopicPartition] {
        for partition in choice where !self.contains(partition) {
            throw CommandFailure(
                "\(topic) has no partition \(partition): it has \(self.count), numbered from \(self.min() ?? 0) "
                    + "to \(self.max() ?? 0)."
            )
        }
        let numbers = choice.isEmpty ? self : Set(choice).sorted()
        return numbers.map { KafkaTopicPartition(topic: topic, partition: $0) }
    }
}
