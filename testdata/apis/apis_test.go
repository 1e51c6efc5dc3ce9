package apis

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"reqon/compiler"
	"reqon/compiler/diag"
	"reqon/runtime/credentials"
	"reqon/runtime/engine"
	"reqon/runtime/state"
	"reqon/runtime/telemetry"
	"reqon/testdata/apis/mock"
	"reqon/vm/value"
)

// all are the APIs, each with the mission of its name.
func all(t *testing.T) []*mock.API {
	account, err := serviceAccount()
	if err != nil {
		t.Fatal(err)
	}
	return []*mock.API{
		mock.Stripe(), mock.Shopify(), mock.Mailchimp(), mock.Airtable(), mock.GitHub(), mock.Slack(), mock.Xero(), mock.Twilio(),
		mock.Salesforce(), mock.MicrosoftGraph(), mock.Binance(), mock.X(), mock.GoogleSheets(account), mock.Zendesk(), mock.Jira(),
		mock.Notion(), mock.Intercom(), mock.PagerDuty(), mock.OpenAI(), mock.HubSpot(),
	}
}

// serviceAccount makes one account for all tests: its key takes a while.
var serviceAccount = sync.OnceValues(mock.NewServiceAccount)

// TestMissions runs each mission to its end twice, the second time after the
// data has changed, and holds its stores against the API's data.
func TestMissions(t *testing.T) {
	for _, api := range all(t) {
		t.Run(api.Name, func(t *testing.T) {
			t.Parallel()
			s := newSync(t, api)
			s.run("first", "success")
			s.compare("first")
			s.world.Calls()
			s.clock.advance(24 * time.Hour)
			api.Change()
			s.run("second", cmp.Or(api.Ends, "success"))
			s.compare("second")
			if calls := s.world.Calls(); api.Again != nil {
				if err := api.Again(calls); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// faults are what goes wrong with one request, in the middle of a run.
var faults = map[string]func(*mock.Call){
	"error 500": func(c *mock.Call) { c.Reply(500, mock.Record{"message": "Internal Server Error"}) },
	"reset":     func(*mock.Call) { panic(http.ErrAbortHandler) },
	"truncated": func(c *mock.Call) {
		c.Send(200, "application/json", []byte(`{"data": [{"id": "1"}, {"i`), "Content-Length", "4000")
	},
	"maintenance page": func(c *mock.Call) { c.Send(503, "text/html", []byte("<html>Back soon</html>")) },
}

// TestFaults breaks one request of the first run and one of the second. A run
// may fail of it, but then it says so, and the next one has everything: no
// position has moved beyond what is stored.
func TestFaults(t *testing.T) {
	for name, fault := range faults {
		for nth := 1; nth <= 3; nth++ {
			if testing.Short() && nth != 2 {
				continue
			}
			for _, api := range all(t) {
				t.Run(fmt.Sprintf("%s/%s/request %d", api.Name, name, nth), func(t *testing.T) {
					t.Parallel()
					s := newSync(t, api)
					through := func(which, status string) {
						s.world.Fail(nth, fault)
						report := s.once()
						if len(s.world.Calls()) < nth {
							t.Skipf("the %s run makes fewer than %d requests", which, nth)
						}
						if report.Err != nil || string(report.Status) != status {
							if report.Err == nil && report.Status != state.StatusIncomplete {
								t.Errorf("the %s run ended as %s without an error", which, report.Status)
							}
							t.Logf("the %s run ended as %s: %v", which, report.Status, report.Err)
							s.clock.advance(time.Hour)
							s.run(which+" repeated", status)
						}
						s.compare(which)
					}
					through("first", "success")
					s.clock.advance(24 * time.Hour)
					api.Change()
					through("second", cmp.Or(api.Ends, "success"))
				})
			}
		}
	}
}

// TestCookbook holds the page and the missions together: each mission is on the
// page as it is, nothing else is, and each credentials entry is one that can be
// read, for the source of the mission above it.
func TestCookbook(t *testing.T) {
	text, err := os.ReadFile("../../docs/cookbook.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.reqon")
	if err != nil {
		t.Fatal(err)
	}
	missions := map[string]bool{}
	for _, file := range files {
		mission, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		missions[string(mission)] = true
	}
	set := func(string) (string, bool) { return "set-for-the-test", true }
	mission := ""
	for _, block := range regexp.MustCompile("(?s)```([a-z]+)\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		switch body := block[2]; block[1] {
		case "reqon":
			mission = body
			if !missions[body] {
				t.Errorf("the page has a mission that is no file, or has it twice:\n%s", body)
			}
			delete(missions, body)
		case "json":
			var entries map[string]any
			if err := json.Unmarshal([]byte(body), &entries); err != nil {
				t.Errorf("%v in %s", err, body)
			}
			for name := range entries {
				if !strings.Contains(mission, "source "+name+" {") {
					t.Errorf("the entry %s is for no source of the mission above it", name)
				}
			}
			path := filepath.Join(t.TempDir(), "credentials.json")
			if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
				t.Fatal(err)
			}
			all, err := credentials.Load(path, set)
			if err != nil {
				t.Fatalf("%v in %s", err, body)
			}
			kind := regexp.MustCompile(`auth: (\w+)`).FindStringSubmatch(mission)
			for name := range entries {
				if len(kind) == 0 {
					t.Errorf("the mission of %s has no auth for its entry", name)
				} else if _, err := all.For(name, kind[1], nil); err != nil {
					t.Errorf("%v in %s", err, body)
				}
			}
		default:
			t.Errorf("a block is of the kind %q", block[1])
		}
	}
	for missing := range missions {
		t.Errorf("a mission is not on the page:\n%s", missing)
	}
}

// TestMissionsAreShort holds the missions to what a reader takes in at a glance.
func TestMissionsAreShort(t *testing.T) {
	files, err := filepath.Glob("*.reqon")
	if err != nil || len(files) == 0 {
		t.Fatalf("no missions: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(text, []byte("\n")); n > 45 {
			t.Errorf("%s has %d lines, want at most 45", file, n)
		}
	}
}

// syncer is one mission with its API.
type syncer struct {
	t     *testing.T
	api   *mock.API
	world *mock.World
	env   map[string]string
	clock *clock
	log   lockedBuffer
	state string
	got   map[string]map[string]any
}

func newSync(t *testing.T, api *mock.API) *syncer {
	s := &syncer{t: t, api: api, clock: &clock{now: time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC)}, state: t.TempDir()}
	s.world = &mock.World{Now: s.clock.Now}
	server := httptest.NewServer(s.world.Serve(api))
	t.Cleanup(server.Close)
	s.world.Base = server.URL
	s.env = api.Env(server.URL)
	return s
}

// run runs the mission once, in an engine of its own, as `reqon run` does, and
// holds how it ends against what is wanted.
func (s *syncer) run(which, status string) {
	s.t.Helper()
	if report := s.once(); report.Err != nil || string(report.Status) != status {
		s.t.Fatalf("the %s run ended as %s: %v\nnotes: %v\nlog:\n%s", which, report.Status, report.Err, report.Notes, s.log.String())
	}
}

// once runs the mission and gives its report.
func (s *syncer) once() *engine.Report {
	s.t.Helper()
	compiled, err := compiler.Load(s.api.Name + ".reqon")
	if err != nil {
		s.t.Fatal(err)
	}
	if len(compiled.Diagnostics) > 0 || compiled.Failed() {
		var text bytes.Buffer
		if err := diag.Text(&text, compiled.Diagnostics, diag.TextOptions{}); err != nil {
			s.t.Fatal(err)
		}
		s.t.Fatalf("%s has diagnostics:\n%s%v", s.api.Name, &text, compiled.Errors)
	}
	env := func(name string) (string, bool) { v, ok := s.env[name]; return v, ok }
	path := ""
	if s.api.Credentials != "" {
		path = filepath.Join(s.t.TempDir(), "credentials.json")
		if err := os.WriteFile(path, []byte(s.api.Credentials), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	set, err := credentials.Load(path, env)
	if err != nil {
		s.t.Fatal(err)
	}
	redactor := &credentials.Redactor{}
	e, err := engine.New(engine.Config{
		StateDir: s.state, Clock: s.clock, Redactor: redactor, Env: env, Credentials: set,
		Log: telemetry.New(telemetry.Options{Writer: &s.log, Level: telemetry.LevelDebug, Now: s.clock.Now, Location: time.UTC, Redact: redactor.Redact}),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			s.t.Error(err)
		}
	}()
	m, err := e.Load(compiled.Missions[0].Program)
	if err != nil {
		s.t.Fatal(err)
	}
	return m.Run(context.Background(), engine.RunOptions{Output: s.output})
}

// output keeps what the stores hold.
func (s *syncer) output(ctx context.Context, out *engine.Output) error {
	s.got = map[string]map[string]any{}
	for _, st := range out.Stores {
		records := map[string]any{}
		s.got[st.Name] = records
		if err := st.Each(ctx, func(v value.Value) error {
			var record map[string]any
			if err := json.Unmarshal(value.AppendJSON(nil, v), &record); err != nil {
				return err
			}
			for _, key := range []string{"custom_id", "id", "Id", "ts", "sid", "order-id", "InvoiceID"} {
				if k, ok := record[key]; ok {
					records[fmt.Sprint(k)] = record
					return nil
				}
			}
			return fmt.Errorf("a record of %s has no key: %v", st.Name, record)
		}); err != nil {
			return err
		}
	}
	return nil
}

// compare holds the stores against the API's data.
func (s *syncer) compare(which string) {
	s.t.Helper()
	for store, want := range s.api.Want() {
		got := s.got[store]
		missing := 0
		for key, record := range want {
			var plain any
			text, err := json.Marshal(record)
			if err == nil {
				err = json.Unmarshal(text, &plain)
			}
			if err != nil {
				s.t.Fatal(err)
			}
			switch found, ok := got[key]; {
			case !ok:
				missing++
			case !reflect.DeepEqual(found, plain):
				s.t.Errorf("%s run: %s[%q] is\n%v, want\n%v", which, store, key, found, plain)
			}
		}
		if missing > 0 || len(got) != len(want) {
			s.t.Errorf("%s run: %s has %d records, want %d; %d are missing\nlog:\n%s", which, store, len(got), len(want), missing, tail(s.log.String()))
		}
	}
}

func tail(log string) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

// clock moves only when somebody waits, and then at once.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	c.advance(d)
	return nil
}

// lockedBuffer is a buffer that several may write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
