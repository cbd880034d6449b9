/// Which topics a processor reads, and where their messages go for another attempt.
struct RetryRoutes: Sendable {
    struct Route: Sendable {
        let input: ProcessorInput
        /// The delay after which a message of the topic is due; `nil` for the input itself.
        let delay: Duration?
        /// Where it goes next; `nil` when that is to the dead letters.
        let next: (topic: String, delay: Duration)?
        /// How often it is handled there.
        let retry: RetryPolicy
    }

    private var routes: [String: Route] = [:]
    /// The topics of each delay.
    private(set) var tiers: [(delay: Duration, topics: [String])] = []

    init(_ configuration: ProcessorConfiguration, inputs: [ProcessorInput]) {
        let topics = configuration.retryTopics
        let delays = topics?.delays ?? []
        func next(_ input: ProcessorInput, _ index: Int) -> (topic: String, delay: Duration)? {
            guard let topics, delays.indices.contains(index) else { return nil }
            return (topics.topic(input.topic, delays[index]), delays[index])
        }
        for input in inputs {
            self.routes[input.topic] = Route(
                input: input,
                delay: nil,
                next: next(input, 0),
                retry: configuration.retry
            )
        }
        for (index, delay) in delays.enumerated() {
            var names: [String] = []
            for input in inputs {
                guard let (topic, _) = next(input, index), let retry = topics?.retry else { continue }
                self.routes[topic] = Route(input: input, delay: delay, next: next(input, index + 1), retry: retry)
                names.append(topic)
            }
            self.tiers.append((delay, names))
        }
    }

    subscript(topic: String) -> Route? { self.routes[topic] }

    /// All topics, retry topics included.
    var topics: [String] { self.routes.keys.sorted() }
}
