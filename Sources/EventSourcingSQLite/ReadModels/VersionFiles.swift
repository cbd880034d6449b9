internal import EventSourcing
internal import Foundation
internal import Synchronization

/// The files of a folder of read models, each opened once in this process.
final class VersionFiles: Sendable {
    private struct Key: Hashable {
        var projection: String
        var version: Int
    }

    private struct State {
        var files: [Key: EventDatabase] = [:]
        /// Changes of any version of a projection.
        var changes: [String: ChangeSignal] = [:]
    }

    private let folder: URL
    private let configuration: EventDatabase.Configuration
    private let state = Mutex(State())

    init(folder: URL, configuration: EventDatabase.Configuration) {
        self.folder = folder
        self.configuration = configuration
    }

    /// What is told of changes of any version of a projection.
    func changes(of projection: String) -> ChangeSignal {
        self.state.withLock { state in
            if let signal = state.changes[projection] { return signal }
            let signal = ChangeSignal()
            for (key, file) in state.files where key.projection == projection { file.forward(to: signal) }
            state.changes[projection] = signal
            return signal
        }
    }

    func path(_ projection: String, _ version: Int) -> String {
        self.folder.appending(path: "\(projection).v\(version).sqlite").path
    }

    func open(_ projection: String, _ version: Int) throws -> EventDatabase {
        try self.state.withLock { state in
            let key = Key(projection: projection, version: version)
            if let file = state.files[key] { return file }
            let file = try EventDatabase(path: self.path(projection, version), configuration: self.configuration)
            if let signal = state.changes[projection] { file.forward(to: signal) }
            state.files[key] = file
            return file
        }
    }

    func remove(_ projection: String, _ version: Int) {
        self.state.withLock { _ = $0.files.removeValue(forKey: Key(projection: projection, version: version)) }
        for suffix in ["", "-wal", "-shm", "-changes"] {
            // What is not there need not be removed.
            try? FileManager.default.removeItem(atPath: self.path(projection, version) + suffix)
        }
    }
}
