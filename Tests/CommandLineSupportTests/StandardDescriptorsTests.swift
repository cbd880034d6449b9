import Foundation
import Testing

@testable import CommandLineSupport

struct StandardDescriptorsTests {
    @Test func `missing descriptors are filled, and using them is an error`() async {
        // In a process of its own, whose descriptors may be closed.
        await #expect(processExitsWith: .exitCode(7)) {
            for descriptor: Int32 in 0...2 { close(descriptor) }
            guard StandardDescriptors.fill() else { exit(1) }
            var byte: UInt8 = 0
            guard read(0, &byte, 1) == -1, errno == EBADF else { exit(2) }
            for descriptor: Int32 in 1...2 {
                guard write(descriptor, &byte, 1) == -1, errno == EBADF else { exit(3) }
            }
            let next = open("/dev/null", O_RDONLY)
            exit(next > 2 ? 7 : 4)
        }
    }

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
