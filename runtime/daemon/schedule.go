package daemon

import (
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"reqon/compiler"
	"reqon/runtime/engine"
	"reqon/vm/bytecode"
)

// schedule is when a mission is due (language definition, section 5).
type schedule struct {
	kind    bytecode.ScheduleKind
	every   time.Duration  // for Every
	cron    *compiler.Cron // for Cron
	at      time.Time      // for At
	zone    *time.Location // for Cron
	jitter  time.Duration
	seed    string // tells this daemon's jitter from that of others
	catchUp engine.CatchUp
	text    string // as it is written
}

// newSchedule reads a mission's schedule; nil if it has none. local is the
// system's zone.
func newSchedule(p *bytecode.Program, o engine.Options, local *time.Location, seed string) (*schedule, error) {
	if p.Schedule == nil {
		return nil, nil
	}
	s := &schedule{kind: p.Schedule.Kind, zone: o.Timezone, jitter: o.Jitter, catchUp: o.CatchUp, seed: seed + "\x00" + p.Mission}
	if s.zone == nil {
		s.zone = local
	}
	var err error
	switch s.kind {
	case bytecode.Every:
		s.every = time.Duration(p.Schedule.Every) * time.Millisecond
		s.text = everyText(s.every)
		if s.every <= 0 || s.every/time.Millisecond != time.Duration(p.Schedule.Every) {
			err = fmt.Errorf("every %d milliseconds is no interval", p.Schedule.Every)
		}
	case bytecode.Cron:
		s.text = fmt.Sprintf("cron %q", p.Schedule.Text)
		s.cron, err = compiler.ParseCron(p.Schedule.Text)
	case bytecode.At:
		s.text = fmt.Sprintf("at %q", p.Schedule.Text)
		s.at, err = compiler.ParseAt(p.Schedule.Text, s.zone)
	default:
		err = fmt.Errorf("its kind %d is unknown", s.kind)
	}
	if err != nil {
		return nil, fmt.Errorf("mission %s: schedule: %w", p.Mission, err)
	}
	return s, nil
}

// everyText is an interval as the language writes it.
func everyText(d time.Duration) string {
	units := []struct {
		name string
		long time.Duration
	}{{"week", 7 * 24 * time.Hour}, {"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}}
	for _, u := range units {
		if n := d / u.long; d > 0 && d%u.long == 0 {
			if n == 1 {
				return "every 1 " + u.name
			}
			return fmt.Sprintf("every %d %ss", n, u.name)
		}
	}
	return "every " + d.String()
}

// key is what the state folder knows the schedule by: with another one, what was
// due before was not missed.
func (s *schedule) key() string {
	if s.kind == bytecode.Cron {
		return s.text + " " + s.zone.String()
	}
	if s.kind == bytecode.At {
		return "at " + s.at.UTC().Format(time.RFC3339Nano)
	}
	return s.text
}

// start is when the run of a due time is to start: up to the jitter later. It is
// the same whenever it is asked for, so that a restart in between neither loses
// the run nor moves it.
func (s *schedule) start(due time.Time) time.Time {
	if s.jitter <= 0 || due.IsZero() {
		return due
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\x00%d", s.seed, due.UnixMicro())
	// The high bits of FNV of similar texts are alike; a multiplication by an odd
	// number spreads them (Knuth, volume 3, section 6.4).
	x := h.Sum64() * 0x9E3779B97F4A7C15
	return due.Add(time.Duration(x >> 1 % uint64(s.jitter)))
}

// memory is what is known of a mission's past.
type memory struct {
	began     time.Time // since when this process has had the mission
	firstSeen time.Time // when a daemon first saw it with this schedule
	lastDue   time.Time // the greatest due time claimed
	lastRun   time.Time // what an interval counts from; zero if there was no run
	claimed   func(due time.Time) bool
}

func (m *memory) isClaimed(due time.Time) bool { return m.claimed != nil && m.claimed(due) }

// plan is what follows for a mission from its past.
type plan struct {
	due    time.Time   // the next due time; zero if there is none
	missed []time.Time // to be run now, the oldest first
	lost   time.Time   // the latest due time that was missed and won't be run; zero if none was
	past   bool        // the time of an `at` was over when it was first seen
}

// maxCatchUp is how many missed due times `catchUp: "all"` runs at most.
const maxCatchUp = 100

// plan works out what is due now and next. catchUp is how missed times are dealt
// with, which is the schedule's own unless the daemon was there all along.
func (s *schedule) plan(m memory, now time.Time, catchUp engine.CatchUp) plan {
	switch s.kind {
	case bytecode.Every:
		return plan{due: s.nextInterval(m, now)}
	case bytecode.At:
		return s.planAt(m, now, catchUp)
	}
	return s.planCron(m, now, catchUp)
}

// nextInterval is one interval after the last run, or after began if there was
// none. A time that was claimed already can't be had again; then it is now.
func (s *schedule) nextInterval(m memory, now time.Time) time.Time {
	anchor := m.lastRun
	if anchor.IsZero() {
		anchor = m.began
	}
	if anchor.After(now) { // the clock was set back
		anchor = now
	}
	due := anchor.Add(s.every)
	if !due.After(now) && !due.After(m.lastDue) {
		due = now
	}
	return due
}

func (s *schedule) planAt(m memory, now time.Time, catchUp engine.CatchUp) plan {
	switch {
	case m.isClaimed(s.at) || s.at.Equal(m.lastDue):
		return plan{}
	case s.start(s.at).After(now):
		return plan{due: s.at}
	case !m.firstSeen.Before(s.at):
		return plan{past: true}
	case catchUp == engine.CatchUpNone:
		return plan{lost: s.at}
	}
	return plan{missed: []time.Time{s.at}}
}

func (s *schedule) planCron(m memory, now time.Time, catchUp engine.CatchUp) plan {
	since := later(m.firstSeen, m.lastDue)
	var p plan
	keep := 1
	if catchUp == engine.CatchUpAll {
		keep = maxCatchUp
	}
	for _, due := range s.latest(since, now, keep+s.pending(now)) {
		if !s.start(due).After(now) && !m.isClaimed(due) {
			p.missed = append(p.missed, due)
		}
	}
	if n := len(p.missed); n > keep {
		p.lost, p.missed = p.missed[n-keep-1], p.missed[n-keep:]
	}
	if catchUp == engine.CatchUpNone && len(p.missed) > 0 {
		p.lost, p.missed = p.missed[len(p.missed)-1], nil
	}
	// What is due already but is held back by its jitter is yet to come.
	from := now.Add(-s.jitter)
	if !since.After(now) {
		from = later(from, since)
	}
	p.due = s.cron.Next(from, s.zone)
	for !p.due.IsZero() && (!s.start(p.due).After(now) || m.isClaimed(p.due)) {
		p.due = s.cron.Next(p.due, s.zone)
	}
	return p
}

// pending is how many due times may be held back by the jitter.
func (s *schedule) pending(now time.Time) int {
	n := 0
	if s.jitter > 0 {
		for t := s.cron.Next(now.Add(-s.jitter), s.zone); !t.IsZero() && !t.After(now) && n < maxCatchUp; n++ {
			t = s.cron.Next(t, s.zone)
		}
	}
	return n
}

// latest returns at least the last n times of the cron expression after since
// and up to now, the oldest first. It looks back in growing steps, so that years
// of minutes aren't counted one by one.
func (s *schedule) latest(since, now time.Time, n int) []time.Time {
	if since.IsZero() || !since.Before(now) {
		return nil
	}
	for step := time.Hour; ; step *= 8 {
		from := later(since, now.Add(-step))
		var dues []time.Time
		for t := s.cron.Next(from, s.zone); !t.IsZero() && !t.After(now); t = s.cron.Next(t, s.zone) {
			dues = append(dues, t)
		}
		if len(dues) > n || from.Equal(since) || step > 20*365*24*time.Hour {
			return dues
		}
	}
}

// following is the due time after the one that has just come, at now.
func (s *schedule) following(due, now time.Time) time.Time {
	switch s.kind {
	case bytecode.Every:
		// As countsFrom has it; a run that has to wait is set right at its start.
		if next := due.Add(s.every); next.After(now) {
			return next
		}
		return now.Add(s.every)
	case bytecode.Cron:
		return s.cron.Next(due, s.zone)
	}
	return time.Time{}
}

// overdueIntervals is how many intervals may pass without a success before a
// mission counts as overdue.
const overdueIntervals = 3

// overdue is when a mission that last succeeded at since counts as overdue: three
// of its intervals later, which of a cron expression are three due times. Zero if
// it never does.
func (s *schedule) overdue(since time.Time) time.Time {
	switch s.kind {
	case bytecode.Every:
		return since.Add(overdueIntervals*s.every + s.jitter)
	case bytecode.Cron:
		due := since
		for range overdueIntervals {
			if due = s.cron.Next(due, s.zone); due.IsZero() {
				return due
			}
		}
		return due.Add(s.jitter)
	}
	return time.Time{}
}

// onTime is how late a run may start and still count as having started when it
// was due.
const onTime = 50 * time.Millisecond

// countsFrom is what an interval counts from after a run: when it was due, so
// that small delays don't add up; or its start where it had to wait, so that
// missions which were due together move apart, and don't wait for one another
// every time.
func (s *schedule) countsFrom(due, start time.Time) time.Time {
	if due.IsZero() {
		return start
	}
	if wait := start.Sub(s.start(due)); wait > onTime {
		return due.Add(wait)
	}
	return due
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// NextRuns returns the next n times after from of a cron expression in a zone
// (`reqon cron`, `reqon --validate-cron`). The error says what is wrong with the
// expression; for a mistake in it, it is a *compiler.CronError.
func NextRuns(text string, zone *time.Location, from time.Time, n int) ([]time.Time, error) {
	c, err := compiler.ParseCron(text)
	if err != nil {
		return nil, err
	}
	var times []time.Time
	for t := c.Next(from, zone); !t.IsZero() && len(times) < n; t = c.Next(t, zone) {
		times = append(times, t)
	}
	return slices.Clip(times), nil
}
