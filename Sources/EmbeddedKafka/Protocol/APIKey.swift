/// The APIs of the Kafka protocol that this broker answers, with the versions that it offers (protocol guide, "Api Keys").
///
/// The ranges serve librdkafka 2.0.2 to 2.16, the Java clients 3 and 4, kafka-python, aiokafka and franz-go; newer versions
/// of an API are left out where no client needs them.
enum APIKey: Int16, Sendable, CaseIterable {
    case produce = 0
    case fetch = 1
    case listOffsets = 2
    case metadata = 3
    case offsetCommit = 8
    case offsetFetch = 9
    case findCoordinator = 10
    case joinGroup = 11
    case heartbeat = 12
    case leaveGroup = 13
    case syncGroup = 14
    case describeGroups = 15
    case listGroups = 16
    case saslHandshake = 17
    case apiVersions = 18
    case createTopics = 19
    case deleteTopics = 20
    case deleteRecords = 21
    case initProducerID = 22
    case offsetForLeaderEpoch = 23
    case addPartitionsToTransaction = 24
    case addOffsetsToTransaction = 25
    case endTransaction = 26
    case transactionOffsetCommit = 28
    case describeACLs = 29
    case createACLs = 30
    case deleteACLs = 31
    case describeConfigs = 32
    case alterConfigs = 33
    case describeLogDirectories = 35
    case saslAuthenticate = 36
    case createPartitions = 37
    case deleteGroups = 42
    case incrementalAlterConfigs = 44
    case offsetDelete = 47
    case describeCluster = 60
    case describeProducers = 61
    case describeTransactions = 65
    case listTransactions = 66

    /// The versions that are advertised. Some are advertised lower than they are served, since clients look for the low
    /// ones to learn what a broker can do: librdkafka before 2.11.1 stops compressing without Produce 0.
    var advertised: ClosedRange<Int16> {
        switch self {
        case .produce: 0...8
        // librdkafka 2.6.0 asks in version 12 whatever is offered, when topics have no ids.
        case .fetch: 4...12
        case .listOffsets: 1...7
        case .metadata: 0...8
        case .offsetCommit: 1...7
        case .offsetFetch: 1...7
        case .findCoordinator: 0...2
        case .joinGroup: 0...5
        case .heartbeat: 0...3
        case .leaveGroup: 0...3
        case .syncGroup: 0...3
        case .describeGroups: 0...4
        case .listGroups: 0...4
        case .saslHandshake: 0...1
        case .apiVersions: 0...3
        case .createTopics: 0...4
        case .deleteTopics: 0...3
        case .deleteRecords: 0...1
        case .initProducerID: 0...4
        case .offsetForLeaderEpoch: 2...3
        case .addPartitionsToTransaction: 0...2
        case .addOffsetsToTransaction: 0...2
        case .endTransaction: 0...2
        case .transactionOffsetCommit: 0...3
        case .describeACLs: 0...1
        case .createACLs: 0...1
        case .deleteACLs: 0...1
        case .describeConfigs: 0...3
        case .alterConfigs: 0...1
        case .describeLogDirectories: 0...1
        case .saslAuthenticate: 0...1
        case .createPartitions: 0...1
        case .deleteGroups: 0...1
        case .incrementalAlterConfigs: 0...0
        case .offsetDelete: 0...0
        case .describeCluster: 0...1
        case .describeProducers: 0...0
        case .describeTransactions: 0...0
        case .listTransactions: 0...0
        }
    }

    /// The versions that are answered with more than a refusal; the others of ``advertised`` get ``ErrorCode/unsupportedVersion``.
    var served: ClosedRange<Int16> {
        switch self {
        case .produce: 3...8
        case .offsetCommit: 2...7
        default: self.advertised
        }
    }

    /// The first version with compact lengths and tagged fields (KIP-482), or `nil` where none that we serve has them.
    var firstFlexibleVersion: Int16? {
        switch self {
        case .fetch: 12
        case .listOffsets: 6
        case .offsetFetch: 6
        case .listGroups: 3
        case .apiVersions: 3
        case .initProducerID: 2
        case .transactionOffsetCommit: 3
        case .describeCluster, .describeProducers, .describeTransactions, .listTransactions: 0
        default: nil
        }
    }

    /// Whether a version of this API has compact lengths and tagged fields.
    func isFlexible(_ version: Int16) -> Bool {
        self.firstFlexibleVersion.map { version >= $0 } ?? false
    }
}
