package main

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"reqon/runtime/engine"
	"reqon/runtime/telemetry"
)

func TestProgressText(t *testing.T) {
	c := new(engine.Progress)
	c.Records.Store(1)
	c.Requests.Store(2)
	c.Retries.Store(1)
	if got, want := progressText(c, 2*time.Second), "1 record, 2 requests, 0 records/s, 1 retry, 0 failures"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	c.Records.Store(5000)
	c.Failures.Store(1)
	if got, want := progressText(c, 4*time.Second), "5000 records, 2 requests, 1250 records/s, 1 retry, 1 failure"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	c.Wait(&engine.Waiting{Source: "Shop", For: "limit", Until: time.Now().Add(12 * time.Second)})
	if got := progressText(c, 4*time.Second); !strings.HasPrefix(got, "waiting 12s for Shop's limit; 5000 records, ") {
		t.Errorf("got %q", got)
	}
	c.Wait(nil)
	if got := progressText(c, 0); strings.Contains(got, "Inf") {
		t.Errorf("got %q", got)
	}
}

// The line is rewritten in place, log lines come above it, and it stays one line
// however narrow the terminal.
func TestProgressLine(t *testing.T) {
	var out bytes.Buffer
	width := 10
	p := &progressLine{w: &out, width: func() int { return width }}
	write := func(line string) {
		if n, err := p.Write([]byte(line)); n != len(line) || err != nil {
			t.Fatalf("wrote %d of %d, %v", n, len(line), err)
		}
	}
	write("one\n")
	p.draw("123456789012")
	write("two\n")
	width = 5
	p.draw("123456789012")
	width = 0
	p.draw("x")
	p.draw("")
	write("three\n")
	p.draw("")
	const clear = "\r\x1b[K"
	if got, want := out.String(), "one\n"+clear+"123456789"+clear+"two\n123456789"+clear+"1234"+clear+"three\n"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// lockedBuffer is a buffer that one goroutine writes and another reads.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// waitFor waits until the buffer has a text.
func waitFor(t *testing.T, b *lockedBuffer, text string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(b.String(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no %q in %q", text, b.String())
		}
	}
}

func TestShowProgress(t *testing.T) {
	var out lockedBuffer
	p := &progressLine{w: &out, width: func() int { return 80 }}
	counts := new(engine.Progress)
	counts.Records.Store(7)
	stop := p.show("M", counts, time.Millisecond)
	waitFor(t, &out, "M: 7 records, 0 requests, ")
	stop()
	after := out.String()
	if !strings.HasSuffix(after, "\r\x1b[K") {
		t.Errorf("the line stays: %q", after)
	}
}

func TestLogProgress(t *testing.T) {
	var out lockedBuffer
	counts := new(engine.Progress)
	stop := logProgress(telemetry.New(telemetry.Options{Writer: &out}).With("M", ""), counts, time.Millisecond)
	waitFor(t, &out, "[INFO] M: Running: 0 records, 0 requests, ")
	stop()
	if got := out.String(); strings.Contains(got, "\x1b") {
		t.Errorf("escape sequences in a log: %q", got)
	}
}
