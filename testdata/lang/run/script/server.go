package script

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// serverDate is the Date header of an answer that has none of its own.
const serverDate = "Tue, 20 Jan 2026 08:59:58 GMT"

// block is one answer of the server and the request that it belongs to.
type block struct {
	line     string // as written, for complaints
	method   string
	path     string // as sent, with its escapes
	query    url.Values
	open     bool // any more parameters may come
	optional bool

	headers []header // that must be there
	absent  []string // that must not
	body    *string  // exactly this
	form    *string  // this form, in any order

	status   int
	repeat   bool
	hangUp   bool // close the connection without an answer
	truncate bool
	delay    time.Duration
	answer   []header
	text     string
}

type header struct{ name, value string }

var requestLine = regexp.MustCompile(`^(GET|POST|PUT|PATCH|DELETE) (/\S*)( \(optional\))?$`)

// parseBlocks reads an api section.
func parseBlocks(text string) ([]block, error) {
	var blocks []block
	var b *block
	var body []string
	inBody := false
	end := func() {
		if b != nil {
			b.text = strings.TrimRight(strings.Join(body, "\n"), "\n")
			blocks = append(blocks, *b)
		}
		b, body, inBody = nil, nil, false
	}
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		m := requestLine.FindStringSubmatch(line)
		switch {
		case m != nil:
			end()
			b = &block{line: line, method: m[1], optional: m[3] != ""}
			if err := b.target(m[2]); err != nil {
				return nil, err
			}
		case line == "---":
			end()
		case b == nil:
			if line != "" {
				return nil, fmt.Errorf("expected a request line, found %q", line)
			}
		case inBody || !strings.HasPrefix(line, "<") && !strings.HasPrefix(line, ">") && !strings.HasPrefix(line, "!>"):
			inBody = true
			body = append(body, line)
		default:
			if err := b.directive(line); err != nil {
				return nil, fmt.Errorf("%s: %w", b.line, err)
			}
		}
	}
	end()
	for _, b := range blocks {
		if b.status == 0 && !b.hangUp {
			return nil, fmt.Errorf("%s: no answer", b.line)
		}
	}
	return blocks, nil
}

func (b *block) target(target string) (err error) {
	path, query, _ := strings.Cut(target, "?")
	b.path = path
	if query == "*" {
		query, b.open = "", true
	}
	if rest, ok := strings.CutSuffix(query, "&*"); ok {
		query, b.open = rest, true
	}
	b.query, err = url.ParseQuery(query)
	return err
}

// directive reads a line that begins with >, !> or <.
func (b *block) directive(line string) (err error) {
	if name, ok := strings.CutPrefix(line, "!> "); ok {
		b.absent = append(b.absent, name)
		return nil
	}
	mark, rest := line[:1], strings.TrimPrefix(line[1:], " ")
	name, v, colon := strings.Cut(rest, ":")
	v = strings.TrimPrefix(v, " ")
	switch {
	case mark == ">" && name == "body":
		b.body = &v
	case mark == ">" && name == "form":
		b.form = &v
	case mark == ">" && colon:
		b.headers = append(b.headers, header{name, v})
	case mark == "<" && rest == "close":
		b.hangUp = true
	case mark == "<" && rest == "truncate":
		b.truncate = true
	case mark == "<" && strings.HasPrefix(rest, "delay "):
		b.delay, err = time.ParseDuration(strings.TrimPrefix(rest, "delay "))
	case mark == "<" && colon:
		b.answer = append(b.answer, header{name, v})
	case mark == "<":
		rest, b.repeat = strings.CutSuffix(rest, " repeat")
		b.status, err = strconv.Atoi(rest)
	default:
		err = fmt.Errorf("can't read %q", line)
	}
	return err
}

// Server plays the scripted server of a program.
type Server struct {
	URL string // http://127.0.0.1:port
	Alt string // the same server as another origin

	http   *httptest.Server
	blocks []block

	mu         sync.Mutex
	used       []int // how often each block has answered
	requests   int
	complaints complaints
}

// Serve starts the server of the program. Close it when the run has ended.
func (p *Program) Serve() *Server {
	s := &Server{blocks: p.blocks, used: make([]int, len(p.blocks))}
	// The addresses are there before the first request can come.
	s.http = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.URL = "http://" + s.http.Listener.Addr().String()
	s.Alt = strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	s.http.Start()
	return s
}

// Close ends the server, and connections that still wait for an answer.
func (s *Server) Close() {
	s.http.CloseClientConnections()
	s.http.Close()
}

// Requests returns how many requests have come.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// Complaints returns what was asked against the script, and what was never
// asked for.
func (s *Server) Complaints() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.Clone(s.complaints.list)
	for i, b := range s.blocks {
		if s.used[i] == 0 && !b.optional {
			list = append(list, fmt.Sprintf("never asked for: %s (block %d)", b.line, i+1))
		}
	}
	return list
}

// expand puts the server's addresses into text. s may be nil.
func (s *Server) expand(text string) string {
	if s == nil {
		return text
	}
	return strings.NewReplacer("$API", s.URL, "$ALT", s.Alt).Replace(text)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has gone
	}
	b := s.take(r, string(body))
	if b == nil {
		http.Error(w, "the script has no answer to this", http.StatusNotImplemented)
		return
	}
	if b.delay > 0 {
		t := time.NewTimer(b.delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
			return
		}
	}
	if b.hangUp {
		panic(http.ErrAbortHandler)
	}
	s.answer(w, b)
}

// take finds the block that answers a request and holds the request against it.
func (s *Server) take(r *http.Request, body string) *block {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	for i := range s.blocks {
		b := &s.blocks[i]
		if s.used[i] > 0 && !b.repeat || !b.fits(r) {
			continue
		}
		s.used[i]++
		s.hold(b, r, body)
		return b
	}
	s.complaints.add("no answer (left) for %s %s\n  body: %s", r.Method, r.URL.RequestURI(), body)
	return nil
}

func (b *block) fits(r *http.Request) bool {
	if r.Method != b.method || r.URL.EscapedPath() != b.path {
		return false
	}
	query := r.URL.Query()
	if b.open {
		maps.DeleteFunc(query, func(name string, _ []string) bool { return !b.query.Has(name) })
	}
	return maps.EqualFunc(query, b.query, slices.Equal)
}

func (s *Server) hold(b *block, r *http.Request, body string) {
	for _, h := range b.headers {
		got, want := r.Header.Values(h.name), s.expand(h.value)
		if len(got) == 0 || want != "*" && got[0] != want && !strings.HasPrefix(got[0], want+";") {
			s.complaints.add("%s: header %s is %q, want %q", b.line, h.name, got, want)
		}
	}
	for _, name := range b.absent {
		if got := r.Header.Values(name); len(got) > 0 {
			s.complaints.add("%s: header %s is %q, want none", b.line, name, got)
		}
	}
	if b.body != nil && body != s.expand(*b.body) {
		s.complaints.add("%s: body is\n  %s\nwant\n  %s", b.line, body, s.expand(*b.body))
	}
	if b.form != nil {
		got, err := url.ParseQuery(body)
		want, wantErr := url.ParseQuery(*b.form)
		if err != nil || wantErr != nil || !maps.EqualFunc(got, want, slices.Equal) {
			s.complaints.add("%s: body is\n  %s\nwant the form\n  %s", b.line, body, *b.form)
		}
	}
}

func (s *Server) answer(w http.ResponseWriter, b *block) {
	text := s.expand(b.text)
	h := w.Header()
	h.Set("Date", serverDate)
	h["Content-Type"] = nil // no guess
	if text != "" {
		h.Set("Content-Type", "application/json")
	}
	for _, a := range b.answer {
		if a.name == "Date" && a.value == "-" {
			h["Date"] = nil
			continue
		}
		h.Set(a.name, s.expand(a.value))
	}
	if text != "" {
		h.Set("Content-Length", strconv.Itoa(len(text)))
	}
	w.WriteHeader(b.status)
	if b.truncate {
		text = text[:len(text)/2]
	}
	if _, err := io.WriteString(w, text); err != nil {
		return // the client has gone
	}
	if b.truncate {
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		panic(http.ErrAbortHandler)
	}
}
