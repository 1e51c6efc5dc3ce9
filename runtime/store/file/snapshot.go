package file

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
	"unsafe"

	"reqon/runtime/store"
	"reqon/runtime/store/internal/table"
	"reqon/vm/value"
)

// snapshotWriter writes the .json file of a store:
//
//	{
//	  "key": {…},
//	  "key": {…}
//	}
type snapshotWriter struct {
	w   io.Writer
	buf []byte
	id  identity // of what was written to w
	n   int      // records
}

const snapshotBuffer = 1 << 20

// add writes one record and returns the offset of its bytes in the file.
func (sw *snapshotWriter) add(key string, json []byte) (int64, error) {
	if sw.n == 0 {
		sw.buf = append(sw.buf, "{\n  "...)
	} else {
		sw.buf = append(sw.buf, ",\n  "...)
	}
	sw.n++
	sw.buf = value.AppendJSON(sw.buf, value.FromString(key))
	sw.buf = append(sw.buf, ": "...)
	at := sw.id.size + int64(len(sw.buf))
	sw.buf = append(sw.buf, json...)
	if len(sw.buf) < snapshotBuffer {
		return at, nil
	}
	return at, sw.flush()
}

// finish writes the end of the file.
func (sw *snapshotWriter) finish() error {
	if sw.n == 0 {
		sw.buf = append(sw.buf, "{}\n"...)
	} else {
		sw.buf = append(sw.buf, "\n}\n"...)
	}
	return sw.flush()
}

func (sw *snapshotWriter) flush() error {
	_, err := sw.w.Write(sw.buf)
	sw.id.add(sw.buf)
	sw.buf = sw.buf[:0]
	return err
}

// snapshotReader reads a .json file once, from start to end, through a window
// that grows with the largest record.
type snapshotReader struct {
	r    io.ReaderAt
	size int64
	id   identity // of what was read so far
	buf  []byte   // the window
	at   int64    // offset of buf[0] in the file
	pos  int      // first byte of the window that is not used up
}

const readWindow = 256 << 10

// more makes the window hold more of what follows pos. io.EOF says that there
// is no more.
func (sr *snapshotReader) more() error {
	rest := len(sr.buf) - sr.pos
	next := sr.at + int64(len(sr.buf))
	if next >= sr.size {
		return io.EOF
	}
	if rest*2 > cap(sr.buf) || cap(sr.buf) == 0 {
		grown := make([]byte, rest, max(2*rest, int(min(readWindow, sr.size))))
		copy(grown, sr.buf[sr.pos:])
		sr.buf = grown
	} else {
		sr.buf = sr.buf[:copy(sr.buf[:rest], sr.buf[sr.pos:])]
	}
	sr.at += int64(sr.pos)
	sr.pos = 0
	free := sr.buf[rest:cap(sr.buf)]
	n, err := sr.r.ReadAt(free[:min(int64(len(free)), sr.size-next)], next)
	sr.id.add(free[:n])
	sr.buf = sr.buf[:rest+n]
	if n == 0 && err == nil {
		err = io.ErrNoProgress
	}
	if n > 0 || err == io.EOF && n == 0 {
		if n == 0 {
			return io.ErrUnexpectedEOF // the file was cut while it was read
		}
		return nil
	}
	return err
}

// errForm says that a file does not have the form in which this program
// writes it.
var errForm = errors.New("not written by this program")

// readOwn reads a file that this program is known to have written, and so to
// hold valid records one a line. The records themselves are not looked at. The
// error is errForm where the file is another after all.
func (sr *snapshotReader) readOwn(ix *table.Index) error {
	first, err := sr.line()
	if err != nil {
		return err
	}
	if string(first) == "{}" {
		return sr.expectEnd()
	}
	if string(first) != "{" {
		return errForm
	}
	for last := false; !last; {
		line, err := sr.line()
		if err != nil {
			return err
		}
		at := sr.at + int64(sr.pos-len(line)-1)
		key, skip, err := ownKey(line)
		if err != nil {
			return err
		}
		json := line[skip:]
		last = json[len(json)-1] != ','
		if !last {
			json = json[:len(json)-1]
		}
		if len(json) < 2 || json[0] != '{' || json[len(json)-1] != '}' || len(json) > store.MaxRecord {
			return errForm
		}
		_, hash, dup := ix.Find(key)
		if dup {
			return errForm
		}
		if !ix.Room(1, int64(len(key))) {
			return table.ErrFull
		}
		ix.Insert(key, hash, table.Entry{Loc: uint64(at+int64(skip)) << table.LocShift, Size: uint32(len(json)), Hash: table.Checksum(json)})
	}
	if line, err := sr.line(); err != nil || string(line) != "}" {
		return cmpErr(err, errForm)
	}
	return sr.expectEnd()
}

func cmpErr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

func (sr *snapshotReader) expectEnd() error {
	if sr.at+int64(sr.pos) != sr.size {
		return errForm
	}
	return nil
}

// line returns the next line without its end, valid until the next call.
func (sr *snapshotReader) line() ([]byte, error) {
	for searched := 0; ; {
		rest := sr.buf[sr.pos:]
		if i := bytes.IndexByte(rest[searched:], '\n'); i >= 0 {
			line := rest[:searched+i]
			sr.pos += len(line) + 1
			return line, nil
		}
		searched = len(rest)
		if err := sr.more(); err == io.EOF {
			return nil, errForm
		} else if err != nil {
			return nil, err
		}
	}
}

// ownKey returns the key on a line of a file of our own, and where the record
// behind it begins. The key may share the line's bytes.
func ownKey(line []byte) (string, int, error) {
	const indent = "  "
	if !bytes.HasPrefix(line, []byte(indent+`"`)) {
		return "", 0, errForm
	}
	n, whole := skimString(line[len(indent):])
	end := len(indent) + n
	if !whole || !bytes.HasPrefix(line[end:], []byte(": {")) {
		return "", 0, errForm
	}
	key := line[len(indent)+1 : end-1]
	if bytes.IndexByte(key, '\\') < 0 {
		return unsafe.String(unsafe.SliceData(key), len(key)), end + 2, nil
	}
	v, err := value.ParseJSON(nil, string(line[len(indent):end]))
	if err != nil {
		return "", 0, errForm
	}
	return v.Str(), end + 2, nil
}

// skimString returns the length of the JSON string at the start of b, its
// quotes included, and whether it ends within b.
func skimString(b []byte) (int, bool) {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i + 1, true
		case '\\':
			i++
		}
	}
	return len(b), false
}

// skimObject returns the length of the JSON object at the start of b, and
// whether it ends within b. Whether it is valid is not looked at.
func skimObject(b []byte) (int, bool) {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			n, whole := skimString(b[i:])
			if !whole {
				return len(b), false
			}
			i += n - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1, true
			}
		}
	}
	return len(b), false
}

// contentError says what is wrong with a file at an offset.
type contentError struct {
	offset int64
	msg    string
}

func (e *contentError) Error() string { return e.msg }

func (sr *snapshotReader) wrong(msg string) error {
	return &contentError{sr.at + int64(sr.pos), msg}
}

// readAny reads a file that people or other programs may have written, and
// checks all of it. The error is a *contentError where it is not an object of
// objects.
func (sr *snapshotReader) readAny(ix *table.Index, dec *value.Decoder) error {
	if err := sr.skipMark(); err != nil {
		return err
	}
	c, err := sr.peek()
	if err == io.EOF {
		return sr.wrong("found an empty file, expected a JSON object of records by key")
	}
	if err != nil {
		return err
	}
	if c != '{' {
		return sr.wrong(fmt.Sprintf("found %s, expected a JSON object of records by key", describeByte(c)))
	}
	sr.pos++
	if c, err = sr.next("`}` or a key"); err != nil {
		return err
	}
	for c != '}' {
		if err := sr.member(ix, dec); err != nil {
			return err
		}
		if c, err = sr.next("`,` or `}`"); err != nil {
			return err
		}
		switch c {
		case ',':
			sr.pos++
			if c, err = sr.next("a key"); err != nil {
				return err
			}
			if c == '}' {
				return sr.wrong("found `}`, expected a key after the comma")
			}
		case '}':
		default:
			return sr.wrong(fmt.Sprintf("found %s, expected `,` or `}`", describeByte(c)))
		}
	}
	sr.pos++
	if c, err := sr.peek(); err == nil {
		return sr.wrong(fmt.Sprintf("found %s, expected the end of the file", describeByte(c)))
	} else if err != io.EOF {
		return err
	}
	return nil
}

// skipMark passes over a byte order mark.
func (sr *snapshotReader) skipMark() error {
	if len(sr.buf) == 0 {
		if err := sr.more(); err != nil && err != io.EOF {
			return err
		}
	}
	if bytes.HasPrefix(sr.buf, []byte("\ufeff")) {
		sr.pos = len("\ufeff")
	}
	return nil
}

// peek returns the next byte that is not white space, which it uses up.
func (sr *snapshotReader) peek() (byte, error) {
	for {
		for sr.pos < len(sr.buf) {
			switch c := sr.buf[sr.pos]; c {
			case ' ', '\t', '\r', '\n':
				sr.pos++
			default:
				return c, nil
			}
		}
		if err := sr.more(); err != nil {
			return 0, err
		}
	}
}

// next is peek where something must follow.
func (sr *snapshotReader) next(expected string) (byte, error) {
	c, err := sr.peek()
	if err == io.EOF {
		return 0, sr.wrong("found the end of the file, expected " + expected)
	}
	return c, err
}

// whole makes the window hold all of what skim finds at pos, and returns it.
func (sr *snapshotReader) whole(skim func([]byte) (int, bool)) ([]byte, error) {
	for {
		if n, ok := skim(sr.buf[sr.pos:]); ok {
			return sr.buf[sr.pos : sr.pos+n], nil
		}
		// Double what is there, so that all tries together stay linear.
		for want := 2 * (len(sr.buf) - sr.pos); len(sr.buf)-sr.pos < want; {
			err := sr.more()
			if err == io.EOF && len(sr.buf)-sr.pos > want/2 {
				break
			}
			if err == io.EOF {
				return nil, sr.wrong("found the end of the file in the middle of this")
			}
			if err != nil {
				return nil, err
			}
		}
	}
}

// member reads one key and its record.
func (sr *snapshotReader) member(ix *table.Index, dec *value.Decoder) error {
	if c, err := sr.next("a key"); err != nil {
		return err
	} else if c != '"' {
		return sr.wrong(fmt.Sprintf("found %s, expected a key in double quotes", describeByte(c)))
	}
	raw, err := sr.whole(skimString)
	if err != nil {
		return err
	}
	k, err := value.ParseJSON(nil, string(raw))
	if err != nil {
		return sr.syntax(err)
	}
	key := k.Str()
	_, hash, dup := ix.Find(key)
	if dup {
		return sr.wrong(fmt.Sprintf("found the key %q a second time, expected each key once", key))
	}
	sr.pos += len(raw)
	if c, err := sr.next("`:`"); err != nil {
		return err
	} else if c != ':' {
		return sr.wrong(fmt.Sprintf("found %s, expected `:` after a key", describeByte(c)))
	}
	sr.pos++
	if c, err := sr.next("a record"); err != nil {
		return err
	} else if c != '{' {
		return sr.wrong(fmt.Sprintf("found %s, expected an object: the record of key %q", describeByte(c), key))
	}
	if raw, err = sr.whole(skimObject); err != nil {
		return err
	}
	if len(raw) > store.MaxRecord {
		return sr.wrong(fmt.Sprintf("the record of key %q is %d bytes; the limit is %d", key, len(raw), store.MaxRecord))
	}
	form, err := table.Canonical(dec, raw)
	if err != nil {
		return sr.syntax(err)
	}
	if !ix.Room(1, int64(len(key))) {
		return table.ErrFull
	}
	e := table.Entry{Loc: uint64(sr.at+int64(sr.pos)) << table.LocShift, Size: uint32(len(raw)), Hash: table.Checksum(raw)}
	if !bytes.Equal(form, raw) {
		e.Loc |= table.Odd
	}
	ix.Insert(key, hash, e)
	sr.pos += len(raw)
	return nil
}

// syntax places an error of the JSON decoder in the file.
func (sr *snapshotReader) syntax(err error) error {
	var se *value.SyntaxError
	if errors.As(err, &se) {
		return &contentError{sr.at + int64(sr.pos+se.Offset), se.Msg}
	}
	return sr.wrong(err.Error())
}

func describeByte(c byte) string {
	switch {
	case c == '"':
		return "a string"
	case c == '[':
		return "an array"
	case c == '-' || c >= '0' && c <= '9':
		return "a number"
	case c > ' ' && c < utf8.RuneSelf:
		return fmt.Sprintf("`%c`", c)
	}
	return fmt.Sprintf("the byte 0x%02x", c)
}

// lineColumn returns the place of an offset in a file, from 1, the column in
// code points.
func lineColumn(r io.ReaderAt, offset int64) (line, column int, err error) {
	line, column = 1, 1
	buf := make([]byte, 64<<10)
	for at := int64(0); at < offset; {
		n, err := r.ReadAt(buf[:min(int64(len(buf)), offset-at)], at)
		if n == 0 {
			return line, column, err
		}
		for _, c := range buf[:n] {
			if c == '\n' {
				line, column = line+1, 1
			} else if c&0xc0 != 0x80 {
				column++
			}
		}
		at += int64(n)
	}
	return line, column, nil
}
