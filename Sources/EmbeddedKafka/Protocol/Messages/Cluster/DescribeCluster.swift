/// Asks which nodes there are (API 60, KIP-700).
struct DescribeClusterRequest: Equatable {
    var includeClusterAuthorizedOperations: Bool
    /// 1: brokers; 2: controllers (KIP-919, version 1 and up). Version 0 means brokers.
    var endpointType: Int8 = 1
}

extension DescribeClusterRequest: RequestMessage {
    static let api = APIKey.describeCluster

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.includeClusterAuthorizedOperations = try reader.bool()
        if version >= 1 { self.endpointType = try reader.int8() }
        try reader.tags()
    }
}

/// Which nodes there are.
struct DescribeClusterResponse {
    struct Broker {
        var brokerID: Int32
        var host: String
        var port: Int32
        var rack: String?
    }

    var errorCode = ErrorCode.none
    var errorMessage: String?
    /// 1: brokers; 2: controllers.
    var endpointType: Int8 = 1
    var clusterID: String
    var controllerID: Int32 = -1
    var brokers: [Broker] = []
    /// A bit for each operation (KIP-430); `Int32.min`: not asked for.
    var clusterAuthorizedOperations = Int32.min
}

extension DescribeClusterResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttleTime()
        writer.error(self.errorCode)
        writer.string(self.errorMessage)
        if version >= 1 { writer.int8(self.endpointType) }
        writer.string(self.clusterID)
        writer.int32(self.controllerID)
        writer.elements(self.brokers, version: version)
        writer.int32(self.clusterAuthorizedOperations)
        writer.tags()
    }
}

extension DescribeClusterResponse.Broker: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.int32(self.brokerID)
        writer.string(self.host)
        writer.int32(self.port)
        writer.string(self.rack)
        writer.tags()
    }
}
