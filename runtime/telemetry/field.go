package telemetry

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/rs/zerolog"
)

// Field is a name and a value that stand behind the message.
type Field struct {
	key  string
	kind fieldKind
	str  string
	num  uint64 // the bits of an int64
}

type fieldKind uint8

const (
	kindString fieldKind = iota
	kindInt
	kindDuration
	kindJSON
)

// String is a text field.
func String(key, value string) Field { return Field{key: key, str: value} }

// Int is a field with a whole number.
func Int[T ~int | ~int8 | ~int16 | ~int32 | ~int64](key string, value T) Field {
	return Field{key: key, kind: kindInt, num: uint64(int64(value))}
}

// Duration is a field with a time span: seconds in JSON, like 2.1s in text.
func Duration(key string, value time.Duration) Field {
	return Field{key: key, kind: kindDuration, num: uint64(value)}
}

// Err is the field "error" with err's text.
func Err(err error) Field {
	if err == nil {
		return String("error", "")
	}
	return String("error", err.Error())
}

// JSON is a field whose value is given as JSON text. In JSON lines it stands as
// it is; in text a string is shown without its quotes. What is no JSON is text.
func JSON(key, text string) Field {
	return Field{key: key, kind: kindJSON, str: text}
}

// text is the value as a text line shows it, before quoting.
func (f Field) text() string {
	switch f.kind {
	case kindInt:
		return strconv.FormatInt(int64(f.num), 10)
	case kindDuration:
		return time.Duration(f.num).String()
	case kindJSON:
		var s string
		if json.Unmarshal([]byte(f.str), &s) == nil && f.str != "null" {
			return s
		}
		return compact(f.str)
	}
	return f.str
}

// addTo adds the field to a JSON line. A number that redact finds a secret in
// becomes a text.
func (f Field) addTo(e *zerolog.Event, key string, redact func(string) string) {
	if f.kind == kindString {
		e.Str(key, redact(f.str))
		return
	}
	if f.kind == kindJSON {
		raw := redact(compact(f.str))
		if json.Valid([]byte(raw)) {
			e.RawJSON(key, []byte(raw))
		} else {
			e.Str(key, raw)
		}
		return
	}
	text := f.text()
	if f.kind == kindDuration {
		text = formatFloat(time.Duration(f.num).Seconds())
	}
	if redacted := redact(text); redacted != text {
		e.Str(key, redacted)
		return
	}
	switch f.kind {
	case kindInt:
		e.Int64(key, int64(f.num))
	case kindDuration:
		e.Float64(key, time.Duration(f.num).Seconds())
	}
}

// formatFloat writes a number as JSON lines have it, so that redaction sees what
// will stand there: only the very great and very small ones with an exponent.
func formatFloat(v float64) string {
	format := byte('f')
	if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	return strconv.FormatFloat(v, format, -1, 64)
}

// compact takes the line breaks out of JSON text; other text is returned as it is.
func compact(text string) string {
	var b bytes.Buffer
	if json.Compact(&b, []byte(text)) != nil {
		return text
	}
	return b.String()
}

// uniqueKeys returns the fields' names after redaction, each told apart from the
// reserved ones and those before it by "_" behind it.
func uniqueKeys(fields []Field, reserved []string, redact func(string) string) []string {
	if len(fields) == 0 {
		return nil
	}
	keys := make([]string, 0, len(fields))
	for _, f := range fields {
		key := redact(f.key)
		for slices.Contains(reserved, key) || slices.Contains(keys, key) {
			key += "_"
		}
		keys = append(keys, key)
	}
	return keys
}
