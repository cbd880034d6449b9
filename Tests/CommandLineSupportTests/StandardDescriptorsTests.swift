import Foundation
import Testing

@testable import CommandLineSupport

/// That missing descriptors are filled is tested by running the commands without them: here other threads open files too.
struct StandardDescriptorsTests {
    @Test func `descriptors that are there are left alone`() {
        var before = stat()
        var after = stat()
        for descriptor: Int32 in 0...2 where fstat(descriptor, &before) == 0 {
            #expect(StandardDescriptors.fill())
            #expect(fstat(descriptor, &after) == 0)
            #expect(before.st_ino == after.st_ino && before.st_dev == after.st_dev)
        }
    }
}
