/// The nodes: where they listen and which are up.
struct NodeTable {
    struct Node {
        let id: Int32
        var host = ""
        var port = 0
        var isUp = true
    }

    private(set) var all: [Node]
    /// Coordinators that were moved by hand, by the group's or transaction's id.
    var movedCoordinators: [CoordinatorKey: Int32] = [:]

    init(count: Int) {
        self.all = (1...max(1, count)).map { Node(id: Int32($0)) }
    }

    /// What a coordinator is for.
    struct CoordinatorKey: Hashable {
        var isTransaction: Bool
        var id: String
    }

    var ids: [Int32] { self.all.map(\.id) }
    var up: [Node] { self.all.filter(\.isUp) }

    /// The node that answers for the cluster's topics.
    var controller: Int32? { self.up.first?.id }

    subscript(id: Int32) -> Node? {
        self.all.first { $0.id == id }
    }

    func isUp(_ id: Int32) -> Bool { self[id]?.isUp ?? false }

    mutating func set(_ id: Int32, host: String, port: Int) {
        guard let index = self.all.firstIndex(where: { $0.id == id }) else { return }
        self.all[index].host = host
        self.all[index].port = port
    }

    mutating func set(_ id: Int32, isUp: Bool) {
        guard let index = self.all.firstIndex(where: { $0.id == id }) else { return }
        self.all[index].isUp = isUp
    }

    /// The node that coordinates a group or a transaction: the one it was moved to, or one that its name gives.
    func coordinator(of key: CoordinatorKey) -> Int32? {
        if let moved = self.movedCoordinators[key], self.isUp(moved) { return moved }
        let up = self.up
        guard !up.isEmpty else { return nil }
        // A hash that is the same in every run, so that a restart finds the coordinators where they were (FNV-1a).
        var hash: UInt32 = 2_166_136_261
        for byte in key.id.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        return up[Int(hash % UInt32(up.count))].id
    }
}
