internal import ArgumentParser
internal import CommandLineSupport
internal import EventStreaming
internal import OrderPipeline

/// `order-pipeline service`: runs services of the pipeline until it is interrupted.
struct ServiceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "service",
        abstract: "Runs services of the pipeline until it is interrupted.",
        discussion: """
            Several processes that run the same service share its work. The topics must exist.

            A process that is killed goes on where it was when it is started again. With --instance it does so at once: it \
            takes its place in the group, and ends the transaction that it left open.

            Exit status:
              1  failed
              2  the command line is wrong
              3  no broker could be reached in time
            130  interrupted
            """
    )

    @Argument(help: ArgumentHelp("Which services: orders, payments, shipping. Default: all.", valueName: "service"))
    var services: [PipelineService] = PipelineService.allCases

    @Option(help: ArgumentHelp("A name that no other process has, for a process that is restarted.", valueName: "name"))
    var instance: String?

    @Option(help: "What they promise: exactly-once, or at-least-once, which may repeat after a crash.")
    var guarantee = Guarantee.exactlyOnce

    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        if self.connection.servers.isEmpty {
            throw ValidationError("--bootstrap-servers is missing: services run on a cluster that others use as well.")
        }
        if self.instance?.isEmpty == true { throw ValidationError("--instance is empty.") }
    }

    func run() async throws {
        let cluster = PipelineCluster(bootstrapServers: self.connection.servers)
        let services = self.services.isEmpty ? PipelineService.allCases : self.services
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in Set(services) {
                let processor = service.processor(
                    on: cluster,
                    guarantee: self.guarantee.processing,
                    instance: self.instance,
                    logger: ConnectionOptions.serviceLogger,
                    clientLogger: self.connection.clientLogger
                )
                group.addTask { try await processor.run() }
            }
            // The first that fails ends the others.
            for try await _ in group {}
        }
        try Task.checkCancellation()
    }
}

extension PipelineService: ExpressibleByArgument {}
