import EventStreaming
import Foundation

// The code of the article "Processing exactly once", which `ArticleTests` compares with the article. It is compiled, not run.

private func configure(_ configuration: inout ProcessorConfiguration) {
    configuration.instance = ProcessInfo.processInfo.hostName
    configuration.commitInterval = .milliseconds(100)
    configuration.guarantee = .atLeastOnce
}
