/// A service: what it reads, and what it answers.
///
/// Its state is its own and in memory. What it must know about an order to decide, the events carry; the state only
/// keeps it from answering twice. So a service that starts again without memory goes on rightly: at worst it repeats an
/// event, which changes no total.
protocol PipelineService {
    /// The last part of its consumer group's name.
    static var name: String { get }
    /// What it reads.
    static var topics: [PipelineTopic] { get }

    /// Takes one message and returns what it publishes on it, in order.
    mutating func handle(_ message: PipelineMessage, replay: String?) -> [PipelineMessage]
}

/// An order as a service knows it: the same number in another replay is another order.
struct OrderKey: Hashable, Sendable {
    var replay: String?
    var order: String
}
