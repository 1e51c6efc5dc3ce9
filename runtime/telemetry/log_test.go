package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// at is a clock that stands still, at nine in the morning of its zone.
func at(zone *time.Location) func() time.Time {
	t := time.Date(2024, 1, 20, 9, 0, 0, 999_000_000, zone)
	return func() time.Time { return t.UTC() }
}

func newTest(o Options) (*Logger, *bytes.Buffer) {
	var out bytes.Buffer
	o.Writer = &out
	if o.Location == nil {
		o.Location = time.UTC
	}
	if o.Now == nil {
		o.Now = at(o.Location)
	}
	return New(o), &out
}

func lineOf(t *testing.T, out *bytes.Buffer) string {
	t.Helper()
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatalf("no whole line: %q", line)
	}
	return strings.TrimSuffix(line, "\n")
}

// The lines that the guide shows.
func TestTextLines(t *testing.T) {
	log, out := newTest(Options{Location: time.FixedZone("", -5*3600)})
	log.Info("Starting Reqon daemon")
	log.With("SyncCustomers", "").Info("Next run at 09:15:00")
	log.With("SyncOrders", "0190").Info("Completed (2.1s)")
	log.Warn("w")
	log.Error("e")
	log.Debug("below the level")
	want := `[2024-01-20 09:00:00] [INFO] Starting Reqon daemon
[2024-01-20 09:00:00] [INFO] SyncCustomers: Next run at 09:15:00
[2024-01-20 09:00:00] [INFO] SyncOrders: Completed (2.1s)
[2024-01-20 09:00:00] [WARN] w
[2024-01-20 09:00:00] [ERROR] e
`
	// The zero Level is debug.
	want += "[2024-01-20 09:00:00] [DEBUG] below the level\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// The line that the guide shows, at another place on Earth.
func TestJSONLines(t *testing.T) {
	log, out := newTest(Options{Format: FormatJSON, Location: time.FixedZone("", 2*3600)})
	log.sink.Now = at(time.UTC)
	log.With("SyncCustomers", "").Info("Starting run")
	log.With("M", "0190").Error("failed", Int("status", 503))
	want := `{"timestamp":"2024-01-20T09:00:00Z","level":"info","message":"Starting run","mission":"SyncCustomers"}
{"timestamp":"2024-01-20T09:00:00Z","level":"error","message":"failed","mission":"M","run":"0190","status":503}
`
	if got := out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestFields(t *testing.T) {
	tests := []struct {
		field      Field
		text, json string
	}{
		{String("k", "plain"), `k=plain`, `"k":"plain"`},
		{String("k", "ümläut/日本"), `k=ümläut/日本`, `"k":"ümläut/日本"`},
		{String("k", ""), `k=""`, `"k":""`},
		{String("k", "two words"), `k="two words"`, `"k":"two words"`},
		{String("k", `say "hi"`), `k="say \"hi\""`, `"k":"say \"hi\""`},
		{String("k", "a=b"), `k="a=b"`, `"k":"a=b"`},
		{String("k", "a\nb\tc\x1b[31m"), `k="a\nb\tc\x1b[31m"`, `"k":"a\nb\tc\u001b[31m"`},
		{String("k", `C:\dir`), `k=C:\dir`, `"k":"C:\\dir"`},
		{String("k", "\xff"), `k="\xff"`, `"k":"\ufffd"`},
		{String("odd key=", "v"), `"odd key="=v`, `"odd key=":"v"`},
		{Int("k", -7), `k=-7`, `"k":-7`},
		{Int("k", int64(math.MinInt64)), `k=-9223372036854775808`, `"k":-9223372036854775808`},
		{Duration("k", 2100*time.Millisecond), `k=2.1s`, `"k":2.1`},
		{Err(errors.New("it broke")), `error="it broke"`, `"error":"it broke"`},
		{Err(nil), `error=""`, `"error":""`},
		{JSON("k", `12345678901234567890`), `k=12345678901234567890`, `"k":12345678901234567890`},
		{JSON("k", `"text"`), `k=text`, `"k":"text"`},
		{JSON("k", `null`), `k=null`, `"k":null`},
		{JSON("k", "{\"a\":\n [1, 2]}"), `k="{\"a\":[1,2]}"`, `"k":{"a":[1,2]}`},
		{JSON("k", "[1]"), `k=[1]`, `"k":[1]`},
		{JSON("k", "no\nJSON"), `k="no\nJSON"`, `"k":"no\nJSON"`},
		{JSON("k", ""), `k=""`, `"k":""`},
	}
	for _, test := range tests {
		log, out := newTest(Options{})
		log.Info("m", test.field)
		if got, want := lineOf(t, out), "[2024-01-20 09:00:00] [INFO] m "+test.text; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		log, out = newTest(Options{Format: FormatJSON})
		log.Info("m", test.field)
		if got, want := lineOf(t, out), `{"timestamp":"2024-01-20T09:00:00Z","level":"info","message":"m",`+test.json+`}`; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestFieldsOfOneName(t *testing.T) {
	fields := []Field{Int("a", 1), Int("a", 2), Int("a_", 3), Int("a", 4), String("mission", "x"), String("level", "y")}
	log, out := newTest(Options{})
	log.With("M", "r").Info("m", fields...)
	if got, want := lineOf(t, out), `[2024-01-20 09:00:00] [INFO] M: m a=1 a_=2 a__=3 a___=4 mission=x level=y`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	log, out = newTest(Options{Format: FormatJSON})
	log.With("M", "r").Info("m", fields...)
	want := `{"timestamp":"2024-01-20T09:00:00Z","level":"info","message":"m","mission":"M","run":"r",` +
		`"a":1,"a_":2,"a__":3,"a___":4,"mission_":"x","level_":"y"}`
	if got := lineOf(t, out); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Nothing that a server or a record says may look like another line.
func TestNoForgedLines(t *testing.T) {
	log, out := newTest(Options{})
	log.With("M\nN", "").Info("a\r\n[2024-01-20 09:00:00] [ERROR] fake\x00\x1b[2J\u2028\u202e\u0085\x7f\xff\u00a0ü \\n \uFFFD")
	want := `[2024-01-20 09:00:00] [INFO] M\nN: a\r\n[2024-01-20 09:00:00] [ERROR] fake\x00\x1b[2J\u2028\u202e\u0085\x7f\xff` + "\u00a0ü \\n \uFFFD"
	if got := lineOf(t, out); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if out.Len() != 0 {
		t.Errorf("more lines: %q", out)
	}
}

func TestLevels(t *testing.T) {
	for level := LevelDebug; level <= LevelError; level++ {
		log, out := newTest(Options{Level: level})
		log.Debug("m")
		log.Info("m")
		log.Warn("m")
		log.Error("m")
		if got, want := strings.Count(out.String(), "\n"), int(LevelError-level)+1; got != want {
			t.Errorf("at %v: %d lines, want %d", level, got, want)
		}
		for l := LevelDebug; l <= LevelError; l++ {
			if log.Enabled(l) != (l >= level) {
				t.Errorf("at %v: Enabled(%v) is %v", level, l, log.Enabled(l))
			}
		}
		for _, s := range []string{level.String(), strings.ToUpper(level.String())} {
			if got, err := ParseLevel(s); got != level || err != nil {
				t.Errorf("ParseLevel(%q): %v, %v", s, got, err)
			}
		}
	}
	for _, s := range []string{"", "warning", "3", " info"} {
		if _, err := ParseLevel(s); err == nil || !strings.Contains(err.Error(), "expected debug, info, warn or error") {
			t.Errorf("ParseLevel(%q): %v", s, err)
		}
	}
	for s, want := range map[string]Format{"text": FormatText, "JSON": FormatJSON} {
		if got, err := ParseFormat(s); got != want || err != nil {
			t.Errorf("ParseFormat(%q): %v, %v", s, got, err)
		}
	}
	if _, err := ParseFormat("xml"); err == nil || !strings.Contains(err.Error(), "text or json") {
		t.Errorf("ParseFormat: %v", err)
	}
}

func TestRedaction(t *testing.T) {
	redact := strings.NewReplacer(`s3cr"et`, "***", "12345678", "***", "se\ncret", "***").Replace
	fields := []Field{
		String("a", `Bearer s3cr"et`), Int("b", 12345678), JSON("c", `{"n":12345678}`), JSON("d", `{"n":"12345678"}`),
		String(`s3cr"et`, "v"), Err(errors.New("x se\ncret y")), Duration("f", 12345678*time.Second),
	}
	for _, format := range []Format{FormatText, FormatJSON} {
		log, out := newTest(Options{Format: format, Redact: redact})
		log.With(`s3cr"et`, "12345678").Info(`token s3cr"et`, fields...)
		line := lineOf(t, out)
		for _, secret := range []string{"s3cr", "12345678", "cret"} {
			if strings.Contains(line, secret) {
				t.Errorf("%v: %q is in %s", format, secret, line)
			}
		}
		if format == FormatJSON && !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
		if !strings.Contains(line, `token ***`) || !strings.Contains(line, "Bearer ***") {
			t.Errorf("more than the secret is gone: %s", line)
		}
	}
}

func TestConcurrentLines(t *testing.T) {
	var mu sync.Mutex
	var lines []string
	writer := writerFunc(func(p []byte) (int, error) {
		if !mu.TryLock() { // two Writes at a time are not what Options promise
			t.Error("two lines are written at once")
			mu.Lock()
		}
		defer mu.Unlock()
		lines = append(lines, string(p))
		return len(p), nil
	})
	for _, format := range []Format{FormatText, FormatJSON} {
		lines = nil
		log := New(Options{Writer: writer, Format: format})
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				l := log.With(fmt.Sprint("M", i), "")
				for range 100 {
					l.Info("message", String("k", strings.Repeat("x", 100)))
				}
			})
		}
		wg.Wait()
		if len(lines) != 800 {
			t.Errorf("%v: %d writes, want 800", format, len(lines))
		}
		for _, line := range lines {
			if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") {
				t.Fatalf("%v: a write is not a line: %q", format, line)
			}
		}
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestWriterThatFails(t *testing.T) {
	full := writerFunc(func([]byte) (int, error) { return 0, errors.New("no space left on device") })
	for _, format := range []Format{FormatText, FormatJSON} {
		var fallback bytes.Buffer
		New(Options{Writer: full, Fallback: &fallback, Format: format}).Info("important")
		got := fallback.String()
		if !strings.HasPrefix(got, "cannot write to the log: no space left on device: ") || !strings.Contains(got, "important") || strings.Count(got, "\n") != 1 {
			t.Errorf("%v: the fallback has %q", format, got)
		}
		New(Options{Writer: full, Format: format}).Info("without a fallback")
	}
}

func TestNilLogger(t *testing.T) {
	var log *Logger
	log.Info("m", Int("k", 1))
	log.With("M", "r").Error("m")
	log.StdLog(LevelWarn).Print("m")
	if log.Enabled(LevelError) {
		t.Error("a nil Logger is enabled")
	}
}

func TestStdLog(t *testing.T) {
	log, out := newTest(Options{})
	log.StdLog(LevelWarn).Printf("http: %s\nmore", "TLS handshake error")
	if got, want := lineOf(t, out), `[2024-01-20 09:00:00] [WARN] http: TLS handshake error\nmore`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestDefaults(t *testing.T) {
	var out bytes.Buffer
	before := time.Now().Truncate(time.Second)
	New(Options{Writer: &out}).Info("m")
	text, _, _ := strings.Cut(strings.TrimPrefix(out.String(), "["), "]")
	got, err := time.ParseInLocation(time.DateTime, text, time.Local)
	if err != nil || got.Before(before) || got.After(time.Now()) {
		t.Errorf("the time is %q: %v, %v", text, got, err)
	}
	New(Options{}).Info("to nowhere")
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "reqon.log")
	if err := os.WriteFile(path, []byte("before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	log := New(Options{Writer: f, Now: at(time.UTC), Location: time.UTC})
	log.Info("one")
	rotated := path + ".1"
	if err := os.Rename(path, rotated); err != nil {
		t.Fatal(err)
	}
	log.Info("two") // goes to a new file: logrotate may be about to compress the old one
	if err := f.Reopen(); err != nil {
		t.Fatal(err)
	}
	log.Info("three")

	const head = "[2024-01-20 09:00:00] [INFO] "
	for name, want := range map[string]string{rotated: "before\n" + head + "one\n", path: head + "two\n" + head + "three\n"} {
		got, err := os.ReadFile(name)
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v; want %q", filepath.Base(name), got, err, want)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v, %v", info.Mode(), err)
	}

	// A path that can't be opened any more leaves the old file in use, and the
	// lines go to the fallback as well.
	if err := os.Rename(path, rotated); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := f.Reopen(); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("Reopen on a folder: %v", err)
	}
	if n, err := io.WriteString(f, "still\n"); n != len("still\n") || err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("after it: %d, %v", n, err)
	}
	if old, err := os.ReadFile(rotated); err != nil || !strings.HasSuffix(string(old), "three\nstill\n") {
		t.Errorf("the old file is %q, %v", old, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if _, err := f.Write(nil); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Write after Close: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := f.Reopen(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Reopen after Close: %v", err)
	}
	if _, err := OpenFile(filepath.Join(dir, "none", "x.log")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func TestFileReopenWhileWriting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reqon.log")
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	log := New(Options{Writer: f})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				log.Info("m")
			}
		})
	}
	for i := range 20 {
		if err := os.Rename(path, fmt.Sprint(path, ".", i)); err != nil {
			t.Fatal(err)
		}
		if err := f.Reopen(); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	lines := 0
	names, _ := filepath.Glob(path + "*")
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines += bytes.Count(data, []byte(" [INFO] m\n"))
	}
	if lines != 400 {
		t.Errorf("%d lines in all files, want 400", lines)
	}
}

// FuzzLine holds the promises of both forms for every text.
func FuzzLine(f *testing.F) {
	for _, s := range []string{"", "plain", "a\nb", "\xff\xfe", "\u2028\x1b", `{"a":1}`, "level", `"`, "ü", "{\"a\":\n1}"} {
		f.Add(s, s, s)
	}
	f.Fuzz(func(t *testing.T, msg, key, value string) {
		fields := []Field{String(key, value), JSON(key, value), Int("level", 1)}
		log, out := newTest(Options{})
		log.With(key, value).Info(msg, fields...)
		line := lineOf(t, out)
		if out.Len() > 0 || !utf8.ValidString(line) {
			t.Errorf("not one line of text: %q", line)
		}
		for _, r := range line {
			if !unicode.IsGraphic(r) {
				t.Errorf("%U is in %q", r, line)
			}
		}
		log, out = newTest(Options{Format: FormatJSON})
		log.With(key, value).Info(msg, fields...)
		var object map[string]any
		if err := json.Unmarshal(out.Bytes(), &object); err != nil || strings.Count(out.String(), "\n") != 1 {
			t.Fatalf("not one object on one line: %q: %v", out, err)
		}
		if want := strings.ToValidUTF8(msg, "\uFFFD"); utf8.ValidString(msg) && object["message"] != want {
			t.Errorf("message is %q, want %q", object["message"], want)
		}
		want := 6 // three of each line, three fields
		if key != "" {
			want++
		}
		if value != "" {
			want++
		}
		if utf8.ValidString(key) && len(object) != want {
			t.Errorf("%d keys in %s, want %d", len(object), out, want)
		}
	})
}

func BenchmarkText(b *testing.B) { benchLine(b, FormatText) }
func BenchmarkJSON(b *testing.B) { benchLine(b, FormatJSON) }

func benchLine(b *testing.B, format Format) {
	log := New(Options{Writer: io.Discard, Format: format}).With("SyncOrders", "0190")
	b.ReportAllocs()
	for b.Loop() {
		log.Info("request failed", String("method", "GET"), String("url", "https://api.example.com/orders"), Int("status", 503))
	}
}
