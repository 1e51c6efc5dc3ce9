package bytecode

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"reqon/vm/value"
)

// The .reqc form: magic, version, SHA-256 of the rest, then sections, each
// a kind, a length and its bytes. Within a section, counts and integers are
// varints and text is its length and bytes. Equal programs have equal bytes.
const (
	magic = "REQC"
	// Version is that of the form and of the instruction set. It changes with
	// every change of either; a program of another version is not run.
	Version = 7

	headerSize = len(magic) + 2 + sha256.Size
)

// The sections, in the order in which they stand.
const (
	sectionMission = 1 + iota
	sectionTables
	sectionFuncs
	sectionEnd
)

// IsArtifact reports whether data begins as a .reqc does.
func IsArtifact(data []byte) bool { return bytes.HasPrefix(data, []byte(magic)) }

// Encode returns the .reqc form of p.
func Encode(p *Program) []byte {
	out := make([]byte, headerSize)
	var w writer
	for kind := sectionMission; kind < sectionEnd; kind++ {
		w.b = w.b[:0]
		switch kind {
		case sectionMission:
			w.mission(p)
		case sectionTables:
			w.tables(p)
		case sectionFuncs:
			list(&w, p.Funcs, (*writer).fn)
		}
		out = slices.Grow(out, 1+binary.MaxVarintLen64+len(w.b))
		out = append(out, byte(kind))
		out = binary.AppendUvarint(out, uint64(len(w.b)))
		out = append(out, w.b...)
	}
	header := append(out[:0], magic...)
	header = binary.LittleEndian.AppendUint16(header, Version)
	sum := sha256.Sum256(out[headerSize:])
	copy(out[len(header):], sum[:])
	return out
}

// writer writes the parts of a section.
type writer struct{ b []byte }

func (w *writer) int(i int)     { w.b = binary.AppendVarint(w.b, int64(i)) }
func (w *writer) int64(i int64) { w.b = binary.AppendVarint(w.b, i) }
func (w *writer) byte(b byte)   { w.b = append(w.b, b) }

func (w *writer) bool(b bool) {
	if b {
		w.byte(1)
	} else {
		w.byte(0)
	}
}

func (w *writer) text(s string) {
	w.b = binary.AppendUvarint(w.b, uint64(len(s)))
	w.b = append(w.b, s...)
}

// list writes a count and the elements.
func list[T any](w *writer, xs []T, one func(*writer, *T)) {
	w.b = binary.AppendUvarint(w.b, uint64(len(xs)))
	for i := range xs {
		one(w, &xs[i])
	}
}

func (w *writer) texts(xs []string) { list(w, xs, func(w *writer, s *string) { w.text(*s) }) }
func (w *writer) ints(xs []int)     { list(w, xs, func(w *writer, i *int) { w.int(*i) }) }

func (w *writer) pos(p Pos) {
	w.int(p.File)
	w.int(p.Line)
	w.int(p.Column)
}

func (w *writer) optionPos(places []OptionPos) {
	list(w, places, func(w *writer, o *OptionPos) {
		w.text(o.Path)
		w.pos(o.Pos)
	})
}

func (w *writer) mission(p *Program) {
	w.text(p.Mission)
	w.texts(p.Files)
	w.pos(p.Pos)
	w.bool(p.Schedule != nil)
	if s := p.Schedule; s != nil {
		w.byte(byte(s.Kind))
		w.int64(s.Every)
		w.text(s.Text)
		w.pos(s.Pos)
	}
	w.int(p.Options)
	w.optionPos(p.OptionPos)
	w.int(p.Main)
}

func (w *writer) tables(p *Program) {
	list(w, p.Params, func(w *writer, x *ParamInfo) {
		w.text(x.Name)
		w.int(x.Type)
		w.int(x.Default)
		w.pos(x.Pos)
	})
	list(w, p.Sources, func(w *writer, x *Source) {
		w.text(x.Name)
		w.text(x.From)
		w.int(x.Options)
		w.optionPos(x.OptionPos)
		w.bool(x.Login != nil)
		if l := x.Login; l != nil {
			w.text(l.Method)
			w.int(l.Request)
			w.int(l.Result)
			w.int(l.When)
			w.pos(l.Pos)
		}
		list(w, x.Sign, func(w *writer, s *SignPart) {
			w.byte(byte(s.In))
			w.text(s.Name)
			w.int(s.Func)
		})
		w.int(x.Cost)
		w.pos(x.Pos)
	})
	list(w, p.Stores, func(w *writer, x *Store) {
		w.text(x.Name)
		w.int(x.Adapter)
		w.int(x.Options)
		w.optionPos(x.OptionPos)
		w.bool(x.Implied)
		w.bool(x.Filled)
		w.int(x.Schema)
		w.texts(x.Key)
		w.pos(x.Pos)
	})
	list(w, p.Actions, func(w *writer, x *Action) {
		w.text(x.Name)
		w.int(x.Func)
		w.pos(x.Pos)
	})
	list(w, p.Brackets, func(w *writer, x *[]int) { w.ints(*x) })
	list(w, p.Fetches, (*writer).fetch)
	list(w, p.Loops, func(w *writer, x *LoopInfo) {
		w.byte(byte(x.Policy))
		w.int(x.Queue)
		w.int(x.Page)
		w.int(x.Store)
		w.pos(x.Pos)
	})
	list(w, p.Types, func(w *writer, x *Type) {
		w.byte(byte(x.Kind))
		w.text(x.Name)
		w.int(x.Elem)
		w.ints(x.Alts)
		list(w, x.Fields, func(w *writer, f *TypeField) {
			w.text(f.Name)
			w.int(f.Type)
			w.bool(f.Optional)
		})
		w.value(x.Const)
	})
	list(w, p.Shapes, func(w *writer, x *[]string) { w.texts(*x) })
	w.texts(p.Regexps)
	w.texts(p.Natives)
	list(w, p.Uses, func(w *writer, x *Use) {
		w.byte(byte(x.Part))
		w.text(x.Name)
		w.pos(x.Pos)
	})
}

func (w *writer) fetch(x *FetchInfo) {
	w.text(x.Method)
	w.int(x.Source)
	w.text(x.Operation)
	w.byte(byte(x.Page))
	w.text(x.PageParam)
	w.bool(x.PageCarried)
	w.text(x.Cursor)
	w.text(x.Items)
	w.text(x.Taken)
	w.texts(x.ItemNames)
	w.texts(x.UntilNames)
	w.bool(x.Stream)
	w.bool(x.Until)
	w.bool(x.Incremental)
	w.bool(x.Opaque)
	w.bool(x.Handled)
	w.bool(x.Single)
	w.bool(x.Headers)
	if w.bool(x.Judges != nil); x.Judges != nil {
		w.int(x.Judges.FailWhen)
		w.int(x.Judges.RetryWhen)
		w.int(x.Judges.RetryWait)
	}
	w.pos(x.Pos)
}

func (w *writer) fn(f *Func) {
	w.text(f.Name)
	w.b = binary.AppendUvarint(w.b, uint64(len(f.Code)))
	w.b = append(w.b, f.Code...)
	list(w, f.Consts, func(w *writer, v *value.Value) { w.value(*v) })
	w.texts(f.Names)
	w.int(f.Locals)
	w.int(f.Args)
	w.int(f.MaxStack)
	w.int(f.Lists)
	w.int(f.Caches)
	w.int(f.Pages)
	list(w, f.Handlers, func(w *writer, h *Handler) {
		w.ints([]int{h.Start, h.End, h.Target, h.PageStart, h.PageEnd})
	})
	// Places ascend and lines mostly do, so differences are small.
	before := 0
	list(w, f.Steps, func(w *writer, pc *int) {
		w.int(*pc - before)
		before = *pc
	})
	var last Line
	list(w, f.Lines, func(w *writer, l *Line) {
		w.int(l.PC - last.PC)
		w.int(l.Pos.File)
		w.int(l.Pos.Line - last.Pos.Line)
		w.int(l.Pos.Column)
		last = *l
	})
}

// The forms of a constant.
const (
	constNull byte = iota
	constFalse
	constTrue
	constInt
	constFloat
	constNumber // a number by its text
	constString
	constTime
	constArray
	constObject
)

// value writes a constant.
func (w *writer) value(v value.Value) {
	switch v.Kind() {
	case value.Bool:
		if v.Bool() {
			w.byte(constTrue)
		} else {
			w.byte(constFalse)
		}
	case value.Int:
		w.byte(constInt)
		w.int64(v.Int())
	case value.Float:
		w.byte(constFloat)
		w.b = binary.LittleEndian.AppendUint64(w.b, math.Float64bits(v.Float()))
	case value.Decimal, value.NumText:
		w.byte(constNumber)
		w.text(value.Text(v))
	case value.String:
		w.byte(constString)
		w.text(v.Str())
	case value.Time:
		w.byte(constTime)
		w.int64(v.Time())
	case value.Array:
		w.byte(constArray)
		elems := v.Elems()
		list(w, elems, func(w *writer, v *value.Value) { w.value(*v) })
	case value.Object:
		w.byte(constObject)
		o := v.Obj()
		w.b = binary.AppendUvarint(w.b, uint64(o.Len()))
		for i, slot := range o.Slots() {
			w.text(o.Shape().Key(i))
			w.value(slot)
		}
	default:
		w.byte(constNull)
	}
}

// ErrVersion is wrapped by the error of an artifact of another version.
var ErrVersion = errors.New("compiled by another version of reqon")

// Decode reads a .reqc and verifies it. Any input is safe: what is damaged or
// made to do harm is an error, and memory stays in proportion to the input.
func Decode(data []byte) (*Program, error) {
	if !IsArtifact(data) {
		return nil, errors.New("not a compiled mission: it does not begin with REQC")
	}
	if len(data) < headerSize {
		return nil, errors.New("the compiled mission is cut short: compile it again")
	}
	if v := binary.LittleEndian.Uint16(data[len(magic):]); v != Version {
		return nil, fmt.Errorf("%w: it has version %d, this reqon reads version %d; compile the mission again", ErrVersion, v, Version)
	}
	body := data[headerSize:]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], data[len(magic)+2:headerSize]) {
		return nil, errors.New("the compiled mission is damaged: its checksum does not fit; compile it again")
	}
	p := new(Program)
	outer := reader{b: body}
	for kind := sectionMission; kind < sectionEnd; kind++ {
		if got := outer.byte(); outer.err == nil && int(got) != kind {
			outer.fail("section %d where %d was expected", got, kind)
		}
		r := reader{b: outer.bytes(outer.count()), err: outer.err}
		switch kind {
		case sectionMission:
			r.mission(p)
		case sectionTables:
			r.tables(p)
		case sectionFuncs:
			p.Funcs = readList(&r, (*reader).fn)
		}
		if r.err == nil && len(r.b) > 0 {
			r.fail("section %d has %d bytes too many", kind, len(r.b))
		}
		outer.err = r.err
	}
	if outer.err == nil && len(outer.b) > 0 {
		outer.fail("%d bytes too many", len(outer.b))
	}
	if outer.err != nil {
		return nil, fmt.Errorf("the compiled mission is damaged: %w; compile it again", outer.err)
	}
	if err := Verify(p); err != nil {
		return nil, fmt.Errorf("the compiled mission is damaged: %w; compile it again", err)
	}
	return p, nil
}

// reader reads the parts of a section. After the first error it gives zeros.
type reader struct {
	b     []byte
	err   error
	depth int
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
	r.b = nil
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail("it ends too early")
		return 0
	}
	b := r.b[0]
	r.b = r.b[1:]
	return b
}

func (r *reader) bool() bool { return r.byte() != 0 }

func (r *reader) int64() int64 {
	i, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail("bad number")
		return 0
	}
	r.b = r.b[n:]
	return i
}

// int reads an integer that is no larger than any file or table can be.
func (r *reader) int() int {
	i := r.int64()
	if i < -1<<31 || i > 1<<31-1 {
		r.fail("number %d is out of range", i)
		return 0
	}
	return int(i)
}

// count reads a number of bytes or elements, of which each takes at least one
// byte of what is left.
func (r *reader) count() int {
	n, size := binary.Uvarint(r.b)
	if size <= 0 || n > uint64(len(r.b)-size) {
		r.fail("bad count")
		return 0
	}
	r.b = r.b[size:]
	return int(n)
}

func (r *reader) bytes(n int) []byte {
	if r.err != nil || n > len(r.b) {
		r.fail("it ends too early")
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

// text reads text, which is valid UTF-8 like all text of a program: names and
// keys become part of values, and those never hold anything else.
func (r *reader) text() string {
	s := r.rawText()
	if !utf8.ValidString(s) {
		r.fail("text that is not UTF-8")
		return ""
	}
	return s
}

// readList reads a count and the elements. The slice grows as elements come, so
// that a large count alone costs nothing.
func readList[T any](r *reader, one func(*reader) T) []T {
	n := r.count()
	if n == 0 {
		return nil
	}
	xs := make([]T, 0, min(n, 64))
	for range n {
		x := one(r)
		if r.err != nil {
			return nil
		}
		xs = append(xs, x)
	}
	return xs
}

// rawText reads the name of a file, which can be any bytes.
func (r *reader) rawText() string { return string(r.bytes(r.count())) }

func (r *reader) texts() []string { return readList(r, (*reader).text) }
func (r *reader) ints() []int     { return readList(r, (*reader).int) }

func (r *reader) pos() Pos { return Pos{File: r.int(), Line: r.int(), Column: r.int()} }

func (r *reader) optionPos() []OptionPos {
	return readList(r, func(r *reader) OptionPos { return OptionPos{Path: r.text(), Pos: r.pos()} })
}

func (r *reader) mission(p *Program) {
	p.Mission, p.Files, p.Pos = r.text(), readList(r, (*reader).rawText), r.pos()
	if r.bool() {
		p.Schedule = &Schedule{Kind: ScheduleKind(r.byte()), Every: r.int64(), Text: r.text(), Pos: r.pos()}
	}
	p.Options, p.OptionPos, p.Main = r.int(), r.optionPos(), r.int()
}

func (r *reader) tables(p *Program) {
	p.Params = readList(r, func(r *reader) ParamInfo {
		return ParamInfo{Name: r.text(), Type: r.int(), Default: r.int(), Pos: r.pos()}
	})
	p.Sources = readList(r, func(r *reader) Source {
		s := Source{Name: r.text(), From: r.text(), Options: r.int(), OptionPos: r.optionPos()}
		if r.bool() {
			s.Login = &Login{Method: r.text(), Request: r.int(), Result: r.int(), When: r.int(), Pos: r.pos()}
		}
		s.Sign = readList(r, func(r *reader) SignPart { return SignPart{In: SignIn(r.byte()), Name: r.text(), Func: r.int()} })
		s.Cost = r.int()
		s.Pos = r.pos()
		return s
	})
	p.Stores = readList(r, func(r *reader) Store {
		return Store{Name: r.text(), Adapter: r.int(), Options: r.int(), OptionPos: r.optionPos(), Implied: r.bool(), Filled: r.bool(), Schema: r.int(), Key: r.texts(), Pos: r.pos()}
	})
	p.Actions = readList(r, func(r *reader) Action { return Action{Name: r.text(), Func: r.int(), Pos: r.pos()} })
	p.Brackets = readList(r, (*reader).ints)
	p.Fetches = readList(r, (*reader).fetch)
	p.Loops = readList(r, func(r *reader) LoopInfo {
		return LoopInfo{Policy: Policy(r.byte()), Queue: r.int(), Page: r.int(), Store: r.int(), Pos: r.pos()}
	})
	p.Types = readList(r, func(r *reader) Type {
		return Type{
			Kind: TypeKind(r.byte()), Name: r.text(), Elem: r.int(), Alts: r.ints(),
			Fields: readList(r, func(r *reader) TypeField {
				return TypeField{Name: r.text(), Type: r.int(), Optional: r.bool()}
			}),
			Const: r.value(),
		}
	})
	p.Shapes = readList(r, (*reader).texts)
	p.Regexps, p.Natives = r.texts(), r.texts()
	p.Uses = readList(r, func(r *reader) Use { return Use{Part: Part(r.byte()), Name: r.text(), Pos: r.pos()} })
}

func (r *reader) fetch() FetchInfo {
	return FetchInfo{
		Method: r.text(), Source: r.int(), Operation: r.text(), Page: PageKind(r.byte()),
		PageParam: r.text(), PageCarried: r.bool(), Cursor: r.text(), Items: r.text(), Taken: r.text(), ItemNames: r.texts(), UntilNames: r.texts(),
		Stream: r.bool(), Until: r.bool(), Incremental: r.bool(), Opaque: r.bool(), Handled: r.bool(), Single: r.bool(), Headers: r.bool(), Judges: r.judges(), Pos: r.pos(),
	}
}

func (r *reader) judges() *Judges {
	if !r.bool() {
		return nil
	}
	return &Judges{FailWhen: r.int(), RetryWhen: r.int(), RetryWait: r.int()}
}

func (r *reader) fn() Func {
	f := Func{
		Name: r.text(), Code: bytes.Clone(r.bytes(r.count())),
		Consts: readList(r, (*reader).value), Names: r.texts(),
		Locals: r.int(), Args: r.int(), MaxStack: r.int(), Lists: r.int(), Caches: r.int(), Pages: r.int(),
	}
	f.Handlers = readList(r, func(r *reader) Handler {
		h := r.ints()
		if len(h) != 5 {
			r.fail("bad handler")
			return Handler{}
		}
		return Handler{Start: h[0], End: h[1], Target: h[2], PageStart: h[3], PageEnd: h[4]}
	})
	before := 0
	f.Steps = readList(r, func(r *reader) int {
		before += r.int()
		return before
	})
	var last Line
	f.Lines = readList(r, func(r *reader) Line {
		last = Line{PC: last.PC + r.int(), Pos: Pos{File: r.int(), Line: last.Pos.Line + r.int(), Column: r.int()}}
		return last
	})
	return f
}

// maxConstDepth is how deep a constant may nest; the language's own limit on
// nesting is less.
const maxConstDepth = 1000

func (r *reader) value() value.Value {
	switch kind := r.byte(); kind {
	case constNull:
		return value.NullValue
	case constFalse:
		return value.False
	case constTrue:
		return value.True
	case constInt:
		return value.FromInt(r.int64())
	case constFloat:
		b := r.bytes(8)
		if len(b) < 8 {
			return value.NullValue
		}
		f := math.Float64frombits(binary.LittleEndian.Uint64(b))
		if math.IsNaN(f) || math.IsInf(f, 0) {
			r.fail("a constant is not a finite number")
			return value.NullValue
		}
		return value.FromFloat(f)
	case constNumber:
		v, ok := value.ParseNumber(r.text())
		if !ok {
			r.fail("a constant is not a number")
		}
		return v
	case constString:
		return value.FromString(r.text())
	case constTime:
		ms := r.int64()
		if !value.ValidTime(ms) {
			r.fail("a constant is no time that can be written")
		}
		return value.FromTime(ms)
	case constArray, constObject:
		if r.depth++; r.depth > maxConstDepth {
			r.fail("a constant nests too deep")
			return value.NullValue
		}
		defer func() { r.depth-- }()
		if kind == constArray {
			return value.FromArray(readList(r, (*reader).value))
		}
		b := value.NewObjectBuilder(nil, 4)
		for range r.count() {
			b.Set(r.text(), r.value())
			if r.err != nil {
				return value.NullValue
			}
		}
		return b.Value()
	default:
		r.fail("no such kind of constant: %d", kind)
		return value.NullValue
	}
}
