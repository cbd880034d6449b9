/// Elements in an order, numbered from 0 on, each of which can be replaced or removed by its number.
///
/// Needs memory for what lies between the first and the last element.
struct LetterQueue<Element: Sendable>: Sendable {
    private var slots: [Element?] = []
    /// The number of the first slot.
    private var firstNumber = 0
    /// The index of the first slot that has an element.
    private var head = 0
    private(set) var count = 0

    var isEmpty: Bool { self.count == 0 }

    var first: Element? { self.count == 0 ? nil : self.slots[self.head] }

    /// The elements in their order.
    var elements: some Sequence<Element> { self.slots[self.head...].lazy.compactMap { $0 } }

    subscript(number: Int) -> Element? { self.index(number).flatMap { self.slots[$0] } }

    /// - Returns: the number of the element.
    mutating func append(_ element: Element) -> Int {
        self.slots.append(element)
        self.count += 1
        return self.firstNumber + self.slots.count - 1
    }

    /// Puts another element in the place of one.
    mutating func replace(_ number: Int, with element: Element) {
        guard let index = self.index(number), self.slots[index] != nil else { return }
        self.slots[index] = element
    }

    mutating func remove(_ number: Int) {
        guard let index = self.index(number), self.slots[index] != nil else { return }
        self.slots[index] = nil
        self.count -= 1
        while self.head < self.slots.count, self.slots[self.head] == nil { self.head += 1 }
        // The half that is empty is given back, so that removing costs the same on average however many there are.
        if self.head > 16, self.head > self.slots.count / 2 {
            self.slots.removeFirst(self.head)
            self.firstNumber += self.head
            self.head = 0
        }
    }

    private func index(_ number: Int) -> Int? {
        let index = number - self.firstNumber
        return self.slots.indices.contains(index) ? index : nil
    }
}
