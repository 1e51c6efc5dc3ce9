package stdlib

import (
	"math/rand/v2"
	"testing"
	"time"

	"reqon/vm/value"
)

func TestTime(t *testing.T) {
	run(t, []example{
		{"timestamp", `["@1970-01-01T00:00:01.5Z"]`, `1500`},
		{"timestamp", `["2026-01-20"]`, `1768867200000`},
		{"timestamp", `[]`, `error: timestamp: the present instant is known to the host only`},
		{"fromUnix", `[1768867200]`, `"@2026-01-20T00:00:00.000Z"`},
		{"fromUnix", `[1.5]`, `"@1970-01-01T00:00:01.500Z"`},
		{"fromUnix", `[1768867200.0015]`, `"@2026-01-20T00:00:00.002Z"`}, // a half, away from zero
		{"fromUnix", `[-1]`, `"@1969-12-31T23:59:59.000Z"`},
		{"fromUnix", `[1768867200000]`, `error: fromUnix: argument 1 (seconds) must be seconds since 1970 of a year from 0000 to 9999, found number 1768867200000; where it is milliseconds, divide by 1000`},
		{"fromUnix", `[1e300]`, `error: must be seconds since 1970`},
		{"fromUnix", `["1768867200"]`, `error: must be a number, found string "1768867200"; toNumber(x) reads a number from text`},
		{"toUnix", `["@2026-01-20T00:00:00Z"]`, `1768867200`},
		{"toUnix", `["@1970-01-01T00:00:01.5Z"]`, `1.5`},
		{"toUnix", `["1969-12-31T23:59:59.999Z"]`, `-0.001`},

		{"year", `["2026-01-20T09:08:07Z"]`, `2026`},
		{"month", `["2026-01-20T09:08:07Z"]`, `1`},
		{"day", `["2026-01-20T09:08:07Z"]`, `20`},
		{"hour", `["2026-01-20T09:08:07Z"]`, `9`},
		{"minute", `["2026-01-20T09:08:07Z"]`, `8`},
		{"second", `["2026-01-20T09:08:07.999Z"]`, `7`},
		{"dayOfWeek", `["2026-01-20"]`, `2`},
		{"dayOfWeek", `["2026-01-18"]`, `0`},
		{"hour", `["2026-01-20T23:30:00Z","Europe/Berlin"]`, `0`},
		{"day", `["2026-01-20T23:30:00Z","Europe/Berlin"]`, `21`},
		{"dayOfWeek", `["2026-01-20T23:30:00Z","Asia/Tokyo"]`, `3`},
		{"year", `["2026-01-01","America/New_York"]`, `2026`}, // a date is one of the zone
		{"hour", `["2026-01-20 09:30","Europe/Berlin"]`, `9`},
		{"hour", `["2026-01-20 09:30:00+02:00"]`, `7`},
		{"year", `["2026-02-30"]`, `error: year: argument 1 (t) must be a date such as 2026-01-20, 2026-01-20 09:00 or 2026-01-20T09:00:00Z, found string "2026-02-30"; parseDate(s, pattern) reads other forms`},
		{"year", `["yesterday"]`, `error: found string "yesterday"`},
		{"year", `[2026]`, `error: year: argument 1 (t) must be a timestamp or date text, found number 2026; fromUnix(seconds) makes a timestamp of a number`},
		{"year", `[null]`, `error: year: argument 1 (t) must be a timestamp or date text, found null`},
		{"hour", `["2026-01-20","Mars/Base"]`, `error: hour: argument 2 (zone) must be an IANA time zone such as Europe/Berlin, or UTC, found string "Mars/Base"`},
		{"hour", `["2026-01-20",""]`, `error: must be an IANA time zone`},
		{"hour", `["2026-01-20","Local"]`, `error: must be an IANA time zone`},
		{"hour", `["2026-01-20","../etc/passwd"]`, `error: must be an IANA time zone`},

		{"addDays", `["@2026-01-20T09:00:00Z",1]`, `"@2026-01-21T09:00:00.000Z"`},
		{"addDays", `["2026-01-20",-20]`, `"@2025-12-31T00:00:00.000Z"`},
		{"addDays", `["2026-01-20",0.5]`, `"@2026-01-20T12:00:00.000Z"`},
		{"subtractDays", `["2026-01-20",20]`, `"@2025-12-31T00:00:00.000Z"`},
		// Clocks in Berlin go forward on 29 March 2026 at 01:00 UTC.
		{"addDays", `["2026-03-28T08:00:00Z",1]`, `"@2026-03-29T08:00:00.000Z"`},
		{"addDays", `["2026-03-28T08:00:00Z",1,"Europe/Berlin"]`, `"@2026-03-29T07:00:00.000Z"`},
		{"addDays", `["2026-03-28 02:30",1,"Europe/Berlin"]`, `"@2026-03-29T01:30:00.000Z"`}, // 02:30 is skipped: 03:30
		// And back on 25 October at 01:00 UTC: 02:30 is first at 00:30 UTC.
		{"addDays", `["2026-10-24 02:30",1,"Europe/Berlin"]`, `"@2026-10-25T00:30:00.000Z"`},
		{"addDays", `["2026-03-28",0.5,"Europe/Berlin"]`, `error: addDays: argument 2 (n) must be a whole number`},
		{"addDays", `["2026-01-20",9999999]`, `error: addDays: date out of range`},
		{"addDays", `["2026-01-20",1e300]`, `error: addDays: date out of range`},
		{"addDays", `["2026-01-20",99999999999,"UTC"]`, `error: addDays: date out of range`},
		{"addDays", `["2026-01-20"]`, `error: addDays takes 2 or 3 arguments, found 1: write addDays(t, n, zone?)`},
		{"addHours", `["2026-01-20",25]`, `"@2026-01-21T01:00:00.000Z"`},
		{"addHours", `["2026-01-20",1.5]`, `"@2026-01-20T01:30:00.000Z"`},
		{"addMinutes", `["2026-01-20",-1]`, `"@2026-01-19T23:59:00.000Z"`},
		{"addMonths", `["2026-01-31",1]`, `"@2026-02-28T00:00:00.000Z"`},
		{"addMonths", `["2024-01-31T10:11:12.013Z",1]`, `"@2024-02-29T10:11:12.013Z"`},
		{"addMonths", `["2026-03-31",-1]`, `"@2026-02-28T00:00:00.000Z"`},
		{"addMonths", `["2026-11-15",3]`, `"@2027-02-15T00:00:00.000Z"`},
		{"addMonths", `["2026-01-15",-13]`, `"@2024-12-15T00:00:00.000Z"`},
		{"addMonths", `["1969-12-31T23:59:59.999Z",2]`, `"@1970-02-28T23:59:59.999Z"`},
		{"addMonths", `["2026-01-31",1,"Europe/Berlin"]`, `"@2026-02-27T23:00:00.000Z"`},
		{"addMonths", `["2026-01-31",0.5]`, `error: addMonths: argument 2 (n) must be a whole number`},
		{"addMonths", `["2026-01-31",100000]`, `error: addMonths: date out of range`},
		{"addYears", `["2024-02-29",1]`, `"@2025-02-28T00:00:00.000Z"`},
		{"addYears", `["2024-02-29",4]`, `"@2028-02-29T00:00:00.000Z"`},
		{"addYears", `["2024-02-29",8000]`, `error: addYears: date out of range`},
		{"startOfDay", `["2026-01-20T09:08:07.006Z"]`, `"@2026-01-20T00:00:00.000Z"`},
		{"startOfDay", `["1969-12-31T09:00:00Z"]`, `"@1969-12-31T00:00:00.000Z"`},
		{"startOfDay", `["2026-01-20T23:30:00Z","Europe/Berlin"]`, `"@2026-01-20T23:00:00.000Z"`},
		// Midnight of 4 November 2018 was skipped in São Paulo: the day began at
		// 01:00, which is 03:00 UTC.
		{"startOfDay", `["2018-11-04T15:00:00Z","America/Sao_Paulo"]`, `"@2018-11-04T03:00:00.000Z"`},
		// Midnight of 1 November 2020 came twice in Havana, first at 04:00 UTC.
		{"startOfDay", `["2020-11-01T15:00:00Z","America/Havana"]`, `"@2020-11-01T04:00:00.000Z"`},
		{"startOfMonth", `["2026-01-20T09:08:07.006Z"]`, `"@2026-01-01T00:00:00.000Z"`},
		{"startOfMonth", `["2026-03-31T22:30:00Z","Europe/Berlin"]`, `"@2026-03-31T22:00:00.000Z"`},
		{"diffDays", `["2026-01-20","2026-01-22T23:00:00Z"]`, `2`},
		{"diffDays", `["2026-01-22T23:00:00Z","2026-01-20"]`, `-2`},
		{"diffDays", `["2026-01-20T01:00:00Z","2026-01-20"]`, `0`},
		{"diffHours", `["2026-01-20","2026-01-20T02:59:00Z"]`, `2`},
		{"diffHours", `["2026-01-20","2026-01-19T21:01:00Z"]`, `-2`},
		{"diffHours", `["2026-01-20","x"]`, `error: diffHours: argument 2 (b) must be a date`},
		{"isBefore", `["2026-01-20","@2026-01-20T00:00:00.001Z"]`, `true`},
		{"isBefore", `["2026-01-20","2026-01-20"]`, `false`},
		{"isBefore", `["2026-01-20T09:00:00+01:00","2026-01-20T08:30:00Z"]`, `true`},
		{"isAfter", `["2026-01-21","2026-01-20"]`, `true`},
		{"isAfter", `["2026-01-20",null]`, `error: isAfter: argument 2 (b) must be a timestamp or date text, found null`},
		{"windows", `["2026-01-01","2026-01-04",86400000]`, `[{"from":"@2026-01-01T00:00:00.000Z","to":"@2026-01-02T00:00:00.000Z"},{"from":"@2026-01-02T00:00:00.000Z","to":"@2026-01-03T00:00:00.000Z"},{"from":"@2026-01-03T00:00:00.000Z","to":"@2026-01-04T00:00:00.000Z"}]`},
		{"windows", `["2026-01-01","@2026-01-02T00:00:00.001Z",86400000]`, `[{"from":"@2026-01-01T00:00:00.000Z","to":"@2026-01-02T00:00:00.000Z"},{"from":"@2026-01-02T00:00:00.000Z","to":"@2026-01-02T00:00:00.001Z"}]`},
		{"windows", `["2026-01-01","2026-01-02",9223372036854775807]`, `[{"from":"@2026-01-01T00:00:00.000Z","to":"@2026-01-02T00:00:00.000Z"}]`},
		{"windows", `["2026-01-01","2026-01-01",1]`, `[]`},
		{"windows", `["2026-01-02","2026-01-01",1]`, `[]`},
		{"windows", `["2026-01-01","2026-01-02",0]`, `error: windows: argument 3 (step) must be a duration above 0, such as 7d, found number 0`},
		{"windows", `["2026-01-01","2026-01-02",-5]`, `error: a duration above 0`},
		{"windows", `["2026-01-01","2026-01-02",1.5]`, `error: windows: argument 3 (step) must be a whole number`},
		{"windows", `["0000-01-01","9999-12-31",1]`, `error: more than 1 million: take a longer step`},
		{"windows", `["2026-01-01","soon",1]`, `error: windows: argument 2 (to) must be a date`},
		{"windows", `[null,"2026-01-02",1]`, `error: windows: argument 1 (from) must be a timestamp or date text, found null`},
		{"milliseconds", `[5]`, `5`},
		{"seconds", `[5]`, `5000`},
		{"seconds", `[4.35]`, `4350`},
		{"minutes", `[5]`, `300000`},
		{"hours", `[1.5]`, `5400000`},
		{"days", `[1]`, `86400000`},
		{"weeks", `[-1]`, `-604800000`},
		{"hours", `["1"]`, `error: hours: argument 1 (n) must be a number`},
		{"weeks", `[1e308]`, `error: weeks: `},
	})
}

func TestFormatDate(t *testing.T) {
	run(t, []example{
		{"formatDate", `["2026-01-02T03:04:05.006Z","YYYY-MM-DD HH:mm:ss.SSS Z"]`, `"2026-01-02 03:04:05.006 +00:00"`},
		{"formatDate", `["2026-01-02T03:04:05.006Z","YY M D H"]`, `"26 1 2 3"`},
		{"formatDate", `["2026-01-02T03:04:05.006Z","D.M.YYYY"]`, `"2.1.2026"`},
		{"formatDate", `["2026-01-02","MMM MMMM ddd dddd"]`, `"Jan January Fri Friday"`},
		{"formatDate", `["2026-05-02","MMMM"]`, `"May"`},
		{"formatDate", `["2026-01-02T03:04:05Z","YYYY-MM-DDTHH:mm:ssZ"]`, `"2026-01-02T03:04:05+00:00"`},
		{"formatDate", `["2026-07-02T22:04:05Z","DD HH:mm Z","Europe/Berlin"]`, `"03 00:04 +02:00"`},
		{"formatDate", `["2026-07-02T22:04:05Z","HH:mm Z","America/New_York"]`, `"18:04 -04:00"`},
		{"formatDate", `["2026-07-02T22:04:05Z","HH:mm Z","Asia/Kolkata"]`, `"03:34 +05:30"`},
		{"formatDate", `["0007-01-02","YYYY-YY"]`, `"0007-07"`},
		{"formatDate", `["2026-01-02","[YYYY] YYYY [at] [Day]"]`, `"YYYY 2026 at Day"`},
		{"formatDate", `["2026-01-02","Date: DD, Month MM, Day D, Zone Z"]`, `"Date: 02, Month 01, Day 2, Zone +00:00"`},
		{"formatDate", `["2026-01-02T09:30:00Z","Hhmm"]`, `"9h30"`},
		{"formatDate", `["2026-01-02","YYYY年MM月DD日"]`, `"2026年01月02日"`},
		{"formatDate", `["2026-01-02","q x {}"]`, `"q x {}"`},
		{"formatDate", `["2026-01-02","add YYYY"]`, `"add 2026"`},
		{"formatDate", `["2026-01-02",""]`, `""`},
		{"formatDate", `["2026-01-02","yyyy-MM-dd"]`, "error: formatDate: `yyyy` is no pattern of dates: write YYYY, or [yyyy] for the text"},
		{"formatDate", `["2026-01-02","dd.MM.YYYY"]`, "error: `dd` is no pattern of dates: write DD"},
		{"formatDate", `["2026-01-02","hh:mm"]`, "error: `hh` is no pattern of dates: write HH"},
		{"formatDate", `["2026-01-02","h:mm"]`, "error: `h:mm` is no pattern of dates: write H:mm"},
		{"formatDate", `["2026-01-02","%Y-%m-%d"]`, "error: `%Y` is no pattern of dates: write YYYY"},
		{"formatDate", `["2026-01-02","2006-01-02"]`, "error: `2006` is no pattern of dates: write YYYY"},
		{"formatDate", `["2026-01-02","[abc"]`, "error: found `[` without `]`"},
		{"formatDate", `["2026-01-02","YYYY","Nowhere"]`, `error: formatDate: argument 3 (zone) must be an IANA time zone`},
		{"formatDate", `["2026-01-02"]`, `error: formatDate takes 2 or 3 arguments, found 1: write formatDate(t, pattern, zone?)`},
		{"formatDate", `["today","YYYY"]`, `error: formatDate: argument 1 (t) must be a date`},
	})
}

func TestParseDate(t *testing.T) {
	run(t, []example{
		{"parseDate", `["2026-01-20T09:08:07.006+02:00"]`, `"@2026-01-20T07:08:07.006Z"`},
		{"parseDate", `["2026-01-20"]`, `"@2026-01-20T00:00:00.000Z"`},
		{"parseDate", `["2026-01-20 09:08"]`, `"@2026-01-20T09:08:00.000Z"`},
		{"parseDate", `["2026-01-20 09:08:07"]`, `"@2026-01-20T09:08:07.000Z"`},
		{"parseDate", `["2026-01-20 09:08:07.5"]`, `"@2026-01-20T09:08:07.500Z"`},
		{"parseDate", `["2026-01-20T09:08"]`, `"@2026-01-20T09:08:00.000Z"`},
		{"parseDate", `["2026-01-20T09:08:07"]`, `"@2026-01-20T09:08:07.000Z"`},
		{"parseDate", `["2026-01-20 09:08:07Z"]`, `"@2026-01-20T09:08:07.000Z"`},
		{"parseDate", `["@2026-01-20T09:08:07Z"]`, `"@2026-01-20T09:08:07.000Z"`},
		{"parseDate", `["2026-01-20","Europe/Berlin"]`, `"@2026-01-19T23:00:00.000Z"`},
		{"parseDate", `["2026-07-20 09:00","Europe/Berlin"]`, `"@2026-07-20T07:00:00.000Z"`},
		{"parseDate", `["2026-07-20T09:00:00Z","Europe/Berlin"]`, `"@2026-07-20T09:00:00.000Z"`},
		{"parseDate", `["20/01/2026","DD/MM/YYYY"]`, `"@2026-01-20T00:00:00.000Z"`},
		{"parseDate", `["20/01/2026","DD/MM/YYYY","Europe/Berlin"]`, `"@2026-01-19T23:00:00.000Z"`},
		{"parseDate", `["1.2.26 5:06","D.M.YY H:mm"]`, `"@2026-02-01T05:06:00.000Z"`},
		{"parseDate", `["31.12.70","DD.MM.YY"]`, `"@1970-12-31T00:00:00.000Z"`},
		{"parseDate", `["31.12.69","DD.MM.YY"]`, `"@2069-12-31T00:00:00.000Z"`},
		{"parseDate", `["Tue, 20 JAN 2026 09:08:07 +0130","ddd, DD MMM YYYY HH:mm:ss Z"]`, `"@2026-01-20T07:38:07.000Z"`},
		{"parseDate", `["Tuesday 5 september 2026","dddd D MMMM YYYY"]`, `"@2026-09-05T00:00:00.000Z"`},
		{"parseDate", `["2026-01-20T09:08:07.006-01:00","YYYY-MM-DDTHH:mm:ss.SSSZ"]`, `"@2026-01-20T10:08:07.006Z"`},
		{"parseDate", `["2026-01-20T09:08:07Z","YYYY-MM-DDTHH:mm:ssZ","Asia/Tokyo"]`, `"@2026-01-20T09:08:07.000Z"`},
		{"parseDate", `["Q1 2026","[Q1] YYYY"]`, `"@2026-01-01T00:00:00.000Z"`},
		{"parseDate", `["@2026-01-20T09:08:07Z","DD/MM/YYYY"]`, `"@2026-01-20T09:08:07.000Z"`},
		{"parseDate", `["2026-02-29"]`, `error: parseDate: argument 1 (s) must be a date such as 2026-01-20`},
		{"parseDate", `["2026-01-20 9:08"]`, `error: must be a date`},
		{"parseDate", `["2026-01-20x"]`, `error: must be a date`},
		{"parseDate", `["2026-01-20 24:00"]`, `error: must be a date`},
		{"parseDate", `[""]`, `error: must be a date`},
		{"parseDate", `[null]`, `error: parseDate: argument 1 (s) must be a timestamp or date text, found null`},
		{"parseDate", `["20-01-2026","DD/MM/YYYY"]`, `error: parseDate: "20-01-2026" is not of the form "DD/MM/YYYY": expected /, found "-01-2026"`},
		{"parseDate", `["20/01/2026 x","DD/MM/YYYY"]`, `error: expected its end, found " x"`},
		{"parseDate", `["20/01","DD/MM/YYYY"]`, `error: expected /, found the end of the text`},
		{"parseDate", `["30/02/2026","DD/MM/YYYY"]`, `error: there is no such date as "30/02/2026"`},
		{"parseDate", `["2026-13-01","YYYY-MM-DD","UTC"]`, `error: there is no such date`},
		{"parseDate", `["2026-00-01","YYYY-MM-DD","UTC"]`, `error: there is no such date`},
		{"parseDate", `["2026-01-01 25","YYYY-MM-DD HH"]`, `error: there is no such date`},
		{"parseDate", `["Foo 2026","MMM YYYY"]`, `error: expected MMM, found "Foo 2026"`},
		{"parseDate", `["20/01","DD/MM"]`, `error: parseDate: argument 2 (pattern) must be a pattern with YYYY or YY, or an IANA time zone, found string "DD/MM"`},
		{"parseDate", `["20/01","DD/MM","UTC"]`, `error: argument 2 (pattern) must be a pattern with YYYY or YY`},
		{"parseDate", `["2026","YYYY","Nowhere"]`, `error: argument 3 (zone) must be an IANA time zone`},
		{"parseDate", `["9999-12-31 23:00 -02:00","YYYY-MM-DD HH:mm Z"]`, `error: date out of range`},
		{"parseDate", `["2026 +01","YYYY Z"]`, `error: expected Z, found "+01"`},
		{"parseDate", `["2026 +0199","YYYY Z"]`, `error: expected Z, found "+0199"`},
		{"parseDate", `["2026 +x","YYYY Z"]`, `error: expected Z, found "+x"`},
		{"parseDate", `["2026 x","YYYY Z"]`, `error: expected Z, found "x"`},
		{"parseDate", `["2026 ","YYYY Z"]`, `error: expected Z, found the end of the text`},
		{"parseDate", `["2026 z","YYYY Z"]`, `"@2026-01-01T00:00:00.000Z"`},
		{"parseDate", `["2026-éééééééééééééééééééééééééééééééééééééééééééééééééé","YYYY"]`, `error: ééé…" is not of the form "YYYY"`},
		{"parseDate", `["2026","yyyy YY"]`, "error: `yyyy` is no pattern of dates: write YYYY"},
		{"parseDate", `["2026","[YYYY]"]`, `error: is not of the form`},
		{"parseDate", `["YYYY","[YYYY]"]`, `error: has no year`},
	})
}

// What formatDate writes with a complete pattern, parseDate reads back, in every
// zone.
func TestFormatAndParseDateAgree(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		zone := value.FromString(zones[rnd.IntN(len(zones))])
		at := value.FromTime(rnd.Int64N(4_000_000_000) * 1000) // zones had offsets with seconds before 1970
		pattern := value.FromString("dddd D MMMM YYYY, HH:mm:ss.SSS Z")
		s, err := call(t, "formatDate", at, pattern, zone)
		if err != nil {
			t.Fatal(err)
		}
		back, err := call(t, "parseDate", s, pattern, zone)
		if err != nil || back.Time() != at.Time() {
			t.Fatalf("%s in %s is %q, which reads as %s, %v", show(at), zone.Str(), s.Str(), show(back), err)
		}
	}
}

// The start of a day is on that day, and nothing of the day is before it.
func TestStartOfDayIsFirst(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, zone := range []string{"Europe/Berlin", "America/Sao_Paulo", "America/Havana", "Asia/Beirut", "Africa/Cairo", "Pacific/Apia"} {
		loc, err := value.Zone(zone)
		if err != nil {
			t.Fatal(err)
		}
		for range 2000 {
			ms := rnd.Int64N(2_000_000_000) * 1000
			got, err := call(t, "startOfDay", value.FromTime(ms), value.FromString(zone))
			if err != nil {
				t.Fatal(err)
			}
			day := time.UnixMilli(ms).In(loc).Format(time.DateOnly)
			start := got.Time()
			if s := time.UnixMilli(start).In(loc).Format(time.DateOnly); s != day || start > ms {
				t.Fatalf("%s in %s: the start of %s is %s", show(value.FromTime(ms)), zone, day, show(got))
			}
			for _, before := range []int64{1, 30 * msMinute, msHour} {
				if s := time.UnixMilli(start - before).In(loc).Format(time.DateOnly); s == day {
					t.Fatalf("%s in %s: %d ms before its start it is %s already", show(value.FromTime(ms)), zone, before, day)
				}
			}
		}
	}
}

// A zone is loaded once, and the cache does not keep what is none.
func TestZoneCache(t *testing.T) {
	z := newZoneCache()
	args := []value.Value{value.FromString("Europe/Berlin")}
	a, err := z.get(args, 0)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := z.get(args, 0); a != b {
		t.Error("the zone was loaded twice")
	}
	for _, name := range []string{"", "Local", "x", "Europe/", "/etc/localtime", "../../etc/passwd", "\x00"} {
		if _, err := z.get([]value.Value{value.FromString(name)}, 0); err == nil {
			t.Errorf("%q is taken for a zone", name)
		}
	}
	if len(z.byName) != 1 {
		t.Errorf("%d zones are kept, want 1", len(z.byName))
	}
}
