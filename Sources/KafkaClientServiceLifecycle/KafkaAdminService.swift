public import KafkaClient
public import ServiceLifecycle

/// An admin client as a service of a `ServiceGroup`: it is open until the group shuts down gracefully or is cancelled. Put it
/// before the services that use it.
public struct KafkaAdminService: Service {
    private let admin: KafkaAdmin

    /// Makes a service of an admin client, which must not be closed by anybody else.
    public init(_ admin: KafkaAdmin) {
        self.admin = admin
    }

    /// Keeps the client open until the group shuts down or the task is cancelled, then closes it.
    public func run() async {
        await cancelWhenGracefulShutdown { [admin] in await admin.run() }
    }
}
