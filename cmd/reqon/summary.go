package main

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"text/tabwriter"
	"time"

	"reqon/runtime/engine"
)

// writeSummary writes what a run came to: status and duration, what each action
// asked for, and what happened to the records of each store.
func writeSummary(w io.Writer, r *engine.Report, d time.Duration, dryRun bool) {
	fmt.Fprintf(w, "%s: %s (%s)\n", r.Mission, r.Status, seconds(d))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, a := range r.Actions {
		fmt.Fprintf(t, "  action %s\t%d requests\t%d retries\t%d records\n", a.Name, a.Requests, a.Retries, a.Records)
	}
	if !dryRun {
		for _, s := range r.Stores {
			fmt.Fprintf(t, "  store %s\t%d inserted\t%d updated\t%d unchanged\t%d failed\n", s.Name, s.Inserted, s.Updated, s.Unchanged, s.Failed)
		}
	}
	t.Flush()
}

// seconds writes a duration as the log does: 2.1s.
func seconds(d time.Duration) string { return fmt.Sprintf("%.1fs", d.Seconds()) }

// writePreview writes a request that a dry run would have sent.
func writePreview(w io.Writer, p engine.Preview) {
	fmt.Fprintf(w, "  would send %s %s", p.Request.Method, p.Request.URL)
	if p.Position != "" {
		fmt.Fprintf(w, "  (%s)", p.Position)
	}
	fmt.Fprintln(w)
	for _, h := range p.Request.Headers {
		fmt.Fprintf(w, "    %s: %s\n", h.Name, h.Value)
	}
	if p.Request.Body != "" {
		fmt.Fprintf(w, "    %s\n", p.Request.Body)
	}
}

// progressLine is a line at the end of a terminal that is rewritten as a run
// goes on. Log lines are written through it, above the line.
type progressLine struct {
	mu    sync.Mutex
	w     io.Writer
	shown string
}

// refresh is how often the line is rewritten.
const refresh = 200 * time.Millisecond

func newProgressLine(w io.Writer) *progressLine { return &progressLine{w: w} }

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
	_, err := p.w.Write(out.Bytes())
	return len(b), err
}

// show shows a run's progress until stop is called, which removes the line.
func (p *progressLine) show(mission string, counts *engine.Progress) (stop func()) {
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(refresh)
		defer tick.Stop()
		started := time.Now()
		for {
			select {
			case <-tick.C:
				p.draw(progressText(mission, counts, time.Since(started)))
			case <-done:
				p.draw("")
				return
			}
		}
	}()
	return func() { close(done); <-gone }
}

func (p *progressLine) draw(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shown = text
	fmt.Fprintf(p.w, "\r\x1b[K%s", text)
}

func progressText(mission string, c *engine.Progress, d time.Duration) string {
	records := c.Records.Load()
	return fmt.Sprintf("%s: %d records, %d requests, %.0f records/s, %d retries, %d failures",
		mission, records, c.Requests.Load(), float64(records)/max(d.Seconds(), 0.001), c.Retries.Load(), c.Failures.Load())
}
