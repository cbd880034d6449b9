/// There is no authorizer here: questions about access control are answered as a broker answers that has none.
extension Broker {
    /// API 29.
    func describeACLs(_ request: DescribeACLsRequest, _ exchange: Exchange) {
        exchange.answer(request.failure(.securityDisabled))
    }

    /// API 30.
    func createACLs(_ request: CreateACLsRequest, _ exchange: Exchange) {
        exchange.answer(request.failure(.securityDisabled))
    }

    /// API 31.
    func deleteACLs(_ request: DeleteACLsRequest, _ exchange: Exchange) {
        exchange.answer(request.failure(.securityDisabled))
    }
}

extension DescribeACLsRequest: Refusable {
    var subject: FaultTable.Subject { FaultTable.Subject(api: Self.api) }

    func failure(_ code: ErrorCode) -> DescribeACLsResponse {
        DescribeACLsResponse(errorCode: code, errorMessage: code.securityMessage)
    }
}

extension CreateACLsRequest: Refusable {
    var subject: FaultTable.Subject { FaultTable.Subject(api: Self.api) }

    func failure(_ code: ErrorCode) -> CreateACLsResponse {
        CreateACLsResponse(
            results: self.creations.map { _ in .init(errorCode: code, errorMessage: code.securityMessage) }
        )
    }
}

extension DeleteACLsRequest: Refusable {
    var subject: FaultTable.Subject { FaultTable.Subject(api: Self.api) }

    func failure(_ code: ErrorCode) -> DeleteACLsResponse {
        DeleteACLsResponse(
            filterResults: self.filters.map { _ in .init(errorCode: code, errorMessage: code.securityMessage) }
        )
    }
}

extension ErrorCode {
    fileprivate var securityMessage: String? {
        self == .securityDisabled ? "No Authorizer is configured on the broker" : nil
    }
}
