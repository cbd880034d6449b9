#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Bytes as text (RFC 4648, section 4), by Foundation's essentials.
enum Base64 {
    static func encoded(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString()
    }

    /// `nil` for a text that is not base 64.
    static func decoded(_ text: String) -> [UInt8]? {
        Data(base64Encoded: text).map(Array.init)
    }
}
