extension Broker {
    /// The kinds of things that have settings, with their numbers on the wire.
    private enum ResourceType {
        static let topic: Int8 = 2
        static let broker: Int8 = 4
    }

    /// Where a value comes from, with its number on the wire (KIP-226).
    private enum Source {
        static let topic: Int8 = 1
        static let staticBroker: Int8 = 4
        static let defaultValue: Int8 = 5
    }

    /// Reads settings (API 32).
    func describeConfigs(_ request: DescribeConfigsRequest, _ exchange: Exchange) {
        var seen: Set<String> = []
        let resources = request.resources.filter { seen.insert("\($0.resourceType) \($0.resourceName)").inserted }
        let results = resources.map { asked -> DescribeConfigsResponse.Result in
            var result = DescribeConfigsResponse.Result(
                errorCode: .none,
                errorMessage: nil,
                resourceType: asked.resourceType,
                resourceName: asked.resourceName
            )
            switch asked.resourceType {
            case ResourceType.topic:
                guard let topic = self.topics.topics[asked.resourceName] else {
                    result.errorCode = .unknownTopicOrPartition
                    result.errorMessage = "There is no topic '\(asked.resourceName)'."
                    return result
                }
                result.configs = self.settings(of: topic, names: asked.configurationKeys)
            case ResourceType.broker:
                guard asked.resourceName.isEmpty || Int32(asked.resourceName).map({ self.nodes[$0] != nil }) == true
                else {
                    result.errorCode = .invalidRequest
                    result.errorMessage = "There is no node '\(asked.resourceName)'."
                    return result
                }
                result.configs = self.brokerSettings(names: asked.configurationKeys)
            default:
                result.errorCode = .invalidRequest
                result.errorMessage = "Only topics and brokers have settings here."
            }
            return result
        }
        exchange.answer(DescribeConfigsResponse(results: results))
    }

    private func settings(of topic: Topic, names: [String]?) -> [DescribeConfigsResponse.Config] {
        TopicSetting.all.values.sorted { $0.name < $1.name }
            .filter { names?.contains($0.name) ?? true }
            .map { setting in
                let own = topic.settings[setting.name]
                let standard = self.topics.defaultValue(of: setting)
                var synonyms: [DescribeConfigsResponse.Synonym] = []
                if let own { synonyms.append(.init(name: setting.name, value: own, source: Source.topic)) }
                synonyms.append(.init(name: setting.name, value: standard, source: Source.defaultValue))
                return DescribeConfigsResponse.Config(
                    name: setting.name,
                    value: own ?? standard,
                    isReadOnly: false,
                    isDefault: own == nil,
                    configSource: own == nil ? Source.defaultValue : Source.topic,
                    synonyms: synonyms,
                    configType: setting.kind.rawValue
                )
            }
    }

    private func brokerSettings(names: [String]?) -> [DescribeConfigsResponse.Config] {
        let settings: [(String, String, TopicSetting.Kind)] = [
            ("auto.create.topics.enable", "\(self.options.createsTopicsAutomatically)", .bool),
            ("group.initial.rebalance.delay.ms", "\(self.options.initialRebalanceDelay.wholeMilliseconds)", .int),
            ("num.partitions", "\(self.options.defaultPartitions)", .int),
            ("socket.request.max.bytes", "\(self.options.maxRequestBytes)", .int),
            ("transaction.max.timeout.ms", "\(self.options.maxTransactionTimeout.wholeMilliseconds)", .int),
        ]
        return settings.filter { names?.contains($0.0) ?? true }.map { name, value, kind in
            DescribeConfigsResponse.Config(
                name: name,
                value: value,
                isReadOnly: true,
                isDefault: false,
                configSource: Source.staticBroker,
                synonyms: [.init(name: name, value: value, source: Source.staticBroker)],
                configType: kind.rawValue
            )
        }
    }

    /// Replaces all settings of topics (API 33).
    func alterConfigs(_ request: AlterConfigsRequest, _ exchange: Exchange) {
        let responses = request.resources.map { asked in
            self.alter(asked.resourceType, asked.resourceName, isTrial: request.validateOnly) { _ in
                try Self.settings(asked.configs.map { ($0.name, $0.value) })
            }
        }
        exchange.answer(AlterConfigsResponse(responses: responses))
    }

    /// Changes single settings of topics (API 44, KIP-339).
    func incrementalAlterConfigs(_ request: IncrementalAlterConfigsRequest, _ exchange: Exchange) {
        let responses = request.resources.map { asked in
            self.alter(asked.resourceType, asked.resourceName, isTrial: request.validateOnly) { old in
                var settings = old
                for change in asked.configs { try self.apply(change, to: &settings) }
                return settings
            }
        }
        exchange.answer(IncrementalAlterConfigsResponse(responses: responses))
    }

    private func apply(_ change: IncrementalAlterConfigsRequest.Config, to settings: inout [String: String]) throws {
        guard let setting = TopicSetting.all[change.name] else {
            throw TopicCatalog.Refusal(code: .invalidConfig, message: "Unknown topic config name: \(change.name)")
        }
        if change.configOperation == 1 {
            settings[change.name] = nil
            return
        }
        guard let value = change.value else {
            throw TopicCatalog.Refusal(code: .invalidConfig, message: "Null value not supported for: \(change.name)")
        }
        switch change.configOperation {
        case 0: settings[change.name] = value
        case 2 where setting.kind == .list, 3 where setting.kind == .list:
            var words = TopicSetting.words(of: settings[change.name] ?? self.topics.defaultValue(of: setting))
            let changed = TopicSetting.words(of: value)
            words.removeAll(where: changed.contains)
            if change.configOperation == 2 { words += changed }
            settings[change.name] = words.joined(separator: ",")
        default:
            throw TopicCatalog.Refusal(
                code: .invalidConfig,
                message: "Operation \(change.configOperation) does not fit \(change.name)."
            )
        }
    }

    private func alter(
        _ type: Int8,
        _ name: String,
        isTrial: Bool,
        _ change: ([String: String]) throws -> [String: String]
    ) -> AlterConfigsResponse.Resource {
        var answer = AlterConfigsResponse.Resource(
            errorCode: .none,
            errorMessage: nil,
            resourceType: type,
            resourceName: name
        )
        do {
            guard type == ResourceType.topic else {
                throw TopicCatalog.Refusal(
                    code: .invalidRequest,
                    message: "Only the settings of topics can be changed here."
                )
            }
            guard let topic = self.topics.topics[name] else {
                throw TopicCatalog.Refusal(code: .unknownTopicOrPartition, message: "There is no topic '\(name)'.")
            }
            let settings = try change(topic.settings)
            _ = try self.topics.logConfiguration(settings)
            if !isTrial { try self.topics.change(topic, settings: settings) }
        } catch {
            let refusal = self.refusal(error)
            answer.errorCode = refusal.code
            answer.errorMessage = refusal.message
        }
        return answer
    }
}
