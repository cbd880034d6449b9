/// Elements that are numbered as they come, go in any order, and are looked up by their numbers.
///
/// The window reaches from the oldest element that is left to the newest one: what went from the middle still counts.
struct SlidingWindow<Element: Sendable>: Sendable {
    /// A ring, as long as a power of two; empty places are `nil`.
    private var storage: [Element?] = []
    /// The number of the oldest element that is left, or of the one to come.
    private(set) var first: Int
    /// The number of the next element to come.
    private(set) var end: Int

    /// - Parameter first: the number of the first element to come.
    init(first: Int = 0) {
        self.first = first
        self.end = first
    }

    /// How far the window reaches, from the oldest element that is left to the newest one.
    var span: Int { self.end - self.first }

    var isEmpty: Bool { self.first == self.end }

    /// The oldest element that is left.
    var oldest: Element? { self.isEmpty ? nil : self.storage[self.first & (self.storage.count - 1)] }

    /// The element with a number, unless it has gone.
    subscript(number: Int) -> Element? {
        guard number >= self.first, number < self.end else { return nil }
        return self.storage[number & (self.storage.count - 1)]
    }

    /// Changes an element in place, unless it has gone.
    mutating func update(_ number: Int, _ change: (inout Element) -> Void) {
        guard number >= self.first, number < self.end else { return }
        let place = number & (self.storage.count - 1)
        guard var element = self.storage[place].take() else { return }
        change(&element)
        self.storage[place] = element
    }

    /// - Returns: the number of the new element.
    @discardableResult
    mutating func append(_ element: Element) -> Int {
        if self.span == self.storage.count {
            self.grow()
        }
        self.storage[self.end & (self.storage.count - 1)] = element
        defer { self.end += 1 }
        return self.end
    }

    /// Uses up a number without an element.
    mutating func skip() {
        if self.isEmpty {
            self.first += 1
            self.end += 1
        } else {
            if self.span == self.storage.count {
                self.grow()
            }
            self.end += 1
        }
    }

    /// Removes the element with a number, unless it has gone.
    @discardableResult
    mutating func remove(_ number: Int) -> Element? {
        guard number >= self.first, number < self.end else { return nil }
        let mask = self.storage.count - 1
        let element = self.storage[number & mask].take()
        if number == self.first {
            repeat {
                self.first += 1
            } while self.first < self.end && self.storage[self.first & mask] == nil
        }
        return element
    }

    /// Removes the oldest element that is left.
    mutating func removeOldest() -> Element? {
        self.remove(self.first)
    }

    private mutating func grow() {
        var larger: [Element?] = Array(repeating: nil, count: max(16, self.storage.count * 2))
        for number in self.first..<self.end {
            larger[number & (larger.count - 1)] = self.storage[number & (self.storage.count - 1)]
        }
        self.storage = larger
    }
}
