#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

extension KafkaTimestamp {
    /// The time of this machine's clock.
    static var now: KafkaTimestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return KafkaTimestamp(millisecondsSince1970: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}
