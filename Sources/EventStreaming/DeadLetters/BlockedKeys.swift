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

    /// A record that became a letter. The time tells it from one of a topic that was made anew.
    struct Source: Sendable, Hashable {
        var offset: Int64
        var time: UTCTime?
    }

    struct Note: Sendable {
        /// The record of the letter, which may be a copy.
        var source: Source
        /// The record of the first letter of the message.
        var first: Source
        var error: String
        var errorType: String
    }

    private let processor: String
    private let source: KafkaTopicPartition
    private let place: KafkaTopicPartition
    private var log = LetterLog<Note>()
    /// The letters by the records that became them, also by those that were the first to.
    private var letters: [Source: Int64] = [:]
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
        let replaced = letter.replaces.flatMap { $0.topicPartition == self.place ? $0.offset : nil }
        let source = Source(offset: letter.offset, time: letter.time)
        var note = Note(
            source: source,
            first: replaced.flatMap { self.log.note(of: $0)?.first } ?? source,
            error: letter.error.shortened(toBytes: Self.maxErrorBytes),
            errorType: letter.errorType
        )
        if let replaced { self.forget(replaced) }
        // Those that follow share the text.
        if let head = self.log.head(of: lane)?.note, head.error == note.error, head.errorType == note.errorType {
            note.error = head.error
            note.errorType = head.errorType
        }
        self.log.append(LetterLog.Letter(offset: offset, note: note), lane: lane, replacing: replaced)
        self.letters[note.source] = offset
        self.letters[note.first] = offset
    }

    /// The copy of a letter was processed.
    mutating func settle(_ offset: Int64) {
        self.forget(offset)
        self.log.remove(offset)
    }

    /// The record of a letter is done with, which may keep its place for another one.
    private mutating func forget(_ offset: Int64) {
        guard let note = self.log.note(of: offset) else { return }
        for source in [note.source, note.first] where self.letters[source] == offset { self.letters[source] = nil }
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
        if let known = self.letters[Source(offset: offset, time: time)], self.log.lane(of: known) == lane {
            return .skip
        }
        let waiting = letter.flatMap { self.log.lane(of: $0) == lane ? $0 : nil }
        guard let head = self.log.head(of: lane), head.offset != waiting else {
            // One that is not known here, such as one that is no longer in the log, is marked all the same.
            return .handle(settling: letter)
        }
        // It was handled before the key was blocked, and comes again since what was sent for it may not have arrived.
        if letter == nil, offset < head.note.first.offset { return .handle(settling: nil) }
        return .follow(
            Head(offset: head.offset, error: head.note.error, errorType: head.note.errorType),
            replacing: waiting
        )
    }
}
