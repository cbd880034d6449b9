internal import NIOCore

/// The topics in the subscription that members of type `consumer` put into their metadata (consumer protocol, versions 0
/// to 3, which all begin alike).
///
/// The broker doesn't need to understand this but for OffsetDelete, which must not touch what a member subscribes to. The
/// bytes are a client's: whatever isn't a subscription has no topics that could be told.
enum ConsumerSubscription {
    static func topics(in metadata: ByteBuffer) -> Set<String>? {
        var reader = WireReader(metadata, isFlexible: false)
        do throws(WireError) {
            guard try reader.int16() >= 0 else { return nil }
            return Set(try reader.strings())
        } catch {
            return nil
        }
    }
}
