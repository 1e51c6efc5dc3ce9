package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"reqon/runtime/engine"
	"reqon/runtime/state"
	"reqon/runtime/telemetry"
)

// writeSummary writes what a run came to: status and duration, what each action
// asked for, and what happened to the records of each store (operations,
// "Commands"). A dry run has sent and stored nothing, so that it has no counts
// but those of the requests that it told.
func writeSummary(w io.Writer, r *engine.Report, d time.Duration, dryRun bool) {
	if dryRun {
		var n int64
		for _, a := range r.Actions {
			n += a.Requests
		}
		outcome := "dry run finished"
		if r.Err != nil {
			outcome = "dry run failed"
		}
		fmt.Fprintf(w, "%s: %s, %s would be sent\n", r.Mission, outcome, plural(n, "request"))
		return
	}
	fmt.Fprintf(w, "%s: %s (%s)\n", r.Mission, r.Status, seconds(d))
	writeCounts(w, &r.Run)
}

// writeCounts writes the counts of a run: a line for each action and store, and
// one for what else there is to know.
func writeCounts(w io.Writer, r *state.Run) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, a := range r.Actions {
		fmt.Fprintf(t, "  action %s\t%s\t%s\t%s\n", a.Name, plural(a.Requests, "request"), pluralOf(a.Retries, "retry", "retries"), plural(a.Records, "record"))
	}
	t.Flush() // what can't be written to a closed terminal is nobody's loss
	for _, s := range r.Stores {
		fmt.Fprintf(t, "  store %s\t%d inserted\t%d updated\t%d unchanged\t%d failed\n", s.Name, s.Inserted, s.Updated, s.Unchanged, s.Failed)
	}
	t.Flush()
	if texts := r.Counts.Texts(); len(texts) > 0 {
		fmt.Fprintf(w, "  outcome  %s\n", strings.Join(texts, "  "))
	}
}

// wholeErrors are the errors of a run that are not those of single items.
func wholeErrors(r *engine.Report) []state.RunError {
	var list []state.RunError
	for _, e := range r.Errors {
		if e.Index == nil {
			list = append(list, e)
		}
	}
	return list
}

// writeErrors tells each error of a failed run once; with items also those of
// single items, else only their number.
func writeErrors(w io.Writer, r *engine.Report, items bool) {
	if r.Err == nil {
		return
	}
	failed := int64(r.MoreErrors)
	for _, e := range r.Errors {
		if e.Index != nil && !items {
			failed++
			continue
		}
		writeError(w, r.Mission, e)
	}
	switch {
	case failed > 0 && items:
		fmt.Fprintf(w, "error: and %d more\n", failed)
	case failed > 0:
		fmt.Fprintf(w, "error: %s of mission %s failed\n", plural(failed, "item"), r.Mission)
	case len(r.Errors) == 0:
		fmt.Fprintf(w, "error: %s\n", r.Error)
	}
}

func writeError(w io.Writer, mission string, e state.RunError) {
	at := ""
	if e.Place != "" {
		at = e.Place + ": "
	}
	item := ""
	if e.Index != nil {
		item = fmt.Sprintf("item %d", *e.Index)
		if e.ID != "" {
			item += " (id " + e.ID + ")"
		}
		item += ": "
	}
	fmt.Fprintf(w, "error: %s%s%s\n", at, item, e.Message)
	if e.Action != "" {
		fmt.Fprintf(w, "  in action %s of mission %s\n", e.Action, mission)
	}
}

// errorFields are the fields with which an error of a run is logged.
func errorFields(e state.RunError) []telemetry.Field {
	var fields []telemetry.Field
	if e.Action != "" {
		fields = append(fields, telemetry.String("action", e.Action))
	}
	if e.Place != "" {
		fields = append(fields, telemetry.String("at", e.Place))
	}
	return fields
}

// writeNotes writes what a person should know of a run though it is no error.
func writeNotes(w io.Writer, r *engine.Report) {
	for _, n := range r.Notes {
		fmt.Fprintf(w, "  note: %s\n", n)
	}
}

// seconds writes a duration as the log does: 2.1s.
func seconds(d time.Duration) string { return fmt.Sprintf("%.1fs", d.Seconds()) }

// plural writes a number of things: 1 record, 2 records.
func plural[N int | int64](n N, what string) string { return pluralOf(n, what, what+"s") }

// pluralOf is plural for words that don't just take an s.
func pluralOf[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// writePreview writes a request that a dry run would have sent.
func writePreview(w io.Writer, p engine.Preview) {
	fmt.Fprintf(w, "  would send %s %s", p.Request.Method, p.Request.URL)
	if p.Place != "" {
		fmt.Fprintf(w, "  (%s)", p.Place)
	}
	fmt.Fprintln(w)
	for _, h := range p.Request.Headers {
		fmt.Fprintf(w, "    %s: %s\n", h.Name, h.Value)
	}
	if p.Request.Body != "" {
		fmt.Fprintf(w, "    %s\n", p.Request.Body)
	}
}
