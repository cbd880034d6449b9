// swift-tools-version: 6.2

import PackageDescription

/// The upcoming features that the root package compiles with, so that the calls measured here cost what users pay.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "kstream-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "kstream", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        // The plain transactions that event store and projections are measured against.
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // The root package's system library is no product of its own, so the reference has one to the same librdkafka.
        .systemLibrary(
            name: "CReferenceLibrdkafka",
            pkgConfig: "rdkafka",
            providers: [.apt(["librdkafka-dev"]), .brew(["librdkafka"])]
        ),
        .target(name: "CMeasurement"),
        .target(name: "CReference", dependencies: ["CMeasurement", "CReferenceLibrdkafka"]),
        .executableTarget(
            name: "kstream-bench",
            dependencies: [
                "CMeasurement",
                "CReference",
                .product(name: "KafkaClient", package: "kstream"),
                .product(name: "EmbeddedKafka", package: "kstream"),
                .product(name: "EventStreaming", package: "kstream"),
                .product(name: "EventSourcing", package: "kstream"),
                .product(name: "EventSourcingSQLite", package: "kstream"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)
