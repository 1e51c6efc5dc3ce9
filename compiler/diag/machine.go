package diag

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"

	"reqon/compiler/syntax"
)

type jsonDiagnostic struct {
	Code       string     `json:"code"`
	Severity   string     `json:"severity"`
	Stage      Stage      `json:"stage"`
	Message    string     `json:"message"`
	File       string     `json:"file"`
	Line       int        `json:"line"`
	Column     int        `json:"column"`
	EndLine    int        `json:"endLine"`
	EndColumn  int        `json:"endColumn"`
	Suggestion string     `json:"suggestion"`
	Notes      []jsonNote `json:"notes,omitempty"`
}

type jsonNote struct {
	Message   string `json:"message"`
	File      string `json:"file,omitempty"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	EndLine   int    `json:"endLine,omitempty"`
	EndColumn int    `json:"endColumn,omitempty"`
}

// JSON writes the diagnostics as one JSON array of objects. Lines and columns
// count from 1, columns in code points; the end is the place just behind the
// span. A diagnostic without a place has "" and 0 for it.
func JSON(w io.Writer, ds []Diagnostic) error {
	out := make([]jsonDiagnostic, 0, len(ds))
	for i := range ds {
		d := &ds[i]
		from, to := d.Span.Position(), d.Span.EndPosition()
		j := jsonDiagnostic{
			Code: d.Code, Severity: d.Severity.String(), Stage: d.Stage, Message: d.Message,
			File: from.File, Line: from.Line, Column: from.Column, EndLine: to.Line, EndColumn: to.Column,
			Suggestion: d.Suggestion,
		}
		for _, n := range d.Notes {
			from, to := n.Span.Position(), n.Span.EndPosition()
			j.Notes = append(j.Notes, jsonNote{
				Message: n.Message,
				File:    from.File, Line: from.Line, Column: from.Column, EndLine: to.Line, EndColumn: to.Column,
			})
		}
		out = append(out, j)
	}
	return writeJSON(w, out)
}

type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string      `json:"id"`
		ShortDescription sarifText   `json:"shortDescription"`
		Default          sarifConfig `json:"defaultConfiguration"`
	}
	sarifConfig struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex *int            `json:"ruleIndex,omitempty"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
		Related   []sarifLocation `json:"relatedLocations,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
		Message  *sarifText    `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine"`
		EndColumn   int `json:"endColumn"`
	}
)

// SARIF writes the diagnostics as a SARIF 2.1.0 log of one run. version is
// that of the program, "" if unknown.
func SARIF(w io.Writer, ds []Diagnostic, version string) error {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "reqon", Version: version, Rules: []sarifRule{}}
	index := map[string]int{}
	for i := range ds {
		d := &ds[i]
		r := sarifResult{RuleID: d.Code, Level: sarifLevel(d.Severity), Message: sarifText{d.Message}}
		if d.Suggestion != "" {
			r.Message.Text += "; " + d.Suggestion
		}
		if c := Lookup(d.Code); c != nil {
			at, ok := index[d.Code]
			if !ok {
				at = len(run.Tool.Driver.Rules)
				index[d.Code] = at
				run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
					ID: c.Code, ShortDescription: sarifText{c.Title}, Default: sarifConfig{sarifLevel(c.Severity)},
				})
			}
			r.RuleIndex = &at
		}
		if d.Span.IsValid() {
			r.Locations = []sarifLocation{sarifPlace(d.Span)}
		}
		for _, n := range d.Notes {
			if n.Span.IsValid() {
				l := sarifPlace(n.Span)
				l.Message = &sarifText{n.Message}
				r.Related = append(r.Related, l)
			}
		}
		run.Results = append(run.Results, r)
	}
	return writeJSON(w, sarifLog{
		Schema:  "https://json.schemastore.org/sarif-2.1.0.json",
		Version: "2.1.0",
		Runs:    []sarifRun{run},
	})
}

func sarifLevel(s Severity) string {
	if s == Info {
		return "note"
	}
	return s.String()
}

func sarifPlace(s syntax.Span) sarifLocation {
	from, to := s.Position(), s.EndPosition()
	uri := url.URL{Path: from.File}
	if strings.HasPrefix(from.File, "/") {
		uri.Scheme = "file"
	}
	return sarifLocation{Physical: sarifPhysical{
		Artifact: sarifArtifact{uri.String()},
		Region:   sarifRegion{from.Line, from.Column, to.Line, to.Column},
	}}
}

// GitHub writes the diagnostics as workflow commands, one a line, which GitHub
// shows at the lines of a change: `::error file=…,line=…,col=…::message`.
func GitHub(w io.Writer, ds []Diagnostic) error {
	var b strings.Builder
	for i := range ds {
		d := &ds[i]
		command := d.Severity.String()
		if d.Severity == Info {
			command = "notice"
		}
		b.WriteString("::" + command + " ")
		if d.Span.IsValid() {
			from, to := d.Span.Position(), d.Span.EndPosition()
			fmt.Fprintf(&b, "file=%s,line=%d,col=%d,", propertyEscaper.Replace(from.File), from.Line, from.Column)
			// The end column is only allowed where the span stays on its line.
			if to.Line == from.Line {
				fmt.Fprintf(&b, "endLine=%d,endColumn=%d,", to.Line, to.Column)
			}
		}
		message := d.Message
		if d.Suggestion != "" {
			message += "; " + d.Suggestion
		}
		fmt.Fprintf(&b, "title=%s::%s\n", propertyEscaper.Replace(d.Code), dataEscaper.Replace(message))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// The escapes of workflow commands: in their data, and in their properties.
var (
	dataEscaper     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	propertyEscaper = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
