/// Points in time, milliseconds since 1970.
enum Deadline {
    /// The point that lies so many milliseconds after another. A file may say anything of the other: the end of time is
    /// as far as it goes.
    static func after(_ milliseconds: Int32, from start: Int64) -> Int64 {
        let (deadline, overflows) = start.addingReportingOverflow(Int64(max(0, milliseconds)))
        return overflows ? .max : deadline
    }

    /// The earlier of two, of which there may be none.
    static func earlier(_ left: Int64?, _ right: Int64?) -> Int64? {
        guard let left else { return right }
        guard let right else { return left }
        return min(left, right)
    }
}
