import EventStreaming
import Foundation
import TestSupport
import Testing

@Suite("UTCTime")
struct UTCTimeTests {
    @Test(
        "reads and writes RFC 3339",
        arguments: [
            "2010-12-01T08:26:00Z", "1970-01-01T00:00:00Z", "2000-02-29T23:59:59Z", "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999Z", "2011-12-31T00:00:00.007Z",
        ]
    )
    func roundTrip(text: String) throws {
        #expect(try text.utcTime.description == text)
    }

    @Test("agrees with Foundation's calendar over all years")
    func calendar() throws {
        var generator = SeededGenerator(seed: 7)
        let format = Date.ISO8601FormatStyle()
        for _ in 0..<2_000 {
            // 0001-01-01 to 9999-12-31.
            let seconds = Int64.random(in: -62_135_596_800...253_402_300_799, using: &generator)
            // Foundation has the Julian calendar before 1582.
            guard seconds > -12_000_000_000 else { continue }
            let text = format.format(Date(timeIntervalSince1970: TimeInterval(seconds)))
            let time = try text.utcTime
            #expect(time.millisecondsSince1970 == seconds * 1000)
            #expect(time.description == text)
        }
    }

    @Test(
        "refuses what is not a moment in UTC",
        arguments: [
            "", "Z", "2010-12-01", "2010-12-01 08:26:00Z", "2010-12-01T08:26:00", "2010-12-01T08:26:00+0100",
            "2010-13-01T08:26:00Z", "2010-00-01T08:26:00Z", "2010-02-29T08:26:00Z", "1900-02-29T08:26:00Z",
            "2010-12-32T08:26:00Z", "2010-12-01T24:00:00Z", "2010-12-01T08:60:00Z", "2010-12-01T08:26:60Z",
            "0000-01-01T00:00:00Z", "2010-12-01T08:26:00.Z", "2010-12-01T08:26:00.1234567890Z",
            "2010-12-01T08:26:00.-1Z",
            "2010-12-01T08:26:00.123xZ", "2010-12-01T08:26:00+24:00", "2010-12-01T08:26:00+01:60", "+01:00",
            "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "2010-12-01T08:26:00+-1:00",
            "+010-12-01T08:26:00Z", "2010-12-01T08:26:0٣Z", "12010-12-01T08:26:00Z",
        ]
    )
    func refuses(text: String) {
        #expect(UTCTime(rfc3339: text.utf8) == nil)
    }

    @Test(
        "reads what others write",
        arguments: [
            ("2010-12-01T09:26:00+01:00", "2010-12-01T08:26:00Z"),
            ("2010-12-01T00:00:00.123456789-05:30", "2010-12-01T05:30:00.123Z"),
            ("2010-12-01t08:26:00.5z", "2010-12-01T08:26:00.500Z"),
            ("2010-12-01T08:26:00-00:00", "2010-12-01T08:26:00Z"),
        ]
    )
    func othersForms(text: String, utc: String) throws {
        #expect(try text.utcTime.description == utc)
    }

    @Test("reads the form of the data")
    func dateTime() throws {
        let time = try #require(UTCTime(dateTime: "2010-12-01 08:26:00".utf8))
        #expect(time.description == "2010-12-01T08:26:00Z")
        #expect(time.month == "2010-12")
        #expect(UTCTime(dateTime: "2010-12-01T08:26:00".utf8) == nil)
        #expect(UTCTime(dateTime: "2010-12-01 08:26".utf8) == nil)
        #expect(UTCTime(dateTime: "01/12/2010 08:26:00".utf8) == nil)
    }

    @Test("a moment so much later, and none beyond the calendar")
    func advanced() throws {
        let start = try #require(UTCTime(rfc3339: "2010-12-01T08:26:00.250Z".utf8))
        #expect(start.advanced(by: .milliseconds(1_750)).description == "2010-12-01T08:26:02Z")
        #expect(start.advanced(by: .seconds(-60)).description == "2010-12-01T08:25:00.250Z")
        for far in [Duration.seconds(Int64.max), .seconds(Int64.max / 1000), .seconds(400_000_000_000)] {
            #expect(start.advanced(by: far).description == "9999-12-31T23:59:59.999Z")
            #expect(start.advanced(by: .zero - far).description == "0001-01-01T00:00:00Z")
        }
    }
}

extension String {
    fileprivate var utcTime: UTCTime {
        get throws { try #require(UTCTime(rfc3339: self.utf8)) }
    }
}
