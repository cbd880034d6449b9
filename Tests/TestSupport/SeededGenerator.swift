/// A generator of the same numbers in every run.
public struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    /// Equal seeds give equal numbers.
    public init(seed: UInt64) {
        self.state = seed
    }

    /// The next number.
    public mutating func next() -> UInt64 {
        self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let mixed = (self.state ^ (self.state >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        return mixed ^ (mixed >> 33)
    }
}
