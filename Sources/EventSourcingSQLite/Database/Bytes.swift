internal import Foundation
internal import GRDB

extension [UInt8] {
    /// As a value of SQLite.
    var blob: Data { Data(self) }
}

extension Row {
    /// The bytes of a column; none for NULL.
    func bytes(_ index: Int) -> [UInt8] {
        (self[index] as Data?).map { Array($0) } ?? []
    }

    /// The bytes of a column; `nil` for NULL.
    func optionalBytes(_ index: Int) -> [UInt8]? {
        (self[index] as Data?).map { Array($0) }
    }
}
