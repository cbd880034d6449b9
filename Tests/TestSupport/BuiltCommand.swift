import Foundation

/// Where the commands are that were built with the tests: beside them.
public enum BuiltCommand {
    /// The path of a command.
    public static func path(of name: String) -> String {
        var folder = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        #if os(macOS)
        if let bundle = Bundle.allBundles.first(where: { $0.bundlePath.hasSuffix(".xctest") }) {
            folder = bundle.bundleURL.deletingLastPathComponent()
        }
        #endif
        return folder.appending(path: name).path
    }
}
