package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"reqon/runtime/state"
)

// problem gives what /health says is wrong with a mission, "" if nothing is.
func (w *world) problem(mission string) string {
	w.t.Helper()
	code, body := w.get("/health")
	var h Health
	if err := json.Unmarshal(body, &h); err != nil {
		w.t.Fatalf("%v: %s", err, body)
	}
	if code != 200 {
		w.t.Errorf("/health answers %d", code)
	}
	for _, p := range h.Problems {
		if p.Mission == mission {
			if h.Status != "degraded" {
				w.t.Errorf("%s: %s", h.Status, body)
			}
			return p.Error
		}
	}
	return ""
}

// says waits for what /health says of the mission.
func (w *world) says(mission, want string) {
	w.t.Helper()
	w.await("/health says "+want, func() bool {
		got := w.problem(mission)
		return got == want || want != "" && strings.Contains(got, want)
	})
}

// metric gives the value of a series, "" if it is not there.
func (w *world) metric(series string) string {
	w.t.Helper()
	_, body := w.get("/metrics")
	for line := range strings.Lines(string(body)) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (w *world) metricIs(series, want string) {
	w.t.Helper()
	if got := w.metric(series); got != want {
		w.t.Errorf("%s is %q, expected %q", series, got, want)
	}
}

// TestDegradedByFailure: "/health is degraded with the reason while a mission's
// last run failed", over a restart too.
func TestDegradedByFailure(t *testing.T) {
	w := newWorld(t)
	w.cfg.MetricsAddr = w.cfg.HealthAddr
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.api.answer("/A", 500)
	w.run()
	w.says("A", "")
	w.metricIs(`reqon_mission_last_run_status{mission="A",status="failure"}`, "0")
	w.clock.Advance(time.Hour)
	w.sees(1, "A: Failed")
	w.says("A", "its last run failed: ")
	if why := w.problem("A"); !strings.Contains(why, "500") {
		t.Errorf("no reason: %s", why)
	}
	w.metricIs(`reqon_mission_last_run_status{mission="A",status="failure"}`, "1")
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.run()
	w.says("A", "its last run failed: ")
	w.metricIs(`reqon_mission_last_run_status{mission="A",status="failure"}`, "1")
	w.api.answer("/A", 0)
	w.clock.Advance(time.Hour)
	w.sees(1, "A: Completed")
	w.says("A", "")
	w.metricIs(`reqon_mission_last_run_status{mission="A",status="failure"}`, "0")
	w.metricIs(`reqon_mission_last_run_status{mission="A",status="success"}`, "1")
}

// TestMendedElsewhere: who has mended a mission runs it by hand, beside the
// daemon. It is well then, and its alerts end.
func TestMendedElsewhere(t *testing.T) {
	w := newWorld(t)
	w.cfg.MetricsAddr = w.cfg.HealthAddr
	w.write("a.reqon", syncMission("A", "every 7 days"))
	w.record("A", state.TriggerSchedule, start.AddDate(0, 0, -1), start.AddDate(0, 0, -1), state.StatusFailure)
	w.run()
	w.says("A", "its last run failed")
	w.record("A", state.TriggerAdhoc, time.Time{}, start.Add(time.Second), state.StatusSuccess)
	w.until("it is well", func() bool { return w.problem("A") == "" })
	w.metricIs(`reqon_mission_last_run_status{mission="A",status="failure"}`, "0")
	w.metricIs(`reqon_mission_last_run_status{mission="A",status="success"}`, "1")
	w.metricIs(`reqon_mission_last_success_timestamp_seconds{mission="A"}`, "1705741202")
	w.next("A", "2024-01-26 09:00:00") // its schedule goes on as it was
}

// TestDegradedByKill: a run that was cut off is no success either.
func TestDegradedByKill(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.record("A", state.TriggerSchedule, start.Add(-time.Hour), start.Add(-time.Hour), state.StatusInterrupted)
	w.run()
	w.says("A", "its last run was cut off")
}

// TestOverdue: degraded while "none succeeded for longer than three of its
// intervals".
func TestOverdue(t *testing.T) {
	for _, test := range []struct {
		name, schedule string
		overdue        time.Time // as a mission that has never succeeded
		after          time.Time // and after a success at 10:00:00
	}{
		{"an interval", "every 10 minutes", start.Add(30 * time.Minute), start.Add(90 * time.Minute)},
		{"a rare interval", "every 7 days", start.AddDate(0, 0, 21), start.AddDate(0, 0, 21).Add(time.Hour)},
		// 2024-01-20 is a Saturday: Monday, Tuesday, Wednesday.
		{"weekdays", `cron "0 9 * * 1-5"`, start.AddDate(0, 0, 4), start.AddDate(0, 0, 4)},
		{"once a year", `cron "0 0 1 1 *"`, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"a time that comes once", `at "2024-01-21 09:00"`, time.Time{}, time.Time{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.write("a.reqon", syncMission("A", test.schedule))
			if err := w.cfg.complete(); err != nil {
				t.Fatal(err)
			}
			d, err := open(t.Context(), &w.cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := d.close(); err != nil {
					t.Error(err)
				}
			}()
			if _, err := d.load(context.Background()); err != nil {
				t.Fatal(err)
			}
			job := d.byName["A"]
			if !job.overdueAt.Equal(test.overdue) {
				t.Errorf("overdue at %s, expected %s", job.overdueAt, test.overdue)
			}
			job.lastSuccess = start.Add(time.Hour)
			job.setOverdue(start.Add(2 * time.Hour))
			if !job.overdueAt.Equal(test.after) {
				t.Errorf("after a success overdue at %s, expected %s", job.overdueAt, test.after)
			}
			if test.after.IsZero() {
				return
			}
			if why := job.trouble(test.after, d.clockText); why != "" {
				t.Errorf("at the time: %s", why)
			}
			want := "no run has succeeded since 10:00:00, which is longer than three of its intervals (" + job.schedule.text + ")"
			if why := job.trouble(test.after.Add(time.Second), d.clockText); why != want {
				t.Errorf("behind it: %s", why)
			}
		})
	}
}

// TestIncomplete: an incomplete run is no success: the last success stands still,
// nothing is repeated, and in time the mission is overdue.
func TestIncomplete(t *testing.T) {
	w := newWorld(t)
	w.cfg.MetricsAddr = w.cfg.HealthAddr
	w.write("a.reqon", `mission A {
  schedule: every 10 minutes
  retry: { maxRetries: 3, delaySeconds: 1 }
  source API { base: env("API"), retry: { maxAttempts: 1 } }
  store records: memory
  action Sync {
    get "/A" { paginate: page(page, 1), maxPages: 1 }
    store response -> records
  }
}`)
	w.run()
	w.clock.Advance(10 * time.Minute)
	w.sees(1, "[WARN] A: Incomplete (0.0s): 1 fetch cut short")
	w.says("A", "")
	for series, want := range map[string]string{
		`reqon_mission_runs_total{mission="A",status="incomplete"}`:      "1",
		`reqon_mission_runs_total{mission="A",status="success"}`:         "0",
		`reqon_mission_runs_total{mission="A",status="failure"}`:         "0",
		`reqon_mission_last_run_status{mission="A",status="incomplete"}`: "1",
		`reqon_mission_last_success_timestamp_seconds{mission="A"}`:      "",
		`reqon_mission_overdue_timestamp_seconds{mission="A"}`:           "1705743000",
		`reqon_fetches_cut_short_total{mission="A"}`:                     "1",
	} {
		w.metricIs(series, want)
	}
	if m, _ := w.mission("A"); m.LastStatus == nil || *m.LastStatus != state.StatusIncomplete {
		t.Errorf("%+v", m)
	}
	w.never("Run 2 of")
	w.next("A", "2024-01-20 09:20:00")
	w.clock.Advance(10 * time.Minute)
	w.sees(2, "A: Incomplete")
	w.clock.Advance(10 * time.Minute)
	w.sees(3, "A: Incomplete")
	w.clock.Advance(time.Second)
	w.says("A", "no run has succeeded since it was first seen, at 09:00:00, which is longer than three of its intervals (every 10 minutes)")
}

// TestNothingScheduled: "a daemon in which nothing is scheduled warns", once each
// time that it comes to that.
func TestNothingScheduled(t *testing.T) {
	const warning = "[WARN] Nothing is scheduled"
	w := newWorld(t)
	w.write("plain.reqon", "mission Plain { action X { log \"x\" } run X }")
	w.write("past.reqon", syncMission("Past", `at "2024-01-19 09:00"`))
	w.run()
	w.sees(1, "Loaded 2 missions")
	w.sees(1, warning)
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.until("A is loaded", func() bool { n, _ := w.log.count("A: Next run at"); return n == 1 })
	w.remove("a.reqon")
	w.until("A is removed", func() bool { n, _ := w.log.count("A: Removed"); return n == 1 })
	w.sees(2, warning)
	w.write("b.reqon", "mission B { action X { log \"x\" } run X }")
	w.until("B is loaded", func() bool { n, _ := w.log.count("B: Loaded"); return n == 1 })
	if n, _ := w.log.count(warning); n != 2 {
		t.Errorf("warned %d times", n)
	}
}

// TestScheduledIsNotIdle: a mission with a time to come is no reason to warn, nor
// one that is run at once.
func TestScheduledIsNotIdle(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", `at "2024-01-21 09:00"`))
	w.run()
	w.sees(1, "A: Next run at")
	w.never("Nothing is scheduled")
}

// TestOnceStrict: with Strict, what was left out makes Once fail.
func TestOnceStrict(t *testing.T) {
	w := newWorld(t)
	w.cfg.Signals = nil
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.write("b.reqon", `mission B { schedule: every 1 hour
  action X { for x in [0] onError skip { log toString(1 / x) } } }`)
	if err := Once(t.Context(), w.cfg); err != nil {
		t.Errorf("%v", err)
	}
	w.cfg.Strict = true
	var once *OnceError
	if err := Once(t.Context(), w.cfg); !errors.As(err, &once) || len(once.Failed) > 0 || len(once.Unclean) != 1 || once.Unclean[0] != "B" ||
		err.Error() != "1 run left something out, or had warnings (--strict)" {
		t.Errorf("%v", err)
	}
}
