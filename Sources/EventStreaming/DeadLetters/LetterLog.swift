/// What is known of the letters of one partition that are not settled: a fold of its letters and marks, without any I/O.
///
/// Letters of a lane have an order, in which a letter stands for its message: one whose copy failed again is another letter in
/// the same place.
struct LetterLog<Note: Sendable>: Sendable {
    struct Letter: Sendable {
        let offset: Int64
        var note: Note
    }

    private struct Place: Sendable {
        var lane: LetterLane
        var number: Int
    }

    /// By offsets.
    private var places: [Int64: Place] = [:]
    private var queues: [LetterLane: LetterQueue<Letter>] = [:]
    /// Those without a lane.
    private var loose: [Int64: Note] = [:]

    /// How many letters are not settled.
    var count: Int { self.places.count + self.loose.count }

    /// The letters without an order, in no order.
    var unordered: some Sequence<Letter> { self.loose.lazy.map { Letter(offset: $0.key, note: $0.value) } }

    /// The letters of each lane, in their order.
    var lanes: some Sequence<[Letter]> { self.queues.values.lazy.map { Array($0.elements) } }

    func note(of offset: Int64) -> Note? {
        if let place = self.places[offset] { return self.queues[place.lane]?[place.number]?.note }
        return self.loose[offset]
    }

    func lane(of offset: Int64) -> LetterLane? { self.places[offset]?.lane }

    /// The letter that all others of the lane wait for; `nil` when there is none.
    func head(of lane: LetterLane) -> Letter? { self.queues[lane]?.first }

    /// A letter comes.
    ///
    /// - Parameter replaced: the letter of the same message whose place it takes; if that is settled, its place is the last.
    mutating func append(_ letter: Letter, lane: LetterLane?, replacing replaced: Int64? = nil) {
        // Each offset is there once.
        guard self.note(of: letter.offset) == nil else { return }
        guard let lane else {
            replaced.map { self.remove($0) }
            self.loose[letter.offset] = letter.note
            return
        }
        if let replaced, let place = self.places[replaced], place.lane == lane {
            self.places[replaced] = nil
            self.places[letter.offset] = place
            self.queues[lane]?.replace(place.number, with: letter)
        } else {
            replaced.map { self.remove($0) }
            let number = self.queues[lane, default: LetterQueue()].append(letter)
            self.places[letter.offset] = Place(lane: lane, number: number)
        }
    }

    /// Changes what is noted of a letter.
    mutating func update(_ offset: Int64, note: Note) {
        if let place = self.places[offset] {
            self.queues[place.lane]?.replace(place.number, with: Letter(offset: offset, note: note))
        } else if self.loose[offset] != nil {
            self.loose[offset] = note
        }
    }

    /// A letter is settled.
    mutating func remove(_ offset: Int64) {
        if self.loose.removeValue(forKey: offset) != nil { return }
        guard let place = self.places.removeValue(forKey: offset) else { return }
        self.queues[place.lane]?.remove(place.number)
        if self.queues[place.lane]?.isEmpty == true { self.queues[place.lane] = nil }
    }
}
