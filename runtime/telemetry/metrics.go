package telemetry

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// Breaker is the state of a circuit breaker, as its metric shows it.
type Breaker int

// The states of a circuit breaker.
const (
	BreakerClosed   Breaker = 0
	BreakerHalfOpen Breaker = 1
	BreakerOpen     Breaker = 2
)

// Time over which a summary's quantiles are taken.
const (
	// runWindow is so long that a mission that runs daily always has quantiles.
	runWindow = 48 * time.Hour
	// requestWindow shows how a source answers now.
	requestWindow = 5 * time.Minute
)

// Metrics is what /metrics shows (operations, "/metrics"). It is safe for
// concurrent use. A nil Metrics counts nothing.
type Metrics struct {
	families []family // in the order in which they are written

	runs        *vec[metrics.Counter]
	duration    *vec[metrics.Summary]
	running     *vec[metrics.Gauge]
	lastSuccess *vec[metrics.Gauge]
	lastStatus  *vec[metrics.Gauge]
	overdue     *vec[metrics.Gauge]
	nextRun     *vec[metrics.Gauge]
	loaded      *vec[metrics.Gauge]
	failedLoad  *vec[metrics.Gauge]

	requests        *vec[metrics.Counter]
	requestDuration *vec[metrics.Summary]
	retries         *vec[metrics.Counter]
	rateLimitWait   *vec[metrics.FloatCounter]
	breaker         *vec[metrics.Gauge]
	signIn          *vec[metrics.Gauge]

	stored *vec[metrics.Counter]
	failed *vec[metrics.Counter]
	counts [numCounts]*vec[metrics.Counter]
}

// Count is something that runs count beside requests and records, each a metric
// of its own by mission.
type Count int

// What runs count.
const (
	CountSkipped  Count = iota // items that failed and were skipped
	CountQueued                // items that failed and were queued
	CountCutShort              // fetches cut short
	CountNoNext                // next pages that no request asked for
	CountHeld                  // sync positions held
	CountWarnings              // validation warnings
	CountRedacted              // credentials taken out of stored data
	numCounts
)

var countFamilies = [numCounts]struct{ name, help string }{
	CountSkipped:  {"reqon_items_skipped_total", "Items that failed and were skipped"},
	CountQueued:   {"reqon_items_queued_total", "Items that failed and were queued"},
	CountCutShort: {"reqon_fetches_cut_short_total", "Fetches that did not fail and have not fetched everything"},
	CountNoNext:   {"reqon_next_pages_left_total", "Answers that named a next page which no request asked for"},
	CountHeld:     {"reqon_sync_positions_held_total", "Sync positions that a run did not move since something of their fetch is missing"},
	CountWarnings: {"reqon_validation_warnings_total", "Validation warnings"},
	CountRedacted: {"reqon_credentials_redacted_total", "Credentials taken out of records before they were stored"},
}

// NewMetrics returns metrics with no mission, and nothing counted.
func NewMetrics() *Metrics {
	m := new(Metrics)
	m.runs = counters(m, "reqon_mission_runs_total", "Total mission runs", "mission", "status")
	m.duration = summaries(m, runWindow, "reqon_mission_duration_seconds", "Mission run duration", "mission")
	m.running = gauges(m, "reqon_mission_running", "Runs of the mission in progress", "mission")
	m.lastSuccess = gauges(m, "reqon_mission_last_success_timestamp_seconds", "End of the mission's last successful run in unix time", "mission")
	m.lastStatus = gauges(m, "reqon_mission_last_run_status", "1 for the status with which the mission's last run ended, 0 for the others", "mission", "status")
	m.overdue = gauges(m, "reqon_mission_overdue_timestamp_seconds", "When the mission counts as overdue in unix time, unless it succeeds before: three of its intervals after its last success", "mission")
	m.nextRun = gauges(m, "reqon_mission_next_run_timestamp_seconds", "When the mission is due next in unix time", "mission")
	m.loaded = gauges(m, "reqon_missions_loaded", "Missions loaded")
	m.failedLoad = gauges(m, "reqon_missions_failed_to_load", "Missions that do not compile or lack credentials")
	m.requests = counters(m, "reqon_http_requests_total", "HTTP requests, each attempt counted; status 0 is an attempt without a response", "source", "method", "status")
	m.requestDuration = summaries(m, requestWindow, "reqon_http_request_duration_seconds", "Duration of one attempt of an HTTP request; quantiles over the last five minutes", "source")
	m.retries = counters(m, "reqon_http_retries_total", "HTTP requests sent again, by what made that necessary", "source", "reason")
	m.rateLimitWait = floatCounters(m, "reqon_rate_limit_wait_seconds_total", "Time spent waiting for the source's rate limit", "source")
	m.breaker = gauges(m, "reqon_circuit_breaker_state", "Circuit breaker of the source: 0 closed, 1 half-open, 2 open", "source")
	m.signIn = gauges(m, "reqon_sign_in_up", "Whether the source's sign-in works: 1 it does, 0 nobody gets a token; there once it has failed", "source")
	m.stored = counters(m, "reqon_records_stored_total", "Records that reached a store, by what became of them", "mission", "store", "operation")
	m.failed = counters(m, "reqon_records_failed_total", "Records that could not be fetched, mapped, validated or stored", "mission")
	for i, f := range countFamilies {
		m.counts[i] = counters(m, f.name, f.help, "mission")
	}
	m.loaded.get()
	m.failedLoad.get()
	return m
}

// MissionLoaded makes the mission's metrics be there from now on, all statuses
// of its runs among them: an alert on a rate needs the zero before the first
// failure. For a mission that is loaded already it changes nothing.
func (m *Metrics) MissionLoaded(mission string) {
	if m == nil {
		return
	}
	for _, status := range runStatuses {
		m.runs.get(mission, string(status))
		m.lastStatus.get(mission, string(status))
	}
	m.duration.get(mission)
	m.running.get(mission)
	m.failed.get(mission)
	for _, v := range m.counts {
		v.get(mission)
	}
}

// MissionUnloaded removes all metrics of the mission.
func (m *Metrics) MissionUnloaded(mission string) {
	if m == nil {
		return
	}
	for _, f := range m.families {
		if f.byMission {
			f.remove(mission)
		}
	}
}

// RunStatus is how a run ended, as the label has it.
type RunStatus string

// The statuses of a run.
const (
	RunSuccess    RunStatus = "success"
	RunFailure    RunStatus = "failure"
	RunIncomplete RunStatus = "incomplete"
)

var runStatuses = [...]RunStatus{RunSuccess, RunFailure, RunIncomplete}

// SetLastRun sets how the mission's last run ended; with "", nobody knows.
func (m *Metrics) SetLastRun(mission string, status RunStatus) {
	if m == nil {
		return
	}
	for _, s := range runStatuses {
		is := 0.0
		if s == status {
			is = 1
		}
		m.lastStatus.get(mission, string(s)).Set(is)
	}
}

// SetOverdue sets when the mission counts as overdue; with the zero time, it
// never does, and so has not the metric.
func (m *Metrics) SetOverdue(mission string, t time.Time) {
	if m != nil {
		setTime(m.overdue, mission, t)
	}
}

// RunFinished counts a run and its duration in seconds.
func (m *Metrics) RunFinished(mission string, status RunStatus, seconds float64) {
	if m == nil {
		return
	}
	m.runs.get(mission, string(status)).Inc()
	m.duration.get(mission).Update(seconds)
}

// RunNotStarted counts a run of the mission that could not be started, as one
// that failed; it took no time.
func (m *Metrics) RunNotStarted(mission string) {
	if m != nil {
		m.runs.get(mission, string(RunFailure)).Inc()
	}
}

// SetRunning sets the number of the mission's runs in progress.
func (m *Metrics) SetRunning(mission string, n int) {
	if m != nil {
		m.running.get(mission).Set(float64(n))
	}
}

// SetLastSuccess sets the end of the mission's last successful run. A mission
// that never succeeded does not have the metric.
func (m *Metrics) SetLastSuccess(mission string, t time.Time) {
	if m != nil {
		setTime(m.lastSuccess, mission, t)
	}
}

// SetNextRun sets when the mission is due next; with the zero time, it has no
// next run, and so not the metric.
func (m *Metrics) SetNextRun(mission string, t time.Time) {
	if m != nil {
		setTime(m.nextRun, mission, t)
	}
}

func setTime(v *vec[metrics.Gauge], mission string, t time.Time) {
	if t.IsZero() {
		v.remove(mission)
		return
	}
	v.get(mission).Set(float64(t.UnixMilli()) / 1000)
}

// SetLoaded sets the number of missions loaded.
func (m *Metrics) SetLoaded(n int) {
	if m != nil {
		m.loaded.get().Set(float64(n))
	}
}

// SetFailedToLoad sets the number of missions that could not be loaded.
func (m *Metrics) SetFailedToLoad(n int) {
	if m != nil {
		m.failedLoad.get().Set(float64(n))
	}
}

// Request counts one attempt of a request and its duration in seconds; status is
// 0 where no response came.
func (m *Metrics) Request(source, method string, status int, seconds float64) {
	if m == nil {
		return
	}
	m.requests.get(source, method, strconv.Itoa(status)).Inc()
	m.requestDuration.get(source).Update(seconds)
}

// Retry counts a request that is sent again; reason is the status that made it
// necessary, or the error's kind, such as "timeout".
func (m *Metrics) Retry(source, reason string) {
	if m != nil {
		m.retries.get(source, reason).Inc()
	}
}

// RateLimitWait adds seconds spent waiting for the source's rate limit. What is
// not positive is passed over.
func (m *Metrics) RateLimitWait(source string, seconds float64) {
	if m != nil && seconds > 0 {
		m.rateLimitWait.get(source).Add(seconds)
	}
}

// BreakerState sets the state of the source's circuit breaker.
func (m *Metrics) BreakerState(source string, state Breaker) {
	if m != nil {
		m.breaker.get(source).Set(float64(state))
	}
}

// SignIn says whether the sign-in of a source works.
func (m *Metrics) SignIn(source string, ok bool) {
	if m == nil {
		return
	}
	up := 0.0
	if ok {
		up = 1
	}
	m.signIn.get(source).Set(up)
}

// Stored adds n records that reached a store; operation is what became of them:
// "inserted", "updated" or "unchanged". What is not positive is passed over.
func (m *Metrics) Stored(mission, store, operation string, n int) {
	if m != nil && n > 0 {
		m.stored.get(mission, store, operation).Add(n)
	}
}

// Failed adds n records that could not be fetched, mapped, validated or stored.
// What is not positive is passed over.
func (m *Metrics) Failed(mission string, n int) {
	if m != nil && n > 0 {
		m.failed.get(mission).Add(n)
	}
}

// Count adds n to what runs of the mission count. What is not positive is passed
// over.
func (m *Metrics) Count(mission string, c Count, n int) {
	if m != nil && n > 0 {
		m.counts[c].get(mission).Add(n)
	}
}

// WriteTo writes all metrics that have a value, and those of Go and the process, in Prometheus'
// text format, version 0.0.4.
func (m *Metrics) WriteTo(w io.Writer) (int64, error) {
	var b bytes.Buffer
	if m != nil {
		for _, f := range m.families {
			if f.empty() { // a reader would look for what nothing feeds
				continue
			}
			writeHead(&b, f.name, f.kind, f.help)
			f.set.WritePrometheus(&b)
		}
	}
	writeProcess(&b)
	return b.WriteTo(w)
}

// ServeHTTP answers with what WriteTo writes.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = m.WriteTo(w) // it fails when the client has gone
}

// writeHead writes what a family starts with. The library writes an empty HELP,
// and "unsupported" as a summary's TYPE.
func writeHead(b *bytes.Buffer, name, kind, help string) {
	b.WriteString("# HELP " + name + " " + help + "\n# TYPE " + name + " " + kind + "\n")
}
