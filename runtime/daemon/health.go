package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"

	"reqon/runtime/state"
	"reqon/runtime/telemetry"
)

// servers are the HTTP servers of a daemon: none, one or two.
type servers struct {
	health, metrics string // addresses, "" if there is none
	list            []*http.Server
	work            sync.WaitGroup
}

// listen opens the ports and begins to answer.
func (d *daemon) listen() (*servers, error) {
	s := &servers{}
	muxes := map[string]*http.ServeMux{}
	var order []string
	at := func(addr string) *http.ServeMux {
		if muxes[addr] == nil {
			muxes[addr] = http.NewServeMux()
			order = append(order, addr)
		}
		return muxes[addr]
	}
	if addr := d.cfg.HealthAddr; addr != "" {
		mux := at(addr)
		mux.HandleFunc("GET /health", d.serveHealth)
		mux.HandleFunc("GET /health/live", d.serveLive)
		mux.HandleFunc("GET /health/ready", d.serveReady)
	}
	if addr := d.cfg.MetricsAddr; addr != "" {
		at(addr).Handle("GET /metrics", d.metrics)
	}
	for _, addr := range order {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, errors.Join(listenError(d.optionOf(addr), addr, err), s.close())
		}
		if addr == d.cfg.HealthAddr {
			s.health = l.Addr().String()
		}
		if addr == d.cfg.MetricsAddr {
			s.metrics = l.Addr().String()
		}
		s.serve(l, guard(muxes[addr], l.Addr(), d.cfg.AllowHosts), d.log)
	}
	return s, nil
}

func (d *daemon) optionOf(addr string) string {
	if d.cfg.PortOption != "" {
		return d.cfg.PortOption
	}
	if addr == d.cfg.HealthAddr {
		return "--health-port"
	}
	return "--metrics-port"
}

func listenError(option, addr string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return configError("%s: the port of %s is in use by another program; choose another", option, addr)
	}
	return configError("%s: can't listen at %s: %w", option, addr, err)
}

func (s *servers) serve(l net.Listener, h http.Handler, log *telemetry.Logger) {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: time.Minute, MaxHeaderBytes: 1 << 14, ErrorLog: log.StdLog(telemetry.LevelDebug),
	}
	s.list = append(s.list, server)
	s.work.Go(func() {
		if err := server.Serve(limitConns(l, mostConns())); !errors.Is(err, http.ErrServerClosed) {
			log.Error("The HTTP server has ended: " + err.Error())
		}
	})
}

// close lets answers in progress finish for a moment, and ends the servers.
func (s *servers) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var errs []error
	for _, server := range s.list {
		if err := server.Shutdown(ctx); err != nil {
			errs = append(errs, server.Close())
		}
	}
	s.work.Wait()
	return errors.Join(errs...)
}

// Health is what /health answers (operations, "The daemon").
type Health struct {
	Status         string          `json:"status"` // starting, ok, degraded or stopping
	Uptime         int64           `json:"uptime"` // seconds
	MissionsLoaded int             `json:"missionsLoaded"`
	Missions       []MissionHealth `json:"missions"`
	Problems       []Problem       `json:"problems,omitempty"`
}

// MissionHealth is how a mission stands.
type MissionHealth struct {
	Name       string        `json:"name"`
	Schedule   string        `json:"schedule,omitempty"`
	NextRun    *time.Time    `json:"nextRun"`    // null if there is none
	LastRun    *time.Time    `json:"lastRun"`    // its start; null if there was none
	LastStatus *state.Status `json:"lastStatus"` // null if there was no run
	Running    bool          `json:"running"`
}

// health describes the daemon.
func (d *daemon) health() (h Health, code int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.cfg.now()
	h = Health{Status: "ok", Uptime: int64(now.Sub(d.began).Seconds()), Missions: []MissionHealth{}, Problems: slices.Clone(d.problems)}
	code = http.StatusOK
	switch {
	case d.phase == phaseLoading:
		h.Status, code = "starting", http.StatusServiceUnavailable
	case d.phase == phaseStopping:
		h.Status, code = "stopping", http.StatusServiceUnavailable
	}
	if d.looking && now.Sub(d.lookedAt) > stuck {
		h.Problems = append(h.Problems, Problem{File: d.cfg.Path, Running: d.phase == phaseServing,
			Error: "the mission files have been read and compiled since " + d.clockText(d.lookedAt) + " and it is not done; changes are not taken over until it is"})
	}
	for _, j := range d.jobs {
		if j.gone {
			continue
		}
		h.MissionsLoaded++
		if j.unrecorded != "" {
			h.Problems = append(h.Problems, Problem{Mission: j.name, Error: j.unrecorded, Running: true})
		} else if why := j.trouble(now, d.clockText); why != "" {
			h.Problems = append(h.Problems, Problem{Mission: j.name, Error: why, Running: true})
		}
		h.Missions = append(h.Missions, j.health())
	}
	if d.engine != nil {
		for _, p := range d.engine.SignInProblems() {
			h.Problems = append(h.Problems, Problem{Error: "source " + p.Source + ": " + p.Err.Error(), Running: true})
		}
	}
	if h.Status == "ok" && len(h.Problems) > 0 {
		h.Status = "degraded"
	}
	return h, code
}

func (j *job) health() MissionHealth {
	m := MissionHealth{Name: j.name, Running: j.running > 0}
	if j.schedule != nil {
		m.Schedule = j.schedule.text
	}
	if at := j.next(); !at.IsZero() {
		at = at.UTC()
		m.NextRun = &at
	}
	if !j.last.start.IsZero() {
		start, status := j.last.start.UTC(), j.last.status
		m.LastRun, m.LastStatus = &start, &status
	}
	return m
}

func (d *daemon) serveHealth(w http.ResponseWriter, _ *http.Request) {
	h, code := d.health()
	for i := range h.Problems {
		h.Problems[i].Error = d.redact(h.Problems[i].Error)
	}
	writeJSON(w, code, h)
}

func (d *daemon) redact(text string) string { return d.cfg.Engine.Redactor.Redact(text) }

// stuck is after how long without a pass the loop counts as stuck; it makes one
// at every check interval.
const stuck = 30 * time.Second

func (d *daemon) serveLive(w http.ResponseWriter, _ *http.Request) {
	d.mu.Lock()
	idle, loading := d.cfg.now().Sub(d.lastPass), d.phase == phaseLoading
	d.mu.Unlock()
	if !loading && idle > stuck+10*d.cfg.CheckInterval {
		writeStatus(w, http.StatusServiceUnavailable, "stuck")
		return
	}
	writeStatus(w, http.StatusOK, "ok")
}

func (d *daemon) serveReady(w http.ResponseWriter, _ *http.Request) {
	d.mu.Lock()
	phase := d.phase
	d.mu.Unlock()
	switch phase {
	case phaseLoading:
		writeStatus(w, http.StatusServiceUnavailable, "starting")
	case phaseStopping:
		writeStatus(w, http.StatusServiceUnavailable, "stopping")
	default:
		writeStatus(w, http.StatusOK, "ok")
	}
}

func writeStatus(w http.ResponseWriter, code int, status string) {
	writeJSON(w, code, struct {
		Status string `json:"status"`
	}{status})
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = w.Write(append(text, '\n')) // it fails when the client has gone
}
