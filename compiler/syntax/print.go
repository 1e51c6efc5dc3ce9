package syntax

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// ExprString writes an expression on one line.
func ExprString(e Expr) string {
	p := &printer{}
	p.expr(e, precWhere)
	return p.String()
}

// keyText writes a key as source has it: in quotes where it is no name.
func keyText(key string) string {
	if isName(key) {
		return key
	}
	return quote(key, '"')
}

func isName(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isLetter(s[i]) && (i == 0 || !isDigit(s[i])) {
			return false
		}
	}
	return s != ""
}

// printer writes expressions as source, each on one line.
type printer struct {
	strings.Builder
	path bool // within a path in double quotes, which no text may hold
}

func (p *printer) s(parts ...string) {
	for _, s := range parts {
		p.WriteString(s)
	}
}

// commas writes n items with commas between.
func (p *printer) commas(n int, item func(i int)) {
	for i := range n {
		if i > 0 {
			p.s(", ")
		}
		item(i)
	}
}

// pad and close put a space within the braces of a list on one line.
func (p *printer) pad(i int) {
	if i == 0 {
		p.s(" ")
	}
}

func (p *printer) close(n int) {
	if n > 0 {
		p.s(" ")
	}
	p.s("}")
}

// ---- types and patterns

func (p *printer) typeExpr(t TypeExpr) {
	switch t := t.(type) {
	case *NamedType:
		p.s(t.Name)
	case *ArrayType:
		p.s("array<")
		p.typeExpr(t.Elem)
		p.s(">")
	case *ObjectType:
		p.objectType(t)
	case *LiteralType:
		p.expr(t.Value, precNeg)
	case *UnionType:
		for i, a := range t.Alts {
			if i > 0 {
				p.s(" | ")
			}
			p.typeExpr(a)
		}
	}
}

func (p *printer) objectType(t *ObjectType) {
	p.s("{")
	p.commas(len(t.Fields), func(i int) {
		p.pad(i)
		f := t.Fields[i]
		if f.Spread != nil {
			p.s("...", f.Spread.Name)
			return
		}
		p.s(keyText(f.Name.Name), ": ")
		p.typeExpr(f.Type)
		if f.Optional {
			p.s("?")
		}
	})
	p.close(len(t.Fields))
}

func (p *printer) pattern(pat Pattern) {
	switch pat := pat.(type) {
	case *WildcardPattern:
		p.s("_")
	case *LiteralPattern:
		p.expr(pat.Value, precNeg)
	case *SchemaPattern:
		if pat.Each {
			p.s("[", pat.Name.Name, "]")
		} else {
			p.s(pat.Name.Name)
		}
	case *ArrayPattern:
		p.s("[")
		p.commas(len(pat.Elems), func(i int) { p.pattern(pat.Elems[i]) })
		if pat.Rest != nil {
			if len(pat.Elems) > 0 {
				p.s(", ")
			}
			p.s("...", pat.Rest.Name)
		}
		p.s("]")
	case *ObjectPattern:
		p.s("{")
		p.commas(len(pat.Fields), func(i int) {
			p.pad(i)
			p.key(pat.Fields[i].Key.Name)
			p.s(": ")
			p.pattern(pat.Fields[i].Pattern)
		})
		p.close(len(pat.Fields))
	case *BindPattern:
		p.s(pat.Name.Name)
	}
}

func (p *printer) armHead(pat Pattern, cond, where Expr) {
	if pat != nil {
		p.pattern(pat)
	} else if cond != nil {
		p.expr(cond, precWhere)
	}
	if where != nil {
		p.s(" where ")
		p.expr(where, precCond)
	}
}

// ---- expressions

// precedenceOf returns how tightly an expression holds together.
func precedenceOf(e Expr) precedence {
	switch e := e.(type) {
	case *WhereExpr:
		return precWhere
	case *CondExpr:
		return precCond
	case *UnaryExpr:
		if e.Op == OpNot {
			return precNot
		}
		return precNeg
	case *BinaryExpr:
		return opPrecedence(e.Op)
	case *IsExpr:
		return precCompare
	case *LambdaExpr:
		return precNone
	case *CallExpr:
		if e.Form == CallPipe {
			return precPipe
		}
	}
	return precPostfix
}

func opPrecedence(op Op) precedence {
	switch op {
	case OpOr:
		return precOr
	case OpAnd:
		return precAnd
	case OpCoalesce:
		return precCoalesce
	case OpAdd, OpSub:
		return precAdd
	case OpMul, OpDiv, OpMod:
		return precMul
	}
	return precCompare
}

// expr writes an expression where one of at least that precedence must stand,
// in parentheses if it is looser.
func (p *printer) expr(e Expr, least precedence) {
	if e == nil {
		return
	}
	if precedenceOf(e) < least {
		p.s("(")
		p.bare(e)
		p.s(")")
		return
	}
	p.bare(e)
}

func (p *printer) bare(e Expr) {
	switch e := e.(type) {
	case *NullLit:
		p.s("null")
	case *BoolLit:
		p.s(strconv.FormatBool(e.Value))
	case *NumberLit:
		p.s(e.Text, e.Unit)
	case *StringLit:
		p.str(e.Value)
	case *TemplateLit:
		p.template(e)
	case *Name:
		p.s(e.Name)
	case *SubjectExpr:
		p.s(".")
	case *FieldExpr:
		if _, ok := e.X.(*SubjectExpr); !ok {
			p.expr(e.X, precPostfix)
		}
		p.s(".", e.Name.Name)
	case *IndexExpr:
		p.expr(e.X, precPostfix)
		p.s("[")
		p.expr(e.Index, precWhere)
		p.s("]")
	case *CallExpr:
		p.call(e)
	case *UnaryExpr:
		if e.Op == OpNot {
			p.s("not ")
			p.expr(e.X, precNot)
		} else {
			p.s("-")
			p.expr(e.X, precNeg)
		}
	case *BinaryExpr:
		p.binary(e)
	case *IsExpr:
		p.expr(e.X, precCompare+1)
		p.s(" is ")
		p.typeExpr(e.Type)
	case *CondExpr:
		p.cond(e)
	case *LambdaExpr:
		p.lambda(e)
	case *WhereExpr:
		p.expr(e.X, precWhere)
		p.s(" where ")
		p.expr(e.Cond, precCond)
	case *ObjectExpr:
		p.object(e)
	case *ArrayExpr:
		p.s("[")
		p.commas(len(e.Elems), func(i int) {
			if e.Elems[i].Spread {
				p.s("...")
			}
			p.expr(e.Elems[i].Value, precWhere)
		})
		p.s("]")
	case *MatchExpr:
		p.match(e)
	case *ParenExpr:
		p.s("(")
		p.expr(e.X, precWhere)
		p.s(")")
	case *BadExpr:
		p.s("…")
	}
}

func (p *printer) call(e *CallExpr) {
	args := e.Args
	switch e.Form {
	case CallPipe:
		p.expr(args[0], precPipe)
		p.s(" | ")
		args = args[1:]
	case CallMethod:
		if _, ok := args[0].(*SubjectExpr); !ok {
			p.expr(args[0], precPostfix)
		}
		p.s(".")
		args = args[1:]
	}
	p.s(e.Fun.Name, "(")
	p.commas(len(args), func(i int) {
		if l, ok := args[i].(*LambdaExpr); ok {
			p.lambda(l)
			return
		}
		p.expr(args[i], precWhere)
	})
	p.s(")")
}

func (p *printer) binary(e *BinaryExpr) {
	prec := opPrecedence(e.Op)
	left := prec
	if prec == precCompare {
		left++ // comparisons don't chain
	}
	p.expr(e.X, left)
	p.s(" ", e.Op.String(), " ")
	p.expr(e.Y, prec+1)
}

func (p *printer) cond(e *CondExpr) {
	if e.Question {
		p.expr(e.Cond, precOr)
		p.s(" ? ")
		p.expr(e.Then, precWhere)
		p.s(" : ")
		p.expr(e.Else, precCond)
		return
	}
	p.s("if ")
	p.expr(e.Cond, precWhere)
	p.s(" then ")
	p.expr(e.Then, precWhere)
	p.s(" else ")
	p.expr(e.Else, precCond)
}

func (p *printer) lambda(e *LambdaExpr) {
	if len(e.Params) == 1 {
		p.s(e.Params[0].Name)
	} else {
		p.s("(")
		p.commas(len(e.Params), func(i int) { p.s(e.Params[i].Name) })
		p.s(")")
	}
	p.s(" => ")
	p.expr(e.Body, precWhere)
}

func (p *printer) object(e *ObjectExpr) {
	p.s("{")
	p.commas(len(e.Entries), func(i int) {
		p.pad(i)
		entry := e.Entries[i]
		if entry.Spread != nil {
			p.s("...")
			p.expr(entry.Spread, precWhere)
			return
		}
		p.key(entry.Key.Name)
		p.s(": ")
		p.expr(entry.Value, precWhere)
	})
	p.close(len(e.Entries))
}

func (p *printer) match(e *MatchExpr) {
	p.s("match ")
	if e.Subject != nil {
		p.expr(e.Subject, precWhere)
		p.s(" ")
	}
	p.s("{")
	p.commas(len(e.Arms), func(i int) {
		p.pad(i)
		a := e.Arms[i]
		p.armHead(a.Pattern, a.Cond, a.Where)
		p.s(" => ")
		p.expr(a.Value, precWhere)
	})
	p.close(len(e.Arms))
}

// ---- text

func (p *printer) key(key string) {
	if isName(key) {
		p.s(key)
	} else {
		p.str(key)
	}
}

func (p *printer) str(s string) {
	if p.path {
		p.s(quote(s, '\''))
	} else {
		p.s(quote(s, '"'))
	}
}

func (p *printer) template(t *TemplateLit) {
	mark := byte('`')
	outer := p.path
	if t.Quoted {
		mark = '"'
	}
	p.WriteByte(mark)
	for i, text := range t.Texts {
		for _, part := range strings.SplitAfter(text, "") {
			if part == "{" || part == "}" {
				p.s(part)
			}
			p.escaped(part, mark, outer)
		}
		if i < len(t.Exprs) {
			p.s("{")
			if _, ok := leftmost(t.Exprs[i]).(*ObjectExpr); ok {
				p.s(" ") // two braces would be one in the text
			}
			p.path = outer || t.Quoted
			p.expr(t.Exprs[i], precWhere)
			p.path = outer
			p.s("}")
		}
	}
	p.WriteByte(mark)
}

// leftmost returns the operand that an expression starts with.
func leftmost(e Expr) Expr {
	for {
		switch x := e.(type) {
		case *FieldExpr:
			e = x.X
		case *IndexExpr:
			e = x.X
		case *CallExpr:
			if x.Form == CallPlain {
				return e
			}
			e = x.Args[0]
		case *BinaryExpr:
			e = x.X
		case *IsExpr:
			e = x.X
		case *WhereExpr:
			e = x.X
		case *CondExpr:
			if !x.Question {
				return e
			}
			e = x.Cond
		default:
			return e
		}
	}
}

// escaped writes a text with what its quotes ask to escape. Within a path no
// double quote may stand.
func (p *printer) escaped(s string, mark byte, path bool) {
	q := quote(s, mark)
	q = q[1 : len(q)-1]
	if path {
		q = strings.ReplaceAll(q, `"`, `\u0022`)
	}
	p.s(q)
}

// quote writes a text in quotes of that mark. In single quotes, which stand
// within paths too, a double quote is written in hexadecimal.
func quote(s string, mark byte) string {
	const hex = "0123456789abcdef"
	b := make([]byte, 0, len(s)+2)
	b = append(b, mark)
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == mark || c == '\\':
			b = append(b, '\\', c)
		case c == '"' && mark == '\'':
			b = append(b, `\u0022`...)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c == '\t':
			b = append(b, '\\', 't')
		case c < 0x20 || c == 0x7f:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			_, size := utf8.DecodeRuneInString(s[i:])
			b = append(b, s[i:i+size]...)
			i += size
			continue
		}
		i++
	}
	return string(append(b, mark))
}
