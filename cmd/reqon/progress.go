package main

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"

	"reqon/runtime/engine"
	"reqon/runtime/telemetry"
)

const (
	// refresh is how often the progress line is rewritten.
	refresh = 200 * time.Millisecond
	// logRefresh is how often progress is logged where there is no terminal: a
	// long run must not look like one that hangs, and no run may fill a log.
	logRefresh = 30 * time.Second
)

// progressLine is a line at the end of a terminal that is rewritten as a run
// goes on. Log lines are written through it, above the line.
type progressLine struct {
	mu    sync.Mutex
	w     io.Writer
	width func() int // of the terminal, in columns
	shown string
}

func newProgressLine(w io.Writer) *progressLine {
	return &progressLine{w: w, width: func() int { return terminalWidth(w) }}
}

// Write writes whole lines above the progress line.
func (p *progressLine) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown == "" {
		return p.w.Write(b)
	}
	var out bytes.Buffer
	out.WriteString("\r\x1b[K")
	out.Write(b)
	out.WriteString(p.shown)
	if _, err := p.w.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(b), nil
}

// show shows a run's progress until stop is called, which removes the line.
func (p *progressLine) show(mission string, counts *engine.Progress, every time.Duration) (stop func()) {
	started := time.Now()
	stopTicks := onTick(every, func() { p.draw(mission + ": " + progressText(counts, time.Since(started))) })
	return func() {
		stopTicks()
		p.draw("")
	}
}

// draw puts text in the line's place, cut so that it stays one line: only the
// last line of a terminal can be rewritten.
func (p *progressLine) draw(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if text == "" && p.shown == "" {
		return
	}
	if limit := p.width() - 1; len(text) > limit {
		text = text[:max(limit, 0)] // names and numbers are ASCII
	}
	p.shown = text
	fmt.Fprintf(p.w, "\r\x1b[K%s", text)
}

// logProgress logs a run's progress until stop is called.
func logProgress(log *telemetry.Logger, counts *engine.Progress, every time.Duration) (stop func()) {
	started := time.Now()
	return onTick(every, func() { log.Info("Running: " + progressText(counts, time.Since(started))) })
}

// onTick calls f again and again until stop is called, and no more after that.
func onTick(every time.Duration, f func()) (stop func()) {
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				f()
			case <-done:
				return
			}
		}
	}()
	return func() { close(done); <-gone }
}

func progressText(c *engine.Progress, d time.Duration) string {
	records := c.Records.Load()
	text := fmt.Sprintf("%s, %s, %.0f records/s, %s, %s",
		plural(records, "record"), plural(c.Requests.Load(), "request"), float64(records)/max(d.Seconds(), 0.001),
		pluralOf(c.Retries.Load(), "retry", "retries"), plural(c.Failures.Load(), "failure"))
	if w := c.Waiting(); w != nil {
		left := max(time.Until(w.Until).Round(time.Second), time.Second)
		text = fmt.Sprintf("waiting %s for %s's %s; %s", left, w.Source, w.For, text)
	}
	return text
}
