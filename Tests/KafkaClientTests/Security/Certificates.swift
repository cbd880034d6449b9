import EmbeddedKafka
import Foundation
import Testing

@testable import KafkaClient

/// An authority with a certificate for `localhost` and one for a client, made for one test by the openssl command.
struct Certificates {
    static let keyPassword = "key-hunter2"

    static let canBeMade = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"].contains {
        FileManager.default.isExecutableFile(atPath: "\($0)/openssl")
    }

    let folder: String

    var authority: String { "\(self.folder)/authority.pem" }

    /// What the brokers show.
    func broker(asksForCertificates: Bool = false) -> EmbeddedKafkaSecurity.Certificate {
        EmbeddedKafkaSecurity.Certificate(
            chainFile: "\(self.folder)/broker.pem",
            keyFile: "\(self.folder)/broker.key",
            clientAuthoritiesFile: asksForCertificates ? self.authority : nil
        )
    }

    /// What a client shows, from files or as text. The key is encrypted.
    func identity(asText: Bool) throws -> KafkaTLS.Identity {
        KafkaTLS.Identity(
            certificate: try self.pem("client.pem", asText: asText),
            key: try self.pem("client.key", asText: asText),
            keyPassword: Self.keyPassword
        )
    }

    func pem(_ name: String, asText: Bool) throws -> KafkaTLS.PEM {
        let path = "\(self.folder)/\(name)"
        return asText ? .text(try String(contentsOfFile: path, encoding: .utf8)) : .file(path)
    }
}

func withCertificates(_ body: (Certificates) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kstream-\(UUID())").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "1"]
    let signed = ["-CA", "\(folder)/authority.pem", "-CAkey", "\(folder)/authority.key"]
    try await openSSL(
        key + ["-nodes", "-subj", "/CN=An authority"]
            + ["-keyout", "\(folder)/authority.key", "-out", "\(folder)/authority.pem"]
    )
    try await openSSL(
        key + signed + ["-nodes", "-subj", "/CN=broker", "-addext", "subjectAltName=DNS:localhost"]
            + ["-keyout", "\(folder)/broker.key", "-out", "\(folder)/broker.pem"]
    )
    try await openSSL(
        key + signed + ["-passout", "pass:\(Certificates.keyPassword)", "-subj", "/CN=client"]
            + ["-keyout", "\(folder)/client.key", "-out", "\(folder)/client.pem"]
    )
    try await body(Certificates(folder: folder))
}

private func openSSL(_ arguments: [String]) async throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["openssl", "req", "-x509"] + arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let status = try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Int32, any Error>) in
        process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
        do {
            try process.run()
        } catch {
            process.terminationHandler = nil
            continuation.resume(throwing: error)
        }
    }
    try #require(status == 0, "openssl \(arguments.joined(separator: " "))")
}
