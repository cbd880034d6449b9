internal import NIOCore

extension Broker {
    /// Takes a request: who may not ask is told so, what a fault spoils is spoilt, the rest is handled.
    ///
    /// - Throws: When the bytes are no request that we know; the connection is to be closed then, as Kafka does.
    func receive(_ frame: ByteBuffer, _ exchange: Exchange) throws(WireError) {
        if case .exchanging(let sasl, isBare: true) = exchange.connection.authentication {
            return self.bareToken(frame, sasl, exchange)
        }
        var reader = WireReader(frame, isFlexible: false)
        let header = try RequestHeader(from: &reader)
        exchange.header = header
        guard let api = APIKey(rawValue: header.apiKey) else {
            throw WireError("an API that is not offered, \(header.apiKey)")
        }
        self.requestCounts[api, default: 0] += 1
        guard api.advertised.contains(header.apiVersion) else { return try self.refuseVersion(of: api, exchange) }
        guard Self.isOpenToAll(api) || exchange.connection.authentication.isDone(at: self.now) else {
            throw WireError("a request before authentication, or after the end of what it was based on")
        }
        try self.dispatch(api, &reader, exchange)
        // What these do changes nothing that groups or transactions wait for.
        if api != .produce, api != .fetch, api != .metadata, api != .listOffsets { self.settle() }
    }

    private static func isOpenToAll(_ api: APIKey) -> Bool {
        switch api {
        case .apiVersions, .saslHandshake, .saslAuthenticate: true
        default: false
        }
    }

    /// A client that asks for versions in a version that we don't know learns from the oldest form which we do (KIP-511).
    private func refuseVersion(of api: APIKey, _ exchange: Exchange) throws(WireError) {
        guard api == .apiVersions else {
            throw WireError("\(api) in version \(exchange.version), which is not offered")
        }
        exchange.header.apiVersion = 0
        exchange.answer(
            ApiVersionsResponse(
                errorCode: .unsupportedVersion,
                apiKeys: [
                    .init(
                        apiKey: api.rawValue,
                        minVersion: api.advertised.lowerBound,
                        maxVersion: api.advertised.upperBound
                    )
                ]
            )
        )
    }

    private func dispatch(_ api: APIKey, _ reader: inout WireReader, _ exchange: Exchange) throws(WireError) {
        switch api {
        case .produce: try self.serve(&reader, exchange, self.produce)
        case .fetch: try self.serve(&reader, exchange, self.fetch)
        case .listOffsets: try self.serve(&reader, exchange, self.listOffsets)
        case .metadata: try self.serve(&reader, exchange, self.metadata)
        case .offsetCommit: try self.serve(&reader, exchange, self.offsetCommit)
        case .offsetFetch: try self.serve(&reader, exchange, self.offsetFetch)
        case .findCoordinator: try self.serve(&reader, exchange, self.findCoordinator)
        case .joinGroup: try self.serve(&reader, exchange, self.joinGroup)
        case .heartbeat: try self.serve(&reader, exchange, self.heartbeat)
        case .leaveGroup: try self.serve(&reader, exchange, self.leaveGroup)
        case .syncGroup: try self.serve(&reader, exchange, self.syncGroup)
        case .describeGroups: try self.serve(&reader, exchange, self.describeGroups)
        case .listGroups: try self.serve(&reader, exchange, self.listGroups)
        case .saslHandshake: try self.serve(&reader, exchange, self.saslHandshake)
        case .apiVersions:
            try self.serve(&reader, exchange) { (_: ApiVersionsRequest, exchange) in self.apiVersions(exchange) }
        case .createTopics: try self.serve(&reader, exchange, self.createTopics)
        case .deleteTopics: try self.serve(&reader, exchange, self.deleteTopics)
        case .deleteRecords: try self.serve(&reader, exchange, self.deleteRecords)
        case .initProducerID: try self.serve(&reader, exchange, self.initProducerID)
        case .offsetForLeaderEpoch: try self.serve(&reader, exchange, self.offsetForLeaderEpoch)
        case .addPartitionsToTransaction: try self.serve(&reader, exchange, self.addPartitionsToTransaction)
        case .addOffsetsToTransaction: try self.serve(&reader, exchange, self.addOffsetsToTransaction)
        case .endTransaction: try self.serve(&reader, exchange, self.endTransaction)
        case .transactionOffsetCommit: try self.serve(&reader, exchange, self.transactionOffsetCommit)
        case .describeACLs: try self.serve(&reader, exchange, self.describeACLs)
        case .createACLs: try self.serve(&reader, exchange, self.createACLs)
        case .deleteACLs: try self.serve(&reader, exchange, self.deleteACLs)
        case .describeConfigs: try self.serve(&reader, exchange, self.describeConfigs)
        case .alterConfigs: try self.serve(&reader, exchange, self.alterConfigs)
        case .describeLogDirectories: try self.serve(&reader, exchange, self.describeLogDirectories)
        case .saslAuthenticate: try self.serve(&reader, exchange, self.saslAuthenticate)
        case .createPartitions: try self.serve(&reader, exchange, self.createPartitions)
        case .deleteGroups: try self.serve(&reader, exchange, self.deleteGroups)
        case .incrementalAlterConfigs: try self.serve(&reader, exchange, self.incrementalAlterConfigs)
        case .offsetDelete: try self.serve(&reader, exchange, self.offsetDelete)
        case .describeCluster: try self.serve(&reader, exchange, self.describeCluster)
        case .describeProducers: try self.serve(&reader, exchange, self.describeProducers)
        case .describeTransactions: try self.serve(&reader, exchange, self.describeTransactions)
        case .listTransactions: try self.serve(&reader, exchange, self.listTransactions)
        }
    }

    /// Reads a body and handles it, unless a fault has other plans.
    private func serve<Request: RequestMessage & Refusable>(
        _ reader: inout WireReader,
        _ exchange: Exchange,
        _ handle: (Request, Exchange) -> Void
    ) throws(WireError) {
        var request = try Request(from: &reader, version: exchange.version)
        // Advertised for clients that look for them, and refused, like the record formats that come with them.
        guard Request.api.served.contains(exchange.version) else {
            return request.refuse(.unsupportedVersion, exchange)
        }
        guard !self.faults.isEmpty else { return handle(request, exchange) }
        request = request.explicit(in: self)
        var subject = request.subject
        subject.node = exchange.node
        subject.clientID = exchange.clientID
        guard let (effect, _) = self.faults.effect(on: subject) else { return handle(request, exchange) }
        switch effect {
        case .error(let code):
            // Clients read a refusal of their ApiVersions in the oldest form (KIP-511).
            if Request.api == .apiVersions { exchange.header.apiVersion = 0 }
            let code = ErrorCode(rawValue: code) ?? .unknownServerError
            if let request = request as? MetadataRequest {
                // Without nodes it would tell the client to forget the cluster.
                exchange.answer(self.metadata(of: request.failure(code).topics))
            } else {
                request.refuse(code, exchange)
            }
        case .dropRequest: break
        case .disconnectBefore: exchange.connection.close()
        case .dropResponse:
            exchange.interceptor = { _, _ in }
            handle(request, exchange)
        case .disconnectAfter:
            exchange.interceptor = { _, exchange in exchange.connection.close() }
            handle(request, exchange)
        case .delay(let duration):
            exchange.interceptor = { [eventLoop] bytes, exchange in
                _ = Timer(eventLoop, after: .milliseconds(duration.wholeMilliseconds)) { exchange.send(bytes) }
            }
            handle(request, exchange)
        }
        self.resumeFaultObservers()
    }
}

/// A request that can be refused as a whole, and that a fault can pick.
protocol Refusable {
    associatedtype Response: ResponseMessage

    /// The same request with everything that it is about named.
    func explicit(in broker: Broker) -> Self

    /// What the request is about.
    var subject: FaultTable.Subject { get }

    /// The answer that refuses everything in the request.
    func failure(_ code: ErrorCode) -> Response

    /// Tells the client. A requirement, since a Produce may have nobody that waits for an answer.
    func refuse(_ code: ErrorCode, _ exchange: Exchange)
}

extension Refusable {
    func explicit(in broker: Broker) -> Self { self }

    func refuse(_ code: ErrorCode, _ exchange: Exchange) {
        exchange.answer(self.failure(code))
    }
}
