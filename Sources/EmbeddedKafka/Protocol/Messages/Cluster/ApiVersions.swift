/// Asks which APIs there are, in which versions (API 18, KIP-35).
struct ApiVersionsRequest: Equatable {
    /// Who asks, since version 3 (KIP-511); empty before.
    var clientSoftwareName = ""
    var clientSoftwareVersion = ""
}

extension ApiVersionsRequest: RequestMessage {
    static let api = APIKey.apiVersions

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        if version >= 3 {
            self.clientSoftwareName = try reader.string()
            self.clientSoftwareVersion = try reader.string()
        }
        try reader.tags()
    }
}

/// Which APIs there are, in which versions. No features (KIP-584) are named.
///
/// To a version that we do not know it is written in version 0, with ``ErrorCode/unsupportedVersion`` (KIP-511).
struct ApiVersionsResponse {
    struct ApiVersion {
        var apiKey: Int16
        var minVersion: Int16
        var maxVersion: Int16
    }

    var errorCode = ErrorCode.none
    var apiKeys: [ApiVersion]
}

extension ApiVersionsResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.error(self.errorCode)
        writer.elements(self.apiKeys, version: version)
        if version >= 1 { writer.throttleTime() }
        writer.tags()
    }
}

extension ApiVersionsResponse.ApiVersion: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.int16(self.apiKey)
        writer.int16(self.minVersion)
        writer.int16(self.maxVersion)
        writer.tags()
    }
}
