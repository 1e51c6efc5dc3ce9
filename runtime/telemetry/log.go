package telemetry

import (
	"fmt"
	"io"
	"log"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rs/zerolog"
)

// Level is how much a log line matters.
type Level int8

// The levels, from the least to the most important.
const (
	LevelDebug Level = iota
	LevelInfo
	LevelWarn
	LevelError
)

// String returns the level's name as the options write it.
func (l Level) String() string {
	switch l {
	case LevelDebug:
		return "debug"
	case LevelInfo:
		return "info"
	case LevelWarn:
		return "warn"
	case LevelError:
		return "error"
	}
	return "level " + strconv.Itoa(int(l))
}

// ParseLevel reads the value of --log-level or REQON_LOG_LEVEL, in any case.
func ParseLevel(s string) (Level, error) {
	for l := LevelDebug; l <= LevelError; l++ {
		if strings.EqualFold(s, l.String()) {
			return l, nil
		}
	}
	return 0, fmt.Errorf("unknown log level %q: expected debug, info, warn or error", s)
}

// Format is the form of log lines.
type Format int8

// The forms of log lines.
const (
	FormatText Format = iota
	FormatJSON
)

// String returns the form's name as the options write it.
func (f Format) String() string {
	if f == FormatJSON {
		return "json"
	}
	return "text"
}

// ParseFormat reads the value of --log-format or REQON_LOG_FORMAT, in any case.
func ParseFormat(s string) (Format, error) {
	for _, f := range []Format{FormatText, FormatJSON} {
		if strings.EqualFold(s, f.String()) {
			return f, nil
		}
	}
	return 0, fmt.Errorf("unknown log format %q: expected text or json", s)
}

// Options say how a [Logger] writes.
type Options struct {
	// Writer gets each line in one Write, never two at a time.
	Writer io.Writer
	// Fallback gets the lines that Writer refuses, as a full disk does; nil
	// drops them.
	Fallback io.Writer
	Format   Format
	Level    Level // lines below it are not written
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Location is the zone of the times in text lines; nil is the system's.
	Location *time.Location
	// Redact takes secrets out of a text; nil leaves all texts as they are. It
	// sees every text before it is escaped, and must be safe for concurrent use.
	Redact func(string) string
}

// Logger writes log lines. It is safe for concurrent use. A nil Logger writes
// nothing.
//
// Text lines have the form
//
//	[2024-01-20 09:00:00] [INFO] SyncOrders: Starting run key=value
//
// in the zone of Options.Location; a line never holds a line break or another
// control character, whatever the message holds. JSON lines are objects with
// timestamp (RFC 3339, UTC), level, message, mission, run and the fields; there
// the mission is no part of the message.
type Logger struct {
	sink         *sink
	mission, run string
}

// sink is what a Logger shares with those derived from it.
type sink struct {
	Options
	mu      sync.Mutex // held while a line is written
	json    zerolog.Logger
	buffers sync.Pool // *[]byte for text lines
}

// New returns a logger without a mission.
func New(o Options) *Logger {
	if o.Writer == nil {
		o.Writer = io.Discard
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Location == nil {
		o.Location = time.Local
	}
	if o.Redact == nil {
		o.Redact = func(s string) string { return s }
	}
	s := &sink{Options: o}
	s.json = zerolog.New(s)
	return &Logger{sink: s}
}

// With returns a logger for the events of a mission and its run; run is "" for
// those that are of no run.
func (l *Logger) With(mission, run string) *Logger {
	if l == nil {
		return nil
	}
	return &Logger{sink: l.sink, mission: mission, run: run}
}

// Enabled tells whether lines of this level are written.
func (l *Logger) Enabled(level Level) bool { return l != nil && level >= l.sink.Level }

// Debug writes a line at debug.
func (l *Logger) Debug(msg string, fields ...Field) { l.Log(LevelDebug, msg, fields...) }

// Info writes a line at info.
func (l *Logger) Info(msg string, fields ...Field) { l.Log(LevelInfo, msg, fields...) }

// Warn writes a line at warn.
func (l *Logger) Warn(msg string, fields ...Field) { l.Log(LevelWarn, msg, fields...) }

// Error writes a line at error.
func (l *Logger) Error(msg string, fields ...Field) { l.Log(LevelError, msg, fields...) }

// Log writes a line. Where a field has the name of one before it, or of one that
// every line has, "_" is put behind it, so that both are to be seen.
func (l *Logger) Log(level Level, msg string, fields ...Field) {
	if !l.Enabled(level) {
		return
	}
	if l.sink.Format == FormatJSON {
		l.logJSON(level, msg, fields)
	} else {
		l.logText(level, msg, fields)
	}
}

func (l *Logger) logText(level Level, msg string, fields []Field) {
	s := l.sink
	buf, ok := s.buffers.Get().(*[]byte)
	if !ok {
		buf = new([]byte)
	}
	b := append((*buf)[:0], '[')
	b = s.Now().In(s.Location).AppendFormat(b, "2006-01-02 15:04:05")
	b = append(b, "] ["...)
	b = append(b, strings.ToUpper(level.String())...)
	b = append(b, "] "...)
	if l.mission != "" {
		b = appendLine(b, s.Redact(l.mission))
		b = append(b, ": "...)
	}
	b = appendLine(b, s.Redact(msg))
	for i, key := range uniqueKeys(fields, nil, s.Redact) {
		b = append(b, ' ')
		b = appendWord(b, key)
		b = append(b, '=')
		b = appendWord(b, s.Redact(fields[i].text()))
	}
	b = append(b, '\n')
	_, _ = s.Write(b) // Write has dealt with the error
	if cap(b) <= maxPooled {
		*buf = b
		s.buffers.Put(buf)
	}
}

// reservedKeys are those that every JSON line may have.
var reservedKeys = []string{"timestamp", "level", "message", "mission", "run"}

func (l *Logger) logJSON(level Level, msg string, fields []Field) {
	s := l.sink
	e := s.json.Log().
		Str("timestamp", s.Now().UTC().Format(time.RFC3339)).
		Str("level", level.String()).
		Str("message", s.Redact(msg))
	if l.mission != "" {
		e.Str("mission", s.Redact(l.mission))
	}
	if l.run != "" {
		e.Str("run", s.Redact(l.run))
	}
	for i, key := range uniqueKeys(fields, reservedKeys, s.Redact) {
		fields[i].addTo(e, key, s.Redact)
	}
	e.Send()
}

// Write writes a line to the Writer, or else to the Fallback. It never fails:
// a log that can't be written must not stop what it is about.
func (s *sink) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.Writer.Write(line); err != nil && s.Fallback != nil {
		fmt.Fprintf(s.Fallback, "cannot write to the log: %v: %s", err, line)
	}
	return len(line), nil
}

// StdLog returns a logger of the standard library for packages that want one,
// like net/http. Each of its messages becomes a line at this level.
func (l *Logger) StdLog(level Level) *log.Logger {
	return log.New(stdWriter{l, level}, "", 0)
}

type stdWriter struct {
	l     *Logger
	level Level
}

func (w stdWriter) Write(p []byte) (int, error) {
	w.l.Log(w.level, strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

// maxPooled keeps single long lines from staying in memory, in bytes.
const maxPooled = 16 << 10

// appendLine appends s so that it stays on one line and can't steer a terminal:
// what unicode doesn't call graphic is escaped as in a Go string.
func appendLine(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		if c := s[i]; c >= ' ' && c < 0x7f {
			b = append(b, c)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if unicode.IsGraphic(r) && (r != utf8.RuneError || n > 1) {
			b = append(b, s[i:i+n]...)
		} else {
			quoted := strconv.Quote(s[i : i+n])
			b = append(b, quoted[1:len(quoted)-1]...)
		}
		i += n
	}
	return b
}

// appendWord appends s, in quotes where it would not read as one word.
func appendWord(b []byte, s string) []byte {
	plain := s != ""
	for _, r := range s {
		if r <= ' ' || r == '"' || r == '=' || r == utf8.RuneError || !unicode.IsPrint(r) {
			plain = false
			break
		}
	}
	if plain {
		return append(b, s...)
	}
	return strconv.AppendQuote(b, s)
}
