package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"reqon/runtime/signin/signintest"
)

// Several processes on one state folder renew one sign-in: each refresh token is
// sent once, and nobody loses it.
func TestSignInOverProcesses(t *testing.T) {
	auth := signintest.New(t)
	auth.Slow = 8 * time.Millisecond
	auth.Life = 1 // so that each process has to renew it several times
	auth.Grant("refresh-0")
	s := newSite(t)
	s.write("m.reqon", `mission Shop {
  source API { base: "`+auth.URL+`", maxInFlight: 2 }
  store things: memory
  action A { for i in range(400) concurrency 4 { get "/api/{i}" store response -> things } }
}
`)
	entry, err := json.Marshal(map[string]any{"API": auth.Entry("refreshToken", "refresh-0")})
	if err != nil {
		t.Fatal(err)
	}
	s.write("credentials.json", string(entry))
	var processes []*process
	for range 4 {
		processes = append(processes, s.start("m.reqon", "--auth", "credentials.json"))
	}
	for _, p := range processes {
		p.exit(0)
	}
	if good, bad := auth.Served(); good != 1600 || bad > 0 {
		t.Errorf("%d requests with a token, %d without", good, bad)
	}
	if auth.Revoked() {
		t.Error("a refresh token was sent again")
	}
	sent := map[string]bool{}
	for _, r := range auth.Requests() {
		token := r.Get("refresh_token")
		if sent[token] {
			t.Errorf("%s was sent twice", token)
		}
		sent[token] = true
	}
	if len(sent) < 2 || len(sent) > 12 {
		t.Errorf("%d renewals by four processes, want one about each second", len(sent))
	}
}

// A daemon whose sign-in is missing says so; `reqon login`, in another process,
// mends it without a restart; `reqon tokens` and `reqon logout` show and end it.
func TestLoginMendsDaemon(t *testing.T) {
	auth := signintest.New(t)
	s := newSite(t)
	s.write("missions/shop.reqon", `mission Shop {
  schedule: every 1 second
  source API { auth: oauth2, base: "`+auth.URL+`", retry: { maxAttempts: 1 } }
  action A { get "/api/x" store response -> things }
}
`)
	entry, err := json.Marshal(map[string]any{"API": auth.Entry("authorizationUrl", auth.URL+"/authorize", "scopes", "read write")})
	if err != nil {
		t.Fatal(err)
	}
	s.write("credentials.json", string(entry))
	if err := os.Chmod(s.path("credentials.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _ := s.reqon(0, "tokens"); out != "nobody is signed in\n" {
		t.Errorf("tokens: %s", out)
	}
	health := freePort(t)
	d := s.daemon("--auth", "credentials.json", "--health-port", health, "--metrics-port", health)
	d.waitLog("Failed .*nobody is signed in for credentials.json: API: run `reqon login API PATH`")
	if _, body := get(t, health, "/health"); !strings.Contains(body, `"degraded"`) || !strings.Contains(body, "reqon login API PATH") {
		t.Errorf("health: %s", body)
	}
	if _, body := get(t, health, "/metrics"); !strings.Contains(body, `reqon_sign_in_up{source="API"} 0`) {
		t.Error("the metric does not tell")
	}

	login := s.start("login", "API", "./missions/", "--auth", "credentials.json")
	address := strings.TrimSpace(login.waitLog(`^  (http\S+)$`)[1])
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	page, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != 200 || !strings.Contains(string(page), "You are signed in") {
		t.Errorf("%d %s", resp.StatusCode, page)
	}
	login.exit(0)
	login.waitLog("^API: signed in$")
	d.waitLog(`Completed`)
	if _, body := get(t, health, "/health"); !strings.Contains(body, `"ok"`) {
		t.Errorf("health: %s", body)
	}
	if _, body := get(t, health, "/metrics"); !strings.Contains(body, `reqon_sign_in_up{source="API"} 1`) {
		t.Error("the metric does not tell")
	}

	out, _ := s.reqon(0, "tokens")
	if !strings.Contains(out, "signed in") || !strings.Contains(out, "API") || !strings.Contains(out, auth.URL+"/token") {
		t.Errorf("tokens: %s", out)
	}
	out, _ = s.reqon(0, "tokens", "--json")
	for _, text := range []string{out, d.text(), login.text()} {
		for _, secret := range []string{"access-1", "refresh-1", "client-secret-1"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s is shown in %s", secret, text)
			}
		}
	}
	d.stop()
	out, _ = s.reqon(0, "logout", "API")
	if out != "API: signed out\n" {
		t.Errorf("logout: %s", out)
	}
	s.reqon(3, "logout", "API")
	if out, _ = s.reqon(0, "tokens"); !strings.Contains(out, "signed out") {
		t.Errorf("tokens: %s", out)
	}
	if _, text := s.reqon(1, "./missions/", "--auth", "credentials.json"); !strings.Contains(text, "signed out") {
		t.Errorf("run: %s", text)
	}
}
