package daemon

import (
	"slices"
	"testing"
	"time"

	"reqon/compiler"
	"reqon/runtime/engine"
	"reqon/vm/bytecode"
)

func utc(t testing.TB, text string) time.Time {
	t.Helper()
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse("2006-01-02 15:04:05", text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func texts(times []time.Time) []string {
	var list []string
	for _, at := range times {
		list = append(list, at.UTC().Format("2006-01-02 15:04:05"))
	}
	return list
}

func text(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02 15:04:05")
}

func cronSchedule(t testing.TB, expr string) *schedule {
	t.Helper()
	c, err := compiler.ParseCron(expr)
	if err != nil {
		t.Fatal(err)
	}
	return &schedule{kind: bytecode.Cron, cron: c, zone: time.UTC, text: expr}
}

func TestPlanInterval(t *testing.T) {
	s := &schedule{kind: bytecode.Every, every: time.Hour}
	for _, c := range []struct{ what, began, lastRun, lastDue, now, want string }{
		{"never ran: from the daemon's start", "2024-01-20 09:00:00", "", "", "2024-01-20 09:00:00", "2024-01-20 10:00:00"},
		{"ran 20 minutes ago", "2024-01-20 09:00:00", "2024-01-20 08:40:00", "2024-01-20 08:40:00", "2024-01-20 09:00:00", "2024-01-20 09:40:00"},
		{"ran one interval ago: due now", "2024-01-20 09:00:00", "2024-01-20 08:00:00", "2024-01-20 08:00:00", "2024-01-20 09:00:00", "2024-01-20 09:00:00"},
		{"ran days ago: due since then, once", "2024-01-20 09:00:00", "2024-01-17 08:30:00", "2024-01-17 08:30:00", "2024-01-20 09:00:00", "2024-01-17 09:30:00"},
		{"its due time was claimed and never run", "2024-01-20 09:00:00", "2024-01-20 07:50:00", "2024-01-20 08:50:00", "2024-01-20 09:00:00", "2024-01-20 09:00:00"},
		{"ran in what is now the future", "2024-01-20 09:00:00", "2025-01-20 08:00:00", "2025-01-20 08:00:00", "2024-01-20 09:00:00", "2024-01-20 10:00:00"},
	} {
		m := memory{began: utc(t, c.began), lastRun: utc(t, c.lastRun), lastDue: utc(t, c.lastDue)}
		p := s.plan(m, utc(t, c.now), engine.CatchUpAll)
		if text(p.due) != c.want || p.missed != nil || !p.lost.IsZero() {
			t.Errorf("%s: due %s, missed %v; want due %s", c.what, text(p.due), texts(p.missed), c.want)
		}
	}
}

func TestPlanAt(t *testing.T) {
	s := &schedule{kind: bytecode.At, at: utc(t, "2024-01-20 12:00:00")}
	for _, c := range []struct {
		what, firstSeen, lastDue, now string
		catchUp                       engine.CatchUp
		due, missed, lost             string
		past                          bool
	}{
		{"ahead", "2024-01-20 09:00:00", "", "2024-01-20 09:00:00", engine.CatchUpNone, "2024-01-20 12:00:00", "", "", false},
		{"past when first seen", "2024-01-20 13:00:00", "", "2024-01-20 13:00:00", engine.CatchUpAll, "", "", "", true},
		{"just past when first seen", "2024-01-20 12:00:00", "", "2024-01-20 12:00:00", engine.CatchUpAll, "", "", "", true},
		{"passed while down", "2024-01-20 09:00:00", "", "2024-01-20 13:00:00", engine.CatchUpNone, "", "", "2024-01-20 12:00:00", false},
		{"passed while down, caught up", "2024-01-20 09:00:00", "", "2024-01-20 13:00:00", engine.CatchUpOne, "", "2024-01-20 12:00:00", "", false},
		{"passed while down, all", "2024-01-20 09:00:00", "", "2024-01-20 13:00:00", engine.CatchUpAll, "", "2024-01-20 12:00:00", "", false},
		{"was run", "2024-01-20 09:00:00", "2024-01-20 12:00:00", "2024-01-20 13:00:00", engine.CatchUpAll, "", "", "", false},
		{"was run, and the clock set back", "2024-01-20 09:00:00", "2024-01-20 12:00:00", "2024-01-20 11:00:00", engine.CatchUpAll, "", "", "", false},
	} {
		p := s.plan(memory{firstSeen: utc(t, c.firstSeen), lastDue: utc(t, c.lastDue)}, utc(t, c.now), c.catchUp)
		if text(p.due) != c.due || !slices.Equal(texts(p.missed), list(c.missed)) || text(p.lost) != c.lost || p.past != c.past {
			t.Errorf("%s: %+v", c.what, p)
		}
	}
}

func list(s ...string) []string {
	return slices.DeleteFunc(s, func(s string) bool { return s == "" })
}

func TestPlanCron(t *testing.T) {
	for _, c := range []struct {
		what, cron, firstSeen, lastDue, now string
		catchUp                             engine.CatchUp
		due                                 string
		missed                              []string
		lost                                string
	}{
		{"first seen", "0 * * * *", "2024-01-20 09:30:00", "", "2024-01-20 09:30:00", engine.CatchUpAll, "2024-01-20 10:00:00", nil, ""},
		{"nothing missed", "0 * * * *", "2024-01-01 00:00:00", "2024-01-20 09:00:00", "2024-01-20 09:30:00", engine.CatchUpAll, "2024-01-20 10:00:00", nil, ""},
		{"due this moment", "0 * * * *", "2024-01-01 00:00:00", "2024-01-20 08:00:00", "2024-01-20 09:00:00", engine.CatchUpOne, "2024-01-20 10:00:00", []string{"2024-01-20 09:00:00"}, ""},
		{"missed three, none caught up", "0 * * * *", "2024-01-01 00:00:00", "2024-01-20 06:00:00", "2024-01-20 09:30:00", engine.CatchUpNone, "2024-01-20 10:00:00", nil, "2024-01-20 09:00:00"},
		{"missed three, one run", "0 * * * *", "2024-01-01 00:00:00", "2024-01-20 06:00:00", "2024-01-20 09:30:00", engine.CatchUpOne, "2024-01-20 10:00:00", []string{"2024-01-20 09:00:00"}, "2024-01-20 08:00:00"},
		{"missed three, one run each", "0 * * * *", "2024-01-01 00:00:00", "2024-01-20 06:00:00", "2024-01-20 09:30:00", engine.CatchUpAll, "2024-01-20 10:00:00",
			[]string{"2024-01-20 07:00:00", "2024-01-20 08:00:00", "2024-01-20 09:00:00"}, ""},
		{"not what was due before it was there", "0 * * * *", "2024-01-20 07:30:00", "2024-01-20 03:00:00", "2024-01-20 09:30:00", engine.CatchUpAll, "2024-01-20 10:00:00",
			[]string{"2024-01-20 08:00:00", "2024-01-20 09:00:00"}, ""},
		{"the clock was set back", "0 * * * *", "2024-01-01 00:00:00", "2024-01-20 12:00:00", "2024-01-20 09:30:00", engine.CatchUpAll, "2024-01-20 10:00:00", nil, ""},
		{"the rarest", "0 0 29 2 *", "2024-03-01 00:00:00", "", "2024-03-01 00:00:00", engine.CatchUpAll, "2028-02-29 00:00:00", nil, ""},
	} {
		s := cronSchedule(t, c.cron)
		p := s.plan(memory{firstSeen: utc(t, c.firstSeen), lastDue: utc(t, c.lastDue)}, utc(t, c.now), c.catchUp)
		if text(p.due) != c.due || !slices.Equal(texts(p.missed), c.missed) || text(p.lost) != c.lost {
			t.Errorf("%s: due %s, missed %v, lost %s", c.what, text(p.due), texts(p.missed), text(p.lost))
		}
	}
}

// TestCatchUpLimit: of very many missed times the newest 100 are run, and years
// of them are not counted one by one.
func TestCatchUpLimit(t *testing.T) {
	s := cronSchedule(t, "* * * * *")
	now := utc(t, "2024-01-20 09:00:30")
	began := time.Now()
	p := s.plan(memory{firstSeen: utc(t, "1990-01-01 00:00:00")}, now, engine.CatchUpAll)
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %s", took)
	}
	if len(p.missed) != 100 || text(p.missed[0]) != "2024-01-20 07:21:00" || text(p.missed[99]) != "2024-01-20 09:00:00" || text(p.lost) != "2024-01-20 07:20:00" {
		t.Errorf("%d missed, from %v; lost %s", len(p.missed), texts(p.missed)[:1], text(p.lost))
	}
}

// TestCronClaimedAgain: after the clock was set back, what was run is passed over.
func TestCronClaimedAgain(t *testing.T) {
	s := cronSchedule(t, "0 * * * *")
	claimed := func(due time.Time) bool { return due.Hour() >= 10 && due.Hour() <= 12 }
	p := s.plan(memory{firstSeen: utc(t, "2024-01-01 00:00:00"), lastDue: utc(t, "2024-01-20 12:00:00"), claimed: claimed}, utc(t, "2024-01-20 09:30:00"), engine.CatchUpNone)
	if text(p.due) != "2024-01-20 13:00:00" {
		t.Errorf("due %s", text(p.due))
	}
}

func TestFollowing(t *testing.T) {
	every := &schedule{kind: bytecode.Every, every: time.Hour}
	hourly := cronSchedule(t, "0 * * * *")
	for _, c := range []struct {
		what           string
		s              *schedule
		due, now, want string
	}{
		{"on time", every, "2024-01-20 09:00:00", "2024-01-20 09:00:00", "2024-01-20 10:00:00"},
		{"a little late: it does not drift", every, "2024-01-20 09:00:00", "2024-01-20 09:00:10", "2024-01-20 10:00:00"},
		{"late by more than an interval", every, "2024-01-20 09:00:00", "2024-01-20 11:30:00", "2024-01-20 12:30:00"},
		{"cron", hourly, "2024-01-20 09:00:00", "2024-01-20 09:00:05", "2024-01-20 10:00:00"},
		{"at", &schedule{kind: bytecode.At}, "2024-01-20 09:00:00", "2024-01-20 09:00:00", ""},
	} {
		if got := text(c.s.following(utc(t, c.due), utc(t, c.now))); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
}

// TestJitter: a start is at most the jitter late, always the same for a due time,
// and spread over it.
func TestJitter(t *testing.T) {
	s := &schedule{kind: bytecode.Every, every: time.Hour, jitter: 10 * time.Minute, seed: "host\x00dir\x00A"}
	other := &schedule{kind: bytecode.Every, every: time.Hour, jitter: 10 * time.Minute, seed: "host\x00dir\x00B"}
	var buckets [10]int
	same := 0
	for i := range 1000 {
		due := start.Add(time.Duration(i) * time.Hour)
		at := s.start(due)
		if at != s.start(due) || at.Before(due) || !at.Before(due.Add(s.jitter)) {
			t.Fatalf("due %s starts at %s", due, at)
		}
		buckets[at.Sub(due)/time.Minute]++
		if at.Equal(other.start(due)) {
			same++
		}
	}
	for i, n := range buckets {
		if n < 50 || n > 150 { // 100 expected; 5 standard deviations
			t.Errorf("minute %d has %d of 1000 starts", i, n)
		}
	}
	if same > 5 {
		t.Errorf("two missions start at the same moment %d times", same)
	}
}

// TestJitterOverRestart: what a jitter holds back is neither missed nor moved.
func TestJitterOverRestart(t *testing.T) {
	s := cronSchedule(t, "0 9 * * *")
	s.jitter = 10 * time.Minute
	due := utc(t, "2024-01-20 09:00:00")
	at := s.start(due)
	m := memory{firstSeen: utc(t, "2024-01-01 00:00:00"), lastDue: utc(t, "2024-01-19 09:00:00")}
	for _, now := range []time.Time{due.Add(-time.Minute), due, at.Add(-time.Millisecond)} {
		if p := s.plan(m, now, engine.CatchUpOne); !p.due.Equal(due) || p.missed != nil {
			t.Errorf("at %s: %+v", now, p)
		}
	}
	if p := s.plan(m, at, engine.CatchUpOne); text(p.due) != "2024-01-21 09:00:00" || len(p.missed) != 1 || !p.missed[0].Equal(due) {
		t.Errorf("when it starts: %+v", p)
	}
}

func TestScheduleTexts(t *testing.T) {
	for d, want := range map[time.Duration]string{
		15 * time.Minute: "every 15 minutes", time.Hour: "every 1 hour", 90 * time.Minute: "every 90 minutes",
		24 * time.Hour: "every 1 day", 14 * 24 * time.Hour: "every 2 weeks", time.Second: "every 1 second", 1500 * time.Millisecond: "every 1.5s",
	} {
		if got := everyText(d); got != want {
			t.Errorf("%d: %q, want %q", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		2100 * time.Millisecond: "2.1s", 0: "0.0s", -time.Second: "0.0s", 59940 * time.Millisecond: "59.9s", 59960 * time.Millisecond: "1m0s", 200 * time.Second: "3m20s", 2*time.Hour + 5*time.Second: "2h0m5s",
	} {
		if got := tookText(d); got != want {
			t.Errorf("%d: %q, want %q", d, got, want)
		}
	}
}

// TestBadSchedules: a schedule of a hostile artifact is an error, no panic.
func TestBadSchedules(t *testing.T) {
	for _, s := range []bytecode.Schedule{
		{Kind: bytecode.Every, Every: 0}, {Kind: bytecode.Every, Every: -5}, {Kind: bytecode.Every, Every: 1 << 62},
		{Kind: bytecode.Cron, Text: "x"}, {Kind: bytecode.Cron}, {Kind: bytecode.At, Text: "soon"}, {Kind: 77},
	} {
		if _, err := newSchedule(&bytecode.Program{Mission: "M", Schedule: &s}, engine.Options{}, time.UTC, ""); err == nil {
			t.Errorf("%+v is taken", s)
		}
	}
}

func TestNextRuns(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	times, err := NextRuns("0 9 * * *", berlin, start, 2)
	if err != nil || !slices.Equal(texts(times), []string{"2024-01-21 08:00:00", "2024-01-22 08:00:00"}) {
		t.Errorf("%v %v", texts(times), err)
	}
	if _, err := NextRuns("0 9 * *", berlin, start, 2); err == nil {
		t.Error("four fields are taken")
	}
}
