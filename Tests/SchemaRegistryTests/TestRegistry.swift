import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A schema registry for tests: subjects, versions, ids, compatibility, as Confluent's documentation of the REST API has it. What
/// is compatible a test decides. It counts requests, and fails on demand.
final class TestRegistry: Sendable {
    struct Request: Sendable {
        var method: String
        var path: String
        var authorization: String?
        var body: [String: any Sendable]
    }

    private struct Version: Sendable {
        var id: Int
        var text: String
        var type: String?
        var references: [[String: any Sendable]]
    }

    private struct State {
        var subjects: [String: [Version]] = [:]
        var nextID = 1
        var levels: [String: String] = [:]
        var requests: [String] = []
        /// Statuses that the next requests are answered with.
        var failures: [Int] = []
        var isCompatible = true
        var neededAuthorization: String?
        var answer: String?
    }

    private let state = Mutex(State())
    private let channel: any Channel
    let url: URL

    /// Starts a registry, and ends it after the body.
    static func with<R>(_ body: (TestRegistry) async throws -> R) async throws -> R {
        let registry = try await TestRegistry()
        do {
            let result = try await body(registry)
            try await registry.channel.close()
            return result
        } catch {
            try? await registry.channel.close()
            throw error
        }
    }

    private init() async throws {
        let box = HandlerBox()
        self.channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(RegistryHandler(box))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        guard let port = self.channel.localAddress?.port, let url = URL(string: "http://127.0.0.1:\(port)") else {
            throw CancellationError()
        }
        self.url = url
        box.answer.withLock { $0 = { [weak self] in self?.answer($0) ?? (500, "{}") } }
    }

    // MARK: What a test sees and says

    /// "GET /subjects" and so on, in order.
    var requests: [String] { self.state.withLock { $0.requests } }

    func fail(with statuses: [Int]) { self.state.withLock { $0.failures = statuses } }

    func refuseSchemas() { self.state.withLock { $0.isCompatible = false } }

    func need(authorization: String) { self.state.withLock { $0.neededAuthorization = authorization } }

    /// Whatever is asked is answered with this.
    func answer(with text: String) { self.state.withLock { $0.answer = text } }

    // MARK: What it answers

    private func answer(_ request: Request) -> (Int, String) {
        self.state.withLock { state in
            state.requests.append("\(request.method) \(request.path)")
            if !state.failures.isEmpty {
                let status = state.failures.removeFirst()
                if status != 0 { return Self.failure(status, status * 100 + 1, "on purpose") }
            }
            if let needed = state.neededAuthorization, request.authorization != needed {
                return Self.failure(401, 40101, "who are you?")
            }
            if let answer = state.answer { return (200, answer) }
            let path = request.path.split(separator: "?")[0].split(separator: "/").map {
                $0.removingPercentEncoding ?? String($0)
            }
            return Self.answer(&state, request, path)
        }
    }

    private static func answer(_ state: inout State, _ request: Request, _ path: [String]) -> (Int, String) {
        switch (request.method, path.first, path.count) {
        case ("GET", "subjects", 1):
            return (200, self.json(state.subjects.keys.sorted()))
        case ("GET", "schemas", 3):
            for version in state.subjects.values.joined() where "\(version.id)" == path[2] {
                return (200, self.json(self.members(of: version)))
            }
            return self.failure(404, 40403, "Schema \(path[2]) not found")
        case ("POST", "subjects", 3):
            return self.register(&state, request, path[1])
        case (_, "subjects", 2...):
            guard let versions = state.subjects[path[1]] else {
                return self.failure(404, 40401, "Subject '\(path[1])' not found.")
            }
            return self.answer(request, path, versions)
        case ("POST", "compatibility", 5):
            return (200, self.json(["is_compatible": state.isCompatible]))
        case ("GET", "config", _):
            return (
                200,
                self.json(["compatibilityLevel": state.levels[path.last ?? ""] ?? state.levels["config"] ?? "BACKWARD"])
            )
        case ("PUT", "config", _):
            let level = request.body["compatibility"] as? String ?? ""
            guard ["NONE", "BACKWARD", "FORWARD", "FULL"].contains(level) else {
                return self.failure(422, 42203, "Invalid compatibility level")
            }
            state.levels[path.last ?? ""] = level
            return (200, self.json(["compatibility": level]))
        default:
            return self.failure(404, 404, "HTTP 404 Not Found")
        }
    }

    private static func answer(_ request: Request, _ path: [String], _ versions: [Version]) -> (Int, String) {
        if request.method == "POST", path.count == 2 {
            guard let index = versions.firstIndex(where: { $0.text == request.body["schema"] as? String }) else {
                return self.failure(404, 40403, "Schema not found")
            }
            return (200, self.json(self.members(of: versions[index], path[1], index)))
        }
        guard request.method == "GET", path.count >= 3 else { return self.failure(405, 405, "HTTP 405") }
        if path.count == 3 { return (200, self.json(Array(1...versions.count))) }
        let number = path[3] == "latest" ? versions.count : Int(path[3]) ?? 0
        guard number >= 1 else { return self.failure(422, 42202, "The specified version is not valid") }
        guard number <= versions.count else { return self.failure(404, 40402, "Version \(number) not found.") }
        return (200, self.json(self.members(of: versions[number - 1], path[1], number - 1)))
    }

    private static func register(_ state: inout State, _ request: Request, _ subject: String) -> (Int, String) {
        guard let text = request.body["schema"] as? String, text != "no schema" else {
            return self.failure(422, 42201, "Invalid schema")
        }
        if let known = state.subjects[subject]?.first(where: { $0.text == text }) {
            return (200, self.json(["id": known.id]))
        }
        guard state.isCompatible else { return self.failure(409, 409, "Schema being registered is incompatible") }
        let version = Version(
            id: state.nextID,
            text: text,
            type: request.body["schemaType"] as? String,
            references: request.body["references"] as? [[String: any Sendable]] ?? []
        )
        state.nextID += 1
        state.subjects[subject, default: []].append(version)
        return (200, self.json(["id": version.id]))
    }

    private static func members(of version: Version, _ subject: String? = nil, _ index: Int = 0) -> [String: Any] {
        var members: [String: Any] = ["schema": version.text]
        if let type = version.type { members["schemaType"] = type }
        if !version.references.isEmpty { members["references"] = version.references }
        if let subject {
            members["subject"] = subject
            members["id"] = version.id
            members["version"] = index + 1
        }
        return members
    }

    private static func failure(_ status: Int, _ code: Int, _ message: String) -> (Int, String) {
        (status, self.json(["error_code": code, "message": message]))
    }

    private static func json(_ value: Any) -> String {
        String(decoding: (try? JSONSerialization.data(withJSONObject: value)) ?? Data(), as: UTF8.self)
    }
}

/// What answers, once there is a registry.
private final class HandlerBox: Sendable {
    let answer = Mutex<(@Sendable (TestRegistry.Request) -> (Int, String))?>(nil)
}

private final class RegistryHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let box: HandlerBox
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ box: HandlerBox) {
        self.box = box
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            self.body = []
        case .body(var buffer):
            self.body += buffer.readBytes(length: buffer.readableBytes) ?? []
        case .end:
            guard let head = self.head else { return }
            let members = (try? JSONSerialization.jsonObject(with: Data(self.body))) as? [String: any Sendable]
            let request = TestRegistry.Request(
                method: head.method.rawValue,
                path: head.uri,
                authorization: head.headers.first(name: "Authorization"),
                body: members ?? [:]
            )
            let (status, text) = self.box.answer.withLock { $0 }?(request) ?? (500, "{}")
            let headers: HTTPHeaders = [
                "Content-Length": "\(text.utf8.count)", "Content-Type": "application/vnd.schemaregistry.v1+json",
            ]
            let answer = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers)
            context.write(self.wrapOutboundOut(.head(answer)), promise: nil)
            context.write(self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
            context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}
