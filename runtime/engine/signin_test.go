package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"reqon/runtime/credentials"
	"reqon/runtime/engine"
	"reqon/runtime/httpclient"
	"reqon/runtime/signin/signintest"
	"reqon/runtime/telemetry"
)

// authFile writes a credentials file.
func authFile(t testing.TB, entries map[string]any) *credentials.Set {
	t.Helper()
	text, err := json.Marshal(entries)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "credentials.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := credentials.Load(path, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	return set
}

const signInMission = `mission %NAME {
  source %SOURCE { base: env("BASE"), retry: { maxAttempts: 1 } }
  action A { for i in range(%N) concurrency 20 { get "/api/{i}"  store ({ id: i, secret: "tok access-1 end", other: "client-secret-1" }) -> kept } }
}
`

func missionText(name, source, n string) string {
	return strings.NewReplacer("%NAME", name, "%SOURCE", source, "%N", n).Replace(signInMission)
}

// Two missions on one account share a sign-in over their runs: one token
// request for all. A token that the API refuses is renewed once, and everything
// goes on.
func TestOAuthOverRuns(t *testing.T) {
	s := signintest.New(t)
	s.Grant("refresh-0")
	var log lockedBuffer
	redactor := &credentials.Redactor{}
	metrics := telemetry.NewMetrics()
	dir := t.TempDir()
	entry := s.Entry("refreshToken", "refresh-0")
	e := newEngine(t, engine.Config{
		StateDir: dir, Env: func(name string) (string, bool) { return s.URL, name == "BASE" }, Redactor: redactor, Metrics: metrics,
		Credentials: authFile(t, map[string]any{"Shop": entry, "Store": entry}),
		Log:         telemetry.New(telemetry.Options{Writer: &log, Level: telemetry.LevelDebug, Redact: redactor.Redact}),
	})
	missions := loadText(t, e, missionText("One", "Shop", "40")+missionText("Two", "Store", "40"))
	run := func(m *engine.Mission) *engine.Report {
		t.Helper()
		report := m.Run(context.Background(), engine.RunOptions{})
		if report.Err != nil {
			t.Fatal(report.Err)
		}
		return report
	}
	for _, m := range missions {
		run(m)
		run(m)
	}
	if n := len(s.Requests()); n != 1 {
		t.Errorf("%d token requests, want 1", n)
	}
	s.Expire()
	run(missions[0])
	if n := len(s.Requests()); n != 2 {
		t.Errorf("%d token requests, want 2", n)
	}
	good, bad := s.Served()
	if good != 200 || bad < 1 || bad > 20 {
		t.Errorf("%d requests with a token and %d without, want 200 and those that were under way", good, bad)
	}
	if s.Revoked() {
		t.Error("a refresh token was sent again")
	}
	for _, secret := range []string{"access-2", "refresh-2", "client-secret-1"} {
		if redactor.Redact(secret) == secret {
			t.Errorf("%s is not redacted", secret)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "kept.json"))
	if err != nil || !strings.Contains(string(text), "tok access-1 end") {
		t.Errorf("a token of eight letters was taken for no data: %.300s %v", text, err)
	}
	if strings.Contains(string(text), "client-secret-1") {
		t.Errorf("a store holds a secret: %.300s %v", text, err)
	}
}

// A sign-in that is over fails each request without sending it, is told as the
// failure it is, and shows in what the engine knows of it.
func TestDeadSignIn(t *testing.T) {
	s := signintest.New(t)
	entry := s.Entry("refreshToken", "refresh-gone")
	metrics := telemetry.NewMetrics()
	e := newEngine(t, engine.Config{
		Env: func(name string) (string, bool) { return s.URL, name == "BASE" }, Metrics: metrics,
		Credentials: authFile(t, map[string]any{"Shop": entry}),
	})
	m := loadText(t, e, missionText("One", "Shop", "30"))[0]
	if err := m.Ready(nil); err != nil {
		t.Fatal(err)
	}
	report := m.Run(context.Background(), engine.RunOptions{})
	var f *httpclient.Failure
	if report.Err == nil || len(report.Errors) == 0 {
		t.Fatalf("got %v", report.Err)
	}
	if errors.As(report.Err, &f) && f.Status != 0 {
		t.Errorf("status %d", f.Status)
	}
	for _, part := range []string{"400 invalid_grant", "reqon login Shop PATH", "credentials.json: Shop"} {
		if !strings.Contains(report.Errors[0].Message, part) {
			t.Errorf("%q lacks %q", report.Errors[0].Message, part)
		}
	}
	if good, bad := s.Served(); good+bad != 0 || len(s.Requests()) != 1 {
		t.Errorf("%d API requests, %d token requests; want 0 and 1", good+bad, len(s.Requests()))
	}
	if list := e.SignInProblems(); len(list) != 1 || list[0].Source != "Shop" {
		t.Errorf("problems %v", list)
	}
	var b strings.Builder
	if _, err := metrics.WriteTo(&b); err != nil || !strings.Contains(b.String(), `reqon_sign_in_up{source="Shop"} 0`) {
		t.Errorf("the metric does not tell: %v", err)
	}
}
