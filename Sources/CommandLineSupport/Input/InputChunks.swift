/// The blocks of an input as they are read; for those who split it themselves.
package struct InputChunks: AsyncSequence {
    package typealias Element = [UInt8]
    package typealias Failure = any Error

    let source: InputSource

    package func makeAsyncIterator() -> Iterator { Iterator(source: self.source) }

    /// Reads the blocks.
    package struct Iterator: AsyncIteratorProtocol {
        let source: InputSource

        /// The next block, never empty, or `nil` at the end.
        /// - Throws: ``InputError``, or `CancellationError` when the task was cancelled while it waited for input.
        package mutating func next() async throws -> [UInt8]? {
            try await self.source.nextChunk()
        }
    }
}
