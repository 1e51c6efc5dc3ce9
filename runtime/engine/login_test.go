package engine_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"reqon/runtime/credentials"
	"reqon/runtime/engine"
	"reqon/runtime/telemetry"
)

// portal is an API that one signs in to with a request.
type portal struct {
	*httptest.Server
	mu       sync.Mutex
	sessions map[string]bool
	logins   []string // bodies
	served   int
	refused  int
	ttl      int
	soft     bool // what is refused is told with status 200
	broken   int  // so many logins fail with a 500
	location string
}

func newPortal(t *testing.T) *portal {
	p := &portal{sessions: map[string]bool{}, ttl: 3600}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /session", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.logins = append(p.logins, string(body))
		var asked struct{ User, Password, Refresh string }
		if json.Unmarshal(body, &asked) != nil || p.broken > 0 {
			p.broken--
			w.WriteHeader(500)
			return
		}
		if asked.Refresh == "" && asked.Password != "pass-word-1" {
			w.WriteHeader(403)
			fmt.Fprintf(w, `{"error":"wrong password %s"}`, asked.Password)
			return
		}
		session := fmt.Sprintf("session-%d-%s", len(p.logins), asked.User)
		p.sessions[session] = true
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: session, Path: "/"})
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"token":%q,"ttl":%d,"refresh_token":"refresh-%d","instance_url":%q}`, session, p.ttl, len(p.logins), p.location)
	})
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		session := r.Header.Get("X-Session")
		if session == "" {
			session = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		}
		if session == "" {
			session = r.URL.Query().Get("session")
		}
		if c, err := r.Cookie("sid"); err == nil && session == "" {
			session = c.Value
		}
		w.Header().Set("Content-Type", "application/json")
		if !p.sessions[session] {
			p.refused++
			if p.soft {
				fmt.Fprint(w, `{"status":"expired"}`)
				return
			}
			w.WriteHeader(401)
			return
		}
		p.served++
		fmt.Fprintf(w, `{"id":%d,"echo":%q}`, p.served, session)
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Server.Close)
	return p
}

func (p *portal) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sessions = map[string]bool{}
}

func (p *portal) env(name string) (string, bool) {
	v, ok := map[string]string{"BASE": p.URL, "CRM_USER": "ada", "CRM_PASSWORD": "pass-word-1", "OTHER": "bob"}[name]
	return v, ok
}

// loginMission is a mission whose source signs in; %s is what is made of the answer.
func loginMission(block string) string {
	return `mission M {
  source CRM {
    base: env("BASE"), retry: { maxAttempts: 1 }
    login {
      post "/session" { body: { user: env("CRM_USER"), password: env("CRM_PASSWORD"), refresh: login.refresh } }
      ` + block + `
    }
  }
  action A { for i in range(30) concurrency 10 { get "/api/{i}" store response -> things } }
}
`
}

func runOK(t *testing.T, m *engine.Mission) {
	t.Helper()
	if report := m.Run(context.Background(), engine.RunOptions{}); report.Err != nil {
		t.Fatal(report.Err)
	}
}

// One login for all requests, tasks and runs; what it gives goes along in every
// way that it can.
func TestLoginOnce(t *testing.T) {
	for name, block := range map[string]string{
		"headers": `headers: { "X-Session": response.token }`,
		"subject": `headers: { "X-Session": .token }`,
		"token":   `token: response.token`,
		"params":  `params: { session: response.token }`,
		"cookies": `cookies: true`,
	} {
		t.Run(name, func(t *testing.T) {
			p := newPortal(t)
			var log lockedBuffer
			redactor := &credentials.Redactor{}
			dir := t.TempDir()
			e := newEngine(t, engine.Config{StateDir: dir, Env: p.env, Redactor: redactor,
				Log: telemetry.New(telemetry.Options{Writer: &log, Level: telemetry.LevelDebug, Redact: redactor.Redact})})
			m := loadText(t, e, loginMission(block))[0]
			runOK(t, m)
			runOK(t, m)
			if len(p.logins) != 1 || p.served != 60 || p.refused != 0 {
				t.Errorf("%d logins, %d served, %d refused", len(p.logins), p.served, p.refused)
			}
			p.end()
			runOK(t, m)
			if len(p.logins) != 2 || p.served != 90 {
				t.Errorf("after its end: %d logins, %d served", len(p.logins), p.served)
			}
			for _, secret := range []string{"session-1-ada", "session-2-ada", "pass-word-1"} {
				if redactor.Redact(secret) == secret {
					t.Errorf("%s is not redacted", secret)
				}
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(filepath.Join(dir, "things.json"))
			if err != nil || strings.Contains(string(text), "session-") {
				t.Errorf("a store holds the session: %.200s %v", text, err)
			}
		})
	}
}

// With `expires` a sign-in outlives the process; `keep` is there the next time;
// without either nothing is written.
func TestLoginIsKept(t *testing.T) {
	p := newPortal(t)
	dir := t.TempDir()
	clock := &fakeClock{now: start}
	run := func(block string) {
		t.Helper()
		e := newEngine(t, engine.Config{StateDir: dir, Env: p.env, Clock: clock})
		runOK(t, loadText(t, e, loginMission(block))[0])
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	block := `token: response.token, expires: now() + seconds(response.ttl), keep: { refresh: response.refresh_token }`
	run(block)
	run(block)
	if len(p.logins) != 1 {
		t.Fatalf("%d logins, want 1: the state folder has it", len(p.logins))
	}
	clock.mu.Lock()
	clock.now = clock.now.Add(time.Hour)
	clock.mu.Unlock()
	run(block)
	if len(p.logins) != 2 || !strings.Contains(p.logins[0], `"refresh":null`) || !strings.Contains(p.logins[1], `"refresh":"refresh-1"`) {
		t.Errorf("logins %q", p.logins)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "tokens", "*.json"))
	if len(files) != 1 {
		t.Errorf("files %q", files)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	dir = t.TempDir()
	run(`token: response.token`)
	if files, _ := filepath.Glob(filepath.Join(dir, "tokens", "*.json")); len(files) != 0 {
		t.Errorf("files %q", files)
	}
}

// `when` tells of an answer that the sign-in is over: once for the request that
// it hit.
func TestLoginWhen(t *testing.T) {
	p := newPortal(t)
	p.soft = true
	e := newEngine(t, engine.Config{Env: p.env})
	m := loadText(t, e, loginMission(`token: response.token, when: .status == "expired"`))[0]
	runOK(t, m)
	p.end()
	runOK(t, m)
	if len(p.logins) != 2 || p.served != 60 {
		t.Errorf("%d logins, %d served", len(p.logins), p.served)
	}
}

// After a login, requests may go to another base; they carry the session there,
// and not to where they went before.
func TestLoginBase(t *testing.T) {
	p, other := newPortal(t), newPortal(t)
	p.location = other.URL + "/"
	e := newEngine(t, engine.Config{Env: p.env})
	other.sessions["session-1-ada"] = true
	m := loadText(t, e, loginMission(`token: response.token, base: response.instance_url`))[0]
	runOK(t, m)
	if p.served+p.refused != 0 || other.served != 30 || len(p.logins) != 1 {
		t.Errorf("the first base had %d, the other %d of 30", p.served+p.refused, other.served)
	}
}

// Two tenants never share a session; two missions of one tenant do.
func TestLoginTenants(t *testing.T) {
	p := newPortal(t)
	e := newEngine(t, engine.Config{Env: p.env})
	text := loginMission(`token: response.token`)
	all := text + strings.Replace(text, "mission M", "mission N", 1) +
		strings.NewReplacer("mission M", "mission Other", `env("CRM_USER")`, `env("OTHER")`).Replace(text)
	for _, m := range loadText(t, e, strings.NewReplacer("source CRM", "source API").Replace(all)) {
		runOK(t, m)
	}
	if len(p.logins) != 2 {
		t.Errorf("%d logins, want 2: one for each tenant", len(p.logins))
	}
}

// A login that fails fails each request with its reason, and is not tried for
// each of them.
func TestLoginFails(t *testing.T) {
	p := newPortal(t)
	var log lockedBuffer
	redactor := &credentials.Redactor{}
	e := newEngine(t, engine.Config{Redactor: redactor, Log: telemetry.New(telemetry.Options{Writer: &log, Redact: redactor.Redact}), Env: func(name string) (string, bool) {
		if name == "CRM_PASSWORD" {
			return "wrong-pass-word", true
		}
		return p.env(name)
	}})
	m := loadText(t, e, loginMission(`token: response.token`))[0]
	if err := m.Ready(nil); err != nil {
		t.Fatal(err)
	}
	report := m.Run(context.Background(), engine.RunOptions{})
	if report.Err == nil || len(report.Errors) == 0 {
		t.Fatal("no error")
	}
	text := report.Errors[0].Message
	if !strings.Contains(text, "the login of source CRM does not work: POST "+p.URL+"/session: 403 Forbidden") || strings.Contains(text, "wrong-pass-word") {
		t.Errorf("%s", text)
	}
	if len(p.logins) > 3 || p.served+p.refused != 0 {
		t.Errorf("%d logins, %d API requests", len(p.logins), p.served+p.refused)
	}
	if list := e.SignInProblems(); len(list) != 1 || list[0].Source != "CRM" {
		t.Errorf("problems %v", list)
	}
	if strings.Contains(log.String(), "wrong-pass-word") {
		t.Errorf("log: %s", log.String())
	}
}

// What a login gives may be anything; each mistake is told.
func TestLoginMistakes(t *testing.T) {
	for block, want := range map[string]string{
		`token: response.nothing`:                            "has given nothing that requests could carry",
		`token: toString(response.ttl) + "\n"`:               "option token is string, expected text that a header can carry",
		`headers: { "X-Session": response.token + "\n" }`:    "holds a line end",
		`token: response.token, expires: 5`:                  "option expires is number, expected a timestamp",
		`token: response.token, base: "ftp://x"`:             "option base of `login` is no address",
		`token: response.token, expires: response.ttl.x + 1`: "null",
	} {
		p := newPortal(t)
		e := newEngine(t, engine.Config{Env: p.env})
		m := loadText(t, e, strings.Replace(loginMission(block), `base: "ftp://x"`, `base: "ftp" + "://x"`, 1))[0]
		report := m.Run(context.Background(), engine.RunOptions{})
		if report.Err == nil || len(report.Errors) == 0 || !strings.Contains(report.Errors[0].Message, want) {
			t.Errorf("%s: %v, want %q", block, report.Errors, want)
		}
		if p.served+p.refused != 0 {
			t.Errorf("%s: requests went out", block)
		}
	}
}

// The login goes through the limits of its source: with one request at a time it
// takes the one place, and does not wait for itself.
func TestLoginThroughLimits(t *testing.T) {
	p := newPortal(t)
	clock := &fakeClock{now: start}
	e := newEngine(t, engine.Config{Env: p.env, Clock: clock})
	m := loadText(t, e, strings.Replace(loginMission(`token: response.token`), "retry:", "maxInFlight: 1, rateLimit: { requestsPerMinute: 60, maxWait: 5m }, retry:", 1))[0]
	runOK(t, m)
	if d := clock.Now().Sub(start); d < 29*time.Second || d > 31*time.Second {
		t.Errorf("31 requests took %v, want 30s", d)
	}
}

// exchange checks signatures as the documents of Binance, Kraken and a
// Coinbase-like exchange define them.
type exchange struct {
	*httptest.Server
	mu    sync.Mutex
	seen  map[string]bool // nonces and timestamps
	good  int
	fails int // so many requests get a 503
	bad   []string
}

const (
	binanceKey = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
	krakenKey  = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
)

func newExchange(t *testing.T) *exchange {
	x := &exchange{seen: map[string]bool{}}
	x.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		x.mu.Lock()
		defer x.mu.Unlock()
		var got, want, nonce string
		switch {
		case strings.HasPrefix(r.URL.Path, "/binance"):
			query, signature, _ := strings.Cut(r.URL.RawQuery, "&signature=")
			mac := hmac.New(sha256.New, []byte(binanceKey))
			mac.Write([]byte(query))
			got, want, nonce = signature, hex.EncodeToString(mac.Sum(nil)), r.URL.Query().Get("timestamp")
		case strings.HasPrefix(r.URL.Path, "/kraken"):
			key, _ := base64.StdEncoding.DecodeString(krakenKey)
			form := string(body)
			for part := range strings.SplitSeq(form, "&") {
				if n, ok := strings.CutPrefix(part, "nonce="); ok {
					nonce = n
				}
			}
			sum := sha256.Sum256([]byte(nonce + form))
			mac := hmac.New(sha512.New, key)
			mac.Write(append([]byte(r.URL.Path), sum[:]...))
			got, want = r.Header.Get("API-Sign"), base64.StdEncoding.EncodeToString(mac.Sum(nil))
		default:
			nonce = r.Header.Get("CB-Timestamp") + r.URL.Path
			mac := hmac.New(sha256.New, []byte("coin"))
			mac.Write([]byte(r.Header.Get("CB-Timestamp") + r.Method + r.URL.RequestURI() + string(body)))
			got, want = r.Header.Get("CB-Sign"), base64.StdEncoding.EncodeToString(mac.Sum(nil))
		}
		if got != want || x.seen[nonce] || nonce == "" {
			x.bad = append(x.bad, fmt.Sprintf("%s %s %q: got %s, want %s, nonce %s seen %v", r.Method, r.RequestURI, body, got, want, nonce, x.seen[nonce]))
			w.WriteHeader(403)
			return
		}
		x.seen[nonce] = true
		if x.fails > 0 {
			x.fails--
			w.WriteHeader(503)
			return
		}
		x.good++
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"id":1}`)
	}))
	t.Cleanup(x.Server.Close)
	return x
}

const exchangeMission = `mission M {
  source Binance {
    base: env("BASE") + "/binance"
    headers: { "X-MBX-APIKEY": env("BINANCE_KEY") }
    sign: { params: { timestamp: toUnix(request.timestamp) * 1000, signature: hmac("sha256", env("BINANCE_SECRET"), request.query) } }
  }
  source Kraken {
    base: env("BASE") + "/kraken"
    sign: {
      "API-Sign": hmac("sha512", env("KRAKEN_SECRET"), hex(request.path) + sha256(capture(request.body, "nonce=([0-9]+)")[1] + request.body), "base64", "base64", "hex")
      form: { nonce: toUnix(request.timestamp) * 1000 }
    }
  }
  source Coin {
    base: env("BASE") + "/coin"
    sign: {
      "CB-Timestamp": toUnix(request.timestamp)
      "CB-Sign": hmac("sha256", env("COIN_SECRET"), request.headers["cb-timestamp"] + request.method + request.path + (if request.query == "" then "" else "?" + request.query) + (request.body ?? ""), "base64")
    }
  }
  action A {
    get Binance "/api/v3/order" { params: { symbol: "LTCBTC", side: "BUY" } }
    post Kraken "/0/private/AddOrder" { form: { ordertype: "limit", pair: "XBTUSD" } }
    post Kraken "/0/private/Balance"
    get Coin "/accounts"
    get Coin "/orders" { params: { a: "b c" } }
    post Coin "/orders" { body: { size: 1.50 } }
  }
}
`

// Each attempt is signed anew, with its own timestamp or nonce, over what is
// really sent.
func TestSign(t *testing.T) {
	x := newExchange(t)
	x.fails = 1
	clock := &fakeClock{now: start}
	redactor := &credentials.Redactor{}
	e := newEngine(t, engine.Config{Clock: tickingClock{clock}, Redactor: redactor, Env: func(name string) (string, bool) {
		v, ok := map[string]string{"BASE": x.URL, "BINANCE_SECRET": binanceKey, "KRAKEN_SECRET": krakenKey, "COIN_SECRET": "coin", "BINANCE_KEY": "api-key-1"}[name]
		return v, ok
	}})
	m := loadText(t, e, exchangeMission)[0]
	report := m.Run(context.Background(), engine.RunOptions{})
	if report.Err != nil || x.good != 6 || len(x.bad) > 0 {
		t.Errorf("%v; %d good, bad: %s", report.Err, x.good, strings.Join(x.bad, "\n"))
	}
	if len(x.seen) != 7 {
		t.Errorf("%d signatures, want 7: the attempt that failed had one of its own", len(x.seen))
	}
	if redactor.Redact(krakenKey) == krakenKey {
		t.Error("the key is not redacted")
	}
	// A dry run shows no signature.
	var shown strings.Builder
	m.Run(context.Background(), engine.RunOptions{DryRun: true, Preview: func(p engine.Preview) { fmt.Fprintf(&shown, "%+v\n", *p.Request) }})
	if !strings.Contains(shown.String(), "API-Sign") && !strings.Contains(shown.String(), "Api-Sign") || strings.Contains(shown.String(), "signature=") {
		t.Errorf("dry run: %s", shown.String())
	}
}

// tickingClock moves on by a second each time that it is looked at.
type tickingClock struct{ *fakeClock }

func (c tickingClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Second)
	return c.now
}

// A signature that can't be worked out keeps the request from being sent, and
// says where.
func TestSignMistakes(t *testing.T) {
	for sign, want := range map[string]string{
		`{ "X-Sig": hmac("sha256", env("NONE"), request.body) }`: "hmac",
		`{ "X-Sig": request.headers }`:                           "sign.X-Sig is object",
		`{ "X-Sig": "a" + "\n" }`:                                "holds a line end",
		`{ form: { sig: "1" } }`:                                 "goes into a form, and the body is application/json",
		`{ params: { sig: request.query | parseJSON() } }`:       "sign.sig",
	} {
		x := newExchange(t)
		e := newEngine(t, engine.Config{Env: func(name string) (string, bool) { return x.URL, name == "BASE" }})
		m := loadText(t, e, `mission M { source S { base: env("BASE"), sign: `+sign+` } action A { post "/x" { body: { a: 1 } } } }`)[0]
		report := m.Run(context.Background(), engine.RunOptions{})
		if report.Err == nil || !strings.Contains(report.Err.Error(), want) || !strings.Contains(report.Err.Error(), "not sent: it could not be signed") {
			t.Errorf("%s: %v, want %q", sign, report.Err, want)
		}
		if x.good+len(x.bad) != 0 {
			t.Errorf("%s: it was sent", sign)
		}
	}
}
