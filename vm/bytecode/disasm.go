package bytecode

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"reqon/vm/value"
)

// Disassemble writes the program as text: its tables, then each function with
// an instruction a line. A star stands before the instructions that are steps:
// the places where a task may be put away. The program must have been verified.
func Disassemble(w io.Writer, p *Program) error {
	d := disassembler{p: p}
	d.printf("mission %s\n", p.Mission)
	if s := p.Schedule; s != nil {
		d.printf("schedule %s\n", d.schedule(s))
	}
	for i, f := range p.Files {
		d.printf("file %d %s\n", i, f)
	}
	d.tables()
	for i := range p.Funcs {
		d.fn(i)
	}
	_, err := w.Write(d.b.Bytes())
	return err
}

type disassembler struct {
	p *Program
	b bytes.Buffer
}

func (d *disassembler) printf(format string, args ...any) { fmt.Fprintf(&d.b, format, args...) }

func (d *disassembler) schedule(s *Schedule) string {
	switch s.Kind {
	case Every:
		return fmt.Sprintf("every %dms", s.Every)
	case Cron:
		return fmt.Sprintf("cron %q", s.Text)
	}
	return fmt.Sprintf("at %q", s.Text)
}

// ref names a function by number, or says that there is none.
func (d *disassembler) ref(fn int) string {
	if fn == None {
		return "-"
	}
	return fmt.Sprintf("func %d", fn)
}

func (d *disassembler) tables() {
	p := d.p
	d.printf("main func %d\n", p.Main)
	if p.Options != None {
		d.printf("options func %d\n", p.Options)
	}
	for i, x := range p.Params {
		d.printf("param %d %s type %d default %s\n", i, x.Name, x.Type, d.ref(x.Default))
	}
	for i, x := range p.Sources {
		d.printf("source %d %s options %s\n", i, x.Name, d.ref(x.Options))
		if l := x.Login; l != nil {
			d.printf("  login %s request func %d result func %d when %s\n", l.Method, l.Request, l.Result, d.ref(l.When))
		}
		if x.Cost != None {
			d.printf("  cost func %d\n", x.Cost)
		}
		for _, s := range x.Sign {
			d.printf("  sign %s %s func %d\n", [...]string{"param", "form", "header"}[s.In], s.Name, s.Func)
		}
	}
	for i, x := range p.Stores {
		d.printf("store %d %s adapter func %d options %s", i, x.Name, x.Adapter, d.ref(x.Options))
		if x.Filled {
			d.printf(" filled")
		}
		if x.Schema != None {
			d.printf(" schema type %d", x.Schema)
		}
		if x.Key != nil {
			d.printf(" key %s", strings.Join(x.Key, " "))
		}
		d.printf("\n")
	}
	for i, x := range p.Actions {
		d.printf("action %d %s func %d\n", i, x.Name, x.Func)
	}
	for i, x := range p.Brackets {
		d.printf("bracket %d %v\n", i, x)
	}
	for i := range p.Fetches {
		d.printf("fetch %d %s\n", i, d.fetch(&p.Fetches[i]))
	}
	for i, x := range p.Loops {
		d.printf("loop %d onError %s%s\n", i, x.Policy, d.loopStore(x.Store))
	}
	for i := range p.Types {
		d.printf("type %d %s\n", i, d.typeText(&p.Types[i]))
	}
	for i, x := range p.Shapes {
		d.printf("shape %d {%s}\n", i, strings.Join(x, ", "))
	}
	for i, x := range p.Regexps {
		d.printf("regexp %d %q\n", i, x)
	}
	for _, x := range p.Uses {
		d.printf("uses %s\n", x.Name)
	}
}

func (d *disassembler) fetch(f *FetchInfo) string {
	text := f.Method
	if f.Operation != "" {
		text = "call " + f.Operation
	}
	if f.Source != None {
		text += " " + d.p.Sources[f.Source].Name
	}
	text += [...]string{"", " page(" + f.PageParam + ")", " offset(" + f.PageParam + ")", " cursor(" + f.PageParam + ", " + f.Cursor + ")", " link()", " next()"}[f.Page]
	for _, flag := range []struct {
		set  bool
		name string
	}{{f.Stream, "stream"}, {f.Until, "until"}, {f.Incremental, "incremental"}, {f.Handled, "handled"}, {f.PageCarried, "carried"},
		{f.Single, "single"}, {f.Headers, "headers"}} {
		if flag.set {
			text += " " + flag.name
		}
	}
	if j := f.Judges; j != nil {
		for _, fn := range []struct {
			name   string
			number int
		}{{"failWhen", j.FailWhen}, {"when", j.RetryWhen}, {"wait", j.RetryWait}} {
			if fn.number != None {
				text += fmt.Sprintf(" %s func %d", fn.name, fn.number)
			}
		}
	}
	if f.Taken != "" {
		text += " takes " + f.Taken
	}
	return text
}

func (d *disassembler) typeText(t *Type) string {
	text := t.Kind.String()
	if t.Name != "" && t.Name != text {
		text += " " + t.Name
	}
	switch t.Kind {
	case TypeArray:
		if t.Elem != None {
			text += fmt.Sprintf(" of %d", t.Elem)
		}
	case TypeUnion:
		text += fmt.Sprintf(" %v", t.Alts)
	case TypeLiteral:
		text += " " + string(value.AppendJSON(nil, t.Const))
	case TypeObject:
		for _, f := range t.Fields {
			text += fmt.Sprintf(" %s:%d", f.Name, f.Type)
			if f.Optional {
				text += "?"
			}
		}
	}
	return text
}

func (d *disassembler) fn(i int) {
	f := &d.p.Funcs[i]
	d.printf("\nfunc %d %s: %d args, %d locals, stack %d, %d pages\n", i, f.Name, f.Args, f.Locals, f.MaxStack, f.Pages)
	line := 0
	for pc := 0; pc < len(f.Code); {
		for line < len(f.Lines) && f.Lines[line].PC == pc {
			if p := f.Lines[line].Pos; p.Line > 0 {
				d.printf("  ; %s:%d:%d\n", d.p.Files[p.File], p.Line, p.Column)
			}
			line++
		}
		info, _ := InfoOf(Op(f.Code[pc]))
		mark := ' '
		if f.IsStep(pc) {
			mark = '*' // a task may be put away here
		}
		d.printf("  %5d %c%s", pc, mark, info.Name)
		at := pc + 1
		for _, o := range info.Operands {
			d.printf(" %s", d.operand(f, o, operandAt(f.Code, at, o)))
			at += o.Size()
		}
		d.printf("\n")
		pc += info.Size()
	}
	for _, h := range f.Handlers {
		d.printf("  handler %d to %d: %d\n", h.Start, h.End, h.Target)
	}
}

// operand shows an operand by what it stands for.
func (d *disassembler) operand(f *Func, o Operand, n int) string {
	p := d.p
	switch o {
	case OperandInt:
		return fmt.Sprint(int16(n))
	case OperandConst, OperandText:
		return value.Describe(f.Consts[n])
	case OperandName:
		return "." + f.Names[n]
	case OperandNative:
		return p.Natives[n]
	case OperandHost:
		return HostFuncs[n]
	case OperandFunc:
		return p.Funcs[n].Name
	case OperandAction:
		return p.Actions[n].Name
	case OperandStore:
		return p.Stores[n].Name
	case OperandParam:
		return p.Params[n].Name
	case OperandRegexp:
		return fmt.Sprintf("%q", p.Regexps[n])
	case OperandShape:
		return "{" + strings.Join(p.Shapes[n], ", ") + "}"
	case OperandType:
		return "type:" + fmt.Sprint(n)
	case OperandSlot, OperandPair, OperandItem, OperandLoopSlots:
		return fmt.Sprintf("$%d", n)
	case OperandList:
		return fmt.Sprintf("list:%d", n)
	case OperandCache:
		return fmt.Sprintf("cache:%d", n)
	case OperandPage:
		return fmt.Sprintf("page:%d", n)
	case OperandPC:
		return fmt.Sprintf("-> %d", n)
	}
	return fmt.Sprint(n)
}

// loopStore names the store that the items of a loop go to.
func (d *disassembler) loopStore(store int) string {
	if store == None {
		return ""
	}
	return " store " + d.p.Stores[store].Name
}

var policyText = [policyCount]string{"continue", "queue", "skip", "abort"}

// String returns the policy's word.
func (p Policy) String() string {
	if p < policyCount {
		return policyText[p]
	}
	return "?"
}
