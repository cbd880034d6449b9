// swift-tools-version: 6.2

import PackageDescription

/// The upcoming features that every target of the package compiles with (see CONTRIBUTING.md).
var settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]
// `make build` and CI: a warning in our own targets is an error. Not by default, since a newer compiler may warn more.
if Context.environment["KSTREAM_STRICT"] == "1" {
    settings.append(.treatAllWarnings(as: .error))
}

let package = Package(
    name: "kstream",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "KafkaClient", targets: ["KafkaClient"]),
        .library(name: "KafkaClientServiceLifecycle", targets: ["KafkaClientServiceLifecycle"]),
        .library(name: "EmbeddedKafka", targets: ["EmbeddedKafka"]),
        .library(name: "EventStreaming", targets: ["EventStreaming"]),
        .library(name: "EventStreamingProtobuf", targets: ["EventStreamingProtobuf"]),
        .library(name: "SchemaRegistry", targets: ["SchemaRegistry"]),
        .library(name: "EventSourcing", targets: ["EventSourcing"]),
        .library(name: "EventSourcingSQLite", targets: ["EventSourcingSQLite"]),
        .library(name: "EventSourcingTesting", targets: ["EventSourcingTesting"]),
        .library(name: "CryptoShredding", targets: ["CryptoShredding"]),
        .library(name: "OrderPipeline", targets: ["OrderPipeline"]),
        .library(name: "SchemaCompatibility", targets: ["SchemaCompatibility"]),
        .executable(name: "kstream", targets: ["kstream"]),
        .executable(name: "order-pipeline", targets: ["order-pipeline"]),
        .executable(name: "schema-compatibility", targets: ["schema-compatibility"]),
    ],
    dependencies: [
        // The logging API of server-side Swift: librdkafka's log lines and our own go where the application sends its logs.
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        // The metrics API: librdkafka's statistics as gauges and counters, for whatever backend the application has.
        .package(url: "https://github.com/apple/swift-metrics", from: "2.5.0"),
        // The tracing API: spans of sends, receives and transactions, and their context in record headers.
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.2.0"),
        // Clients as services of a service group, in a target of its own.
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
        // Messages in Protocol Buffers, in a target of their own; without the traits that add other products.
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.30.0", traits: []),
        // SQLite in WAL mode with a pool of readers: the storage of events, read models and processes, in a target of its own.
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        // The embedded broker's sockets and byte buffers.
        .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
        // TLS for the embedded broker.
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.30.0"),
        // The hash functions of SCRAM, for the embedded broker; the encryption of personal data.
        .package(url: "https://github.com/apple/swift-crypto", "3.12.0"..<"5.0.0"),
        // Parsing, help and completion of the two commands.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        // Running xz and gzip without blocking a thread, to read compressed order files.
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0"),
        // File descriptors with typed errors, beside swift-subprocess, which depends on it as well.
        .package(url: "https://github.com/apple/swift-system", from: "1.5.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CLibrdkafka",
            pkgConfig: "rdkafka",
            providers: [.apt(["librdkafka-dev"]), .brew(["librdkafka"])]
        ),
        .target(
            name: "KafkaClient",
            dependencies: [
                "CLibrdkafka",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "KafkaClientServiceLifecycle",
            dependencies: [
                "KafkaClient",
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "EmbeddedKafka",
            dependencies: [
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EmbeddedKafkaTests",
            dependencies: [
                "EmbeddedKafka",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "CommandLineSupport",
            dependencies: [
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "CommandLineSupportTests",
            dependencies: [
                "CommandLineSupport",
                "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Subprocess", package: "swift-subprocess"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "EventStreaming",
            dependencies: [
                "KafkaClient",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: settings
        ),
        // A process that the tests of request and reply kill.
        .executableTarget(
            name: "responder-process",
            dependencies: [
                "EventStreaming",
                "CommandLineSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/ResponderProcess",
            swiftSettings: settings
        ),
        .testTarget(
            name: "EventStreamingTests",
            dependencies: [
                "EventStreaming",
                "responder-process",
                "KafkaClient",
                "EmbeddedKafka",
                "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "EventStreamingProtobuf",
            dependencies: [
                "EventStreaming",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EventStreamingProtobufTests",
            dependencies: [
                "EventStreamingProtobuf",
                "EventStreaming",
                "TestSupport",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: settings
        ),
        .target(name: "SchemaRegistry", dependencies: ["EventStreaming"], swiftSettings: settings),
        .testTarget(
            name: "SchemaRegistryTests",
            dependencies: [
                "SchemaRegistry",
                "EventStreaming",
                "KafkaClient",
                "EmbeddedKafka",
                "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "EventSourcing",
            dependencies: [
                "EventStreaming",
                "KafkaClient",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "CryptoShredding",
            dependencies: [
                "EventStreaming",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "EventSourcingSQLite",
            dependencies: [
                "EventSourcing",
                "EventStreaming",
                "CryptoShredding",
                "KafkaClient",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        // Given, when, then: for the tests of whoever uses the libraries.
        .target(
            name: "EventSourcingTesting",
            dependencies: [
                "EventSourcing",
                "EventSourcingSQLite",
                "EventStreaming",
                "KafkaClient",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EventSourcingTests",
            dependencies: [
                "EventSourcing",
                "EventSourcingSQLite",
                "EventSourcingTesting",
                "CryptoShredding",
                "EventStreaming",
                "KafkaClient",
                "EmbeddedKafka",
                "TestSupport",
                "TestAccounts",
                "event-sourcing-process",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        // The accounts of the tests of event sourcing, and of the processes that they kill.
        .target(
            name: "TestAccounts",
            dependencies: [
                "EventSourcing",
                "EventSourcingSQLite",
                "EventStreaming",
                "KafkaClient",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            path: "Tests/TestAccounts",
            swiftSettings: settings
        ),
        // Projections, relays and processes that the tests kill.
        .executableTarget(
            name: "event-sourcing-process",
            dependencies: [
                "TestAccounts",
                "EventSourcing",
                "EventSourcingSQLite",
                "EventStreaming",
                "KafkaClient",
                "CommandLineSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/EventSourcingProcess",
            swiftSettings: settings
        ),
        .target(
            name: "OrderPipeline",
            dependencies: [
                "KafkaClient",
                "EventStreaming",
                "CommandLineSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .target(name: "SchemaCompatibility", swiftSettings: settings),
        .testTarget(
            name: "SchemaCompatibilityTests",
            dependencies: ["SchemaCompatibility"],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "schema-compatibility",
            dependencies: [
                "SchemaCompatibility",
                "CommandLineSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "kstream",
            dependencies: [
                "KafkaClient",
                "EmbeddedKafka",
                "CommandLineSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "order-pipeline",
            dependencies: [
                "OrderPipeline",
                "EventStreaming",
                "EmbeddedKafka",
                "CommandLineSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            // The excerpt and its scripts are read from where they are, by name.
            exclude: ["Resources"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "OrderPipelineTests",
            dependencies: [
                "OrderPipeline",
                "order-pipeline",
                "kstream",
                "EventSourcing",
                "EventSourcingSQLite",
                "EventStreaming",
                "KafkaClient",
                "EmbeddedKafka",
                "CommandLineSupport",
                "TestSupport",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "kstreamTests",
            dependencies: [
                "kstream",
                "KafkaClient",
                "EmbeddedKafka",
                "CommandLineSupport",
                "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings
        ),
        // What the tests of several targets need.
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: settings),
        // A process that the client's tests kill.
        .executableTarget(
            name: "group-member",
            dependencies: [
                "KafkaClient",
                "CommandLineSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/GroupMember",
            swiftSettings: settings
        ),
        .testTarget(
            name: "KafkaClientTests",
            dependencies: [
                "KafkaClient",
                "KafkaClientServiceLifecycle",
                "EmbeddedKafka",
                "TestSupport",
                "group-member",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "KafkaClient",
                "EmbeddedKafka",
                "OrderPipeline",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)

// `make tsan` runs the client's tests alone under the thread sanitizer, with what that needs to understand librdkafka.
if Context.environment["KSTREAM_TSAN"] == "1" {
    let support = Target.target(
        name: "ThreadSanitizerSupport",
        path: "Tests/ThreadSanitizerSupport"
    )
    let needed = [
        "CLibrdkafka", "KafkaClient", "KafkaClientServiceLifecycle", "EmbeddedKafka", "CommandLineSupport",
        "TestSupport", "group-member", "KafkaClientTests",
    ]
    package.products = []
    package.targets = package.targets.filter { needed.contains($0.name) } + [support]
    for target in package.targets where [.test, .executable].contains(target.type) {
        target.dependencies.append("ThreadSanitizerSupport")
    }
}
