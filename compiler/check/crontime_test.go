package check

import (
	"testing"
	"time"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// TestCronNext holds the times of expressions against a calendar. Times are RFC
// 3339, so that the two hours of a clock change can be told apart.
func TestCronNext(t *testing.T) {
	for _, c := range []struct {
		cron, zone, from string
		want             []string
	}{
		{"*/15 * * * *", "UTC", "2024-01-20T09:00:00Z", []string{"2024-01-20T09:15:00Z", "2024-01-20T09:30:00Z"}},
		{"*/15 * * * *", "UTC", "2024-01-20T09:14:59.999Z", []string{"2024-01-20T09:15:00Z"}},
		{"0 9 * * *", "UTC", "2024-01-20T09:00:00Z", []string{"2024-01-21T09:00:00Z"}},
		{"59 23 31 12 *", "UTC", "2024-01-01T00:00:00Z", []string{"2024-12-31T23:59:00Z", "2025-12-31T23:59:00Z"}},
		{"0 9 * * mon-fri", "UTC", "2024-01-19T09:00:00Z", []string{"2024-01-22T09:00:00Z"}}, // the 19th is a Friday
		{"0 0 * * 7", "UTC", "2024-01-20T00:00:00Z", []string{"2024-01-21T00:00:00Z", "2024-01-28T00:00:00Z"}},
		{"0 0 * * fri-sun", "UTC", "2024-01-20T00:00:00Z", []string{"2024-01-21T00:00:00Z", "2024-01-26T00:00:00Z"}},
		// Either day field is enough where both name days.
		{"0 0 13 * fri", "UTC", "2024-09-01T00:00:00Z", []string{"2024-09-06T00:00:00Z", "2024-09-13T00:00:00Z", "2024-09-20T00:00:00Z", "2024-09-27T00:00:00Z", "2024-10-04T00:00:00Z", "2024-10-11T00:00:00Z", "2024-10-13T00:00:00Z"}},
		{"0 0 */10 * mon", "UTC", "2024-01-01T00:00:00Z", []string{"2024-01-08T00:00:00Z", "2024-01-11T00:00:00Z", "2024-01-15T00:00:00Z"}},
		{"0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", []string{"2104-02-29T00:00:00Z"}},
		{"0 0 31 * *", "UTC", "2024-01-31T00:00:00Z", []string{"2024-03-31T00:00:00Z", "2024-05-31T00:00:00Z"}},
		{"@hourly", "UTC", "2024-01-20T09:00:00Z", []string{"2024-01-20T10:00:00Z"}},
		{"@daily", "UTC", "2024-01-20T09:00:00Z", []string{"2024-01-21T00:00:00Z"}},
		{"@weekly", "UTC", "2024-01-20T09:00:00Z", []string{"2024-01-21T00:00:00Z"}},
		{"@monthly", "UTC", "2024-01-20T09:00:00Z", []string{"2024-02-01T00:00:00Z"}},
		{"@yearly", "UTC", "2024-01-20T09:00:00Z", []string{"2025-01-01T00:00:00Z"}},
		{"0 9 * * *", "America/New_York", "2024-01-20T13:59:00Z", []string{"2024-01-20T14:00:00Z"}},
		{"0 9 * * *", "Asia/Kolkata", "2024-01-20T00:00:00Z", []string{"2024-01-20T03:30:00Z"}},

		// Berlin, 31 March 2024: from 02:00 (+01:00) to 03:00 (+02:00).
		{"30 2 * * *", "Europe/Berlin", "2024-03-30T12:00:00+01:00", []string{"2024-03-31T03:00:00+02:00", "2024-04-01T02:30:00+02:00"}},
		{"0 1-4 * * *", "Europe/Berlin", "2024-03-31T00:00:00+01:00", []string{"2024-03-31T01:00:00+01:00", "2024-03-31T03:00:00+02:00", "2024-03-31T04:00:00+02:00"}},
		{"*/30 2 * * *", "Europe/Berlin", "2024-03-31T00:00:00+01:00", []string{"2024-03-31T03:00:00+02:00", "2024-04-01T02:00:00+02:00"}},
		{"*/30 * * * *", "Europe/Berlin", "2024-03-31T01:00:00+01:00", []string{"2024-03-31T01:30:00+01:00", "2024-03-31T03:00:00+02:00"}},
		{"30 * * * *", "Europe/Berlin", "2024-03-31T01:00:00+01:00", []string{"2024-03-31T01:30:00+01:00", "2024-03-31T03:30:00+02:00"}},
		// Berlin, 27 October 2024: from 03:00 (+02:00) back to 02:00 (+01:00).
		{"30 2 * * *", "Europe/Berlin", "2024-10-26T12:00:00+02:00", []string{"2024-10-27T02:30:00+02:00", "2024-10-28T02:30:00+01:00"}},
		{"30 2 * * *", "Europe/Berlin", "2024-10-27T02:10:00+01:00", []string{"2024-10-28T02:30:00+01:00"}},
		{"*/30 * * * *", "Europe/Berlin", "2024-10-27T02:00:00+02:00", []string{"2024-10-27T02:30:00+02:00", "2024-10-27T02:00:00+01:00", "2024-10-27T02:30:00+01:00", "2024-10-27T03:00:00+01:00"}},
		{"0 3 * * *", "Europe/Berlin", "2024-10-27T00:00:00+02:00", []string{"2024-10-27T03:00:00+01:00"}},
		// São Paulo, 4 November 2018: midnight is left out.
		{"0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00-03:00", []string{"2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"}},
		// Lord Howe, 6 October 2024: half an hour, 02:00 to 02:30.
		{"15 2 * * *", "Australia/Lord_Howe", "2024-10-05T12:00:00+10:30", []string{"2024-10-06T02:30:00+11:00", "2024-10-07T02:15:00+11:00"}},
		// Samoa had no 30 December 2011.
		{"0 12 30 12 *", "Pacific/Apia", "2011-12-29T13:00:00-10:00", []string{"2011-12-31T00:00:00+14:00", "2012-12-30T12:00:00+14:00"}},
	} {
		cron, err := NewCron(c.cron)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339Nano, c.from)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range c.want {
			want, err := time.Parse(time.RFC3339, text)
			if err != nil {
				t.Fatal(err)
			}
			got := cron.Next(at, zone(t, c.zone))
			if !got.Equal(want) {
				t.Errorf("%s in %s after %s: got %s, want %s", c.cron, c.zone, at.Format(time.RFC3339), got.Format(time.RFC3339), text)
				break
			}
			at = got
		}
	}
}

// TestCronNextMoves holds every time against the one before it, minute by
// minute over the days of the clock changes: Next from any moment gives the
// same time as a walk from one to the next.
func TestCronNextMoves(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia"} {
		loc := zone(t, name)
		for _, text := range []string{"*/30 * * * *", "30 2 * * *", "0 0 * * *", "15 1-3 * * *"} {
			cron, err := NewCron(text)
			if err != nil {
				t.Fatal(err)
			}
			for _, day := range []time.Time{
				time.Date(2024, 3, 30, 0, 0, 0, 0, loc), time.Date(2024, 10, 26, 0, 0, 0, 0, loc), time.Date(2018, 11, 3, 0, 0, 0, 0, loc),
				time.Date(2024, 10, 5, 0, 0, 0, 0, loc), time.Date(2024, 4, 6, 0, 0, 0, 0, loc), time.Date(2011, 12, 28, 0, 0, 0, 0, loc),
			} {
				next := cron.Next(day, loc)
				for at := day; at.Before(day.Add(72 * time.Hour)); at = at.Add(time.Minute) {
					if !at.Before(next) {
						next = cron.Next(next, loc)
					}
					if got := cron.Next(at, loc); !got.Equal(next) {
						t.Fatalf("%s in %s after %s: %s, but the walk comes to %s", text, name, at, got, next)
					}
				}
			}
		}
	}
}

func FuzzCronNext(f *testing.F) {
	f.Add("*/15 9-17 * * mon-fri", int64(1711843200))
	f.Add("30 2 29 2 *", int64(4102444800))
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string, unix int64) {
		cron, err := NewCron(text)
		if err != nil || unix < 0 || unix > 1<<33 {
			return
		}
		from := time.Unix(unix, 0)
		next := cron.Next(from, loc)
		if !next.After(from) {
			t.Fatalf("%q after %s: %s", text, from, next)
		}
		if next.Second() != 0 {
			t.Fatalf("%q after %s: %s is between minutes", text, from, next)
		}
	})
}

func BenchmarkCronNext(b *testing.B) {
	cron, err := NewCron("*/5 9-17 * * mon-fri")
	if err != nil {
		b.Fatal(err)
	}
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		b.Fatal(err)
	}
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, loc)
	for b.Loop() {
		at = cron.Next(at, loc)
	}
}
