import Synchronization
import Testing

@testable import CommandLineSupport

struct TextTableTests {
    private var table: TextTable {
        var table = TextTable(columns: [.init("name"), .init("count", alignment: .right), .init("state")])
        table.append(["orders", "12", TextTable.Cell("agrees", style: .good)])
        table.append(["p", "1,234,567"])
        return table
    }

    @Test func `words stand left, numbers right, no line ends in spaces`() {
        #expect(
            self.table.rendered(color: false) == """
                name        count  state
                ------  ---------  ------
                orders         12  agrees
                p       1,234,567

                """
        )
    }

    @Test func `colour is in the coloured form only, and takes no room`() {
        let plain = self.table.rendered(color: false)
        let colored = self.table.rendered(color: true)
        #expect(!plain.contains("\u{1B}"))
        #expect(colored == plain.replacing("agrees", with: "\u{1B}[32magrees\u{1B}[0m"))
    }

    @Test func `control characters of data are written out`() {
        var table = TextTable(columns: [.init("key")])
        table.append(["a\n\u{1B}[2Jb"])
        #expect(table.rendered(color: false).hasSuffix("a\\n\\u{1B}[2Jb\n"))
    }
}

struct ProgressTests {
    private final class Recorder: Sendable {
        let now = Mutex(Duration.zero)
        let written = Mutex<[String]>([])

        func bar(total: Int?, isTerminal: Bool) -> ProgressBar {
            ProgressBar(
                label: "work",
                total: total,
                output: .init(
                    isTerminal: isTerminal,
                    width: { 80 },
                    write: { text in self.written.withLock { $0.append(text) } }
                ),
                elapsed: { self.now.withLock { $0 } }
            )
        }

        func advance(_ duration: Duration) { self.now.withLock { $0 += duration } }
        var lines: [String] { self.written.withLock { $0 } }
    }

    @Test func `a terminal gets at most ten drawings a second`() {
        let recorder = Recorder()
        let bar = recorder.bar(total: 1000, isTerminal: true)
        for index in 0..<1000 {
            bar.update(index)
            recorder.advance(.milliseconds(1))
        }
        #expect(recorder.lines.count == 10)
        bar.finish()
        bar.finish()
        bar.update(5)
        #expect(recorder.lines.count == 12)
        #expect(recorder.lines.last == "\n")
    }

    @Test func `what is waited for is said, and is in neither clock nor rate`() {
        let recorder = Recorder()
        let bar = recorder.bar(total: 1000, isTerminal: true)
        bar.wait(for: "the groups")
        #expect(recorder.lines == ["\r\u{1B}[Kwork  waiting for the groups"])
        recorder.advance(.seconds(30))
        bar.update(0)
        recorder.advance(.seconds(2))
        bar.update(500)
        #expect(recorder.lines.count == 3)
        #expect(recorder.lines.last?.hasSuffix("50%  500/1,000  250/s  2.0 s left") == true)
        bar.finish()
        #expect(recorder.lines.dropLast().last?.hasSuffix("in 2.0 s") == true)
    }

    @Test func `work that never began leaves no line`() {
        for isTerminal in [true, false] {
            let recorder = Recorder()
            let bar = recorder.bar(total: 1000, isTerminal: isTerminal)
            bar.wait(for: "the groups")
            bar.finish()
            bar.wait(for: "the groups")
            #expect(recorder.lines.dropFirst() == (isTerminal ? ["\r\u{1B}[K"] : []))
        }
    }

    @Test func `a log gets a line every five seconds and one at the end`() {
        let recorder = Recorder()
        let bar = recorder.bar(total: nil, isTerminal: false)
        for index in 0...11 {
            bar.update(index * 1000, note: "a\nb")
            recorder.advance(.seconds(1))
        }
        bar.finish()
        #expect(
            recorder.lines == [
                "work: 5,000  1,000/s  a\\nb\n",
                "work: 10,000  1,000/s  a\\nb\n",
                "work: 11,000  916/s  in 12 s  a\\nb\n",
            ]
        )
    }

    @Test func `the bar shows share, rate and time left within the width`() {
        let line = ProgressLine(
            label: "work",
            done: 250,
            total: 1000,
            note: "",
            elapsed: .seconds(10),
            isFinished: false
        )
        #expect(
            line.bar(width: 79)
                == "work  [######..................]  25%  250/1,000  25/s  30 s left"
        )
        for width in 0..<79 { #expect(line.bar(width: width).count <= width) }
    }

    @Test(arguments: [(0, 0), (5, 0), (7, 3), (-4, 3), (Int.max, 1), (1, Int.max)])
    func `no count or total traps`(done: Int, total: Int) {
        for elapsed in [Duration.zero, .nanoseconds(1), .seconds(1_000_000_000)] {
            for isFinished in [true, false] {
                let line = ProgressLine(
                    label: "work",
                    done: done,
                    total: total,
                    note: "",
                    elapsed: elapsed,
                    isFinished: isFinished
                )
                #expect(line.bar(width: 60).count <= 60)
                #expect(!line.sentence.isEmpty)
            }
        }
    }

    @Test func `digits stand in groups of three`() {
        #expect([0, 999, 1000, -123_456, 1_234_567].map(\.grouped) == ["0", "999", "1,000", "-123,456", "1,234,567"])
        #expect(Int.min.grouped == "-9,223,372,036,854,775,808")
    }
}

struct TerminalTests {
    @Test func `NO_COLOR and dumb terminals turn colour off`() {
        #expect(Terminal.allowsColor(noColor: nil, terminal: "xterm"))
        #expect(Terminal.allowsColor(noColor: "", terminal: nil))
        #expect(!Terminal.allowsColor(noColor: "1", terminal: "xterm"))
        #expect(!Terminal.allowsColor(noColor: nil, terminal: "dumb"))
    }
}
