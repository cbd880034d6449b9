internal import KafkaClient

/// Which keys of a partition are blocked, in ordered mode: those that have letters that are not settled. A fold of a partition
/// of dead letters without any I/O.
struct BlockedKeys: Sendable {
    /// The letter that others follow.
    struct Head: Sendable, Hashable {
        var offset: Int64
        var error: String
        var errorType: String
    }

    /// What is to be done with a message.
    enum Decision: Sendable, Hashable {
        /// It is handled; `settling` is the letter that it is a copy of, which is settled when it is processed, and whose place it
        /// takes when it is given up.
        case handle(settling: Int64?)
        /// It is not handled, but follows a letter; it takes the place of the letter that it is a copy of.
        case follow(Head, replacing: Int64?)
        /// Before a crash it was processed, or became a letter.
        case skip
    }

    struct Note: Sendable {
        /// The record that became the letter.
        var offset: Int64
        var time: UTCTime?
        var error: String
        var errorType: String
    }

    private let processor: String
    private let source: KafkaTopicPartition
    private let place: KafkaTopicPartition
    private var log = LetterLog<Note>()
    /// The letters by the offsets of the records that became them.
    private var letters: [Int64: Int64] = [:]
    /// The letters that were settled lately.
    private var settled = RecentOffsets(limit: 10_000)

    /// Errors of letters that many follow need not be known in full.
    private static let maxErrorBytes = 256

    /// - Parameters:
    ///   - processor: whose letters count.
    ///   - source: the partition whose messages they are.
    ///   - place: the partition of dead letters.
    init(processor: String, source: KafkaTopicPartition, place: KafkaTopicPartition) {
        self.processor = processor
        self.source = source
        self.place = place
    }

    /// How many letters wait.
    var count: Int { self.log.count }

    // MARK: The fold

    /// Takes a record of the partition of dead letters.
    mutating func apply(_ entry: DeadLetterEntry, key: [UInt8]?, offset: Int64) {
        switch entry {
        case .letter(let letter):
            self.append(letter, key: key, offset: offset)
        case .mark(let mark) where mark.kind == .resolved && mark.letter.topicPartition == self.place:
            self.settle(mark.letter.offset)
        case .mark, .foreign: break
        }
    }

    /// A letter was written.
    mutating func append(_ letter: DeadLetter, key: [UInt8]?, offset: Int64) {
        guard letter.processor == self.processor, letter.topic == self.source.topic,
            letter.partition == self.source.partition, let lane = LetterLane(letter, key: key),
            self.log.note(of: offset) == nil
        else { return }
        var replaced: Int64?
        if let earlier = letter.replaces, earlier.topicPartition == self.place {
            replaced = earlier.offset
            self.forget(earlier.offset)
        }
        var note = Note(offset: letter.offset, time: letter.time, error: "", errorType: letter.errorType)
        note.error = DeadLetter.shortened(letter.error, to: Self.maxErrorBytes)
        // Those that follow share the text.
        if let head = self.log.head(of: lane)?.note, head.error == note.error, head.errorType == note.errorType {
            note.error = head.error
            note.errorType = head.errorType
        }
        self.log.append(LetterLog.Letter(offset: offset, note: note), lane: lane, replacing: replaced)
        self.letters[letter.offset] = offset
    }

    /// The copy of a letter was processed.
    mutating func settle(_ offset: Int64) {
        self.forget(offset)
        self.log.remove(offset)
    }

    /// The record of a letter is done with, which may keep its place for another one.
    private mutating func forget(_ offset: Int64) {
        guard let note = self.log.note(of: offset) else { return }
        if self.letters[note.offset] == offset { self.letters[note.offset] = nil }
        self.settled.insert(offset)
    }

    // MARK: Deciding

    /// What is to be done with a message.
    ///
    /// - Parameter copied: the letter that it says it is a copy of.
    func decision(key: [UInt8]?, offset: Int64, time: UTCTime?, copied: DeadLetterPosition?) -> Decision {
        let letter = copied.flatMap { $0.topicPartition == self.place ? $0.offset : nil }
        guard let key else { return .handle(settling: letter) }
        if let letter, self.settled.contains(letter) { return .skip }
        let lane = LetterLane(processor: self.processor, topic: self.source.topic, key: key)
        if let known = self.letters[offset], self.log.lane(of: known) == lane, self.log.note(of: known)?.time == time {
            return .skip
        }
        let waiting = letter.flatMap { self.log.lane(of: $0) == lane ? $0 : nil }
        guard let head = self.log.head(of: lane), head.offset != waiting else {
            // One that is not known here, such as one that is no longer in the log, is marked all the same.
            return .handle(settling: letter)
        }
        return .follow(
            Head(offset: head.offset, error: head.note.error, errorType: head.note.errorType),
            replacing: waiting
        )
    }
}
