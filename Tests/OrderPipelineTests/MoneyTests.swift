import Testing

@testable import OrderPipeline

@Suite("Money")
struct MoneyTests {
    @Test(
        "reads pounds exactly",
        arguments: [
            ("2.55", 2550), ("0", 0), ("7", 7000), ("0.001", 1), ("-11062.06", -11_062_060), ("00.10", 100),
            ("9223372036854775.807", Int64.max), ("-9223372036854775.808", Int64.min),
        ] as [(String, Int64)]
    )
    func reads(text: String, thousandths: Int64) {
        #expect(Money(pounds: text.utf8)?.thousandths == thousandths)
    }

    @Test(
        "refuses what is not pounds with up to three decimals",
        arguments: [
            "", "-", ".", "1.", ".5", "-.5", "1.2345", "1.0000", "1e3", "+1", "--1", "1.-5", "1.2.3", " 1", "1 ", "1,5",
            "0x10", "NaN", "٣", "9223372036854775.808", "9223372036854776", "-9223372036854775.809",
            "99999999999999999999999999999999999999",
        ]
    )
    func refuses(text: String) {
        #expect(Money(pounds: text.utf8) == nil)
    }

    @Test("products and sums that don't fit are nil, not traps")
    func overflow() {
        #expect(Money(thousandths: .max).times(2) == nil)
        #expect(Money(thousandths: .min).times(-1) == nil)
        #expect(Money(thousandths: .min).absolute == nil)
        #expect(Money.sum(of: [Money(thousandths: .max), Money(thousandths: 1)]) == nil)
    }

    @Test("a sum is exact whatever the order, even when it leaves 64 bits on the way")
    func sum() {
        let amounts = [Int64.max, 5, -10, Int64.max, -.max].map(Money.init(thousandths:))
        #expect(Money.sum(of: amounts)?.thousandths == Int64.max - 5)
        #expect(Money.sum(of: amounts.reversed())?.thousandths == Int64.max - 5)
    }

    @Test(
        "is written in pounds with three decimals",
        arguments: [(0, "0.000"), (5, "0.005"), (-60, "-0.060"), (2550, "2.550"), (.min, "-9223372036854775.808")]
            as [(Int64, String)]
    )
    func description(thousandths: Int64, text: String) {
        #expect(Money(thousandths: thousandths).description == text)
    }
}
