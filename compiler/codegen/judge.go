package codegen

import (
	"reqon/compiler/syntax"
	"reqon/vm/bytecode"
)

// What judges an answer (failWhen, and when and wait of retry) is worked out by
// whoever makes the request, for each attempt, and for a page that is asked for
// ahead beside what the task does meanwhile. So it is a function of its own. What
// it takes of the variables around the request is noted by the instruction Judge
// before each request: variables bind once, so a copy is as good as the original.

// judges generates the functions that judge the answers of a request: its own,
// else those of its source. It gives the names that they take.
func (f *fn) judges(info *bytecode.FetchInfo, s *syntax.FetchStep, p pagination) []*syntax.Name {
	own := judgesOf(s.Options)
	if info.Source != bytecode.None && !f.g.judges[info.Source].None() {
		info.Judges = &f.g.judges[info.Source]
	}
	if own == (judgeExprs{}) {
		return nil
	}
	judges := &bytecode.Judges{FailWhen: bytecode.None, RetryWhen: bytecode.None, RetryWait: bytecode.None}
	if info.Judges != nil {
		*judges = *info.Judges
	}
	info.Judges = judges
	names := f.captured(own, p)
	for _, j := range []struct {
		what string
		expr syntax.Expr
		to   *int
	}{{"failWhen", own.failWhen, &judges.FailWhen}, {"when", own.when, &judges.RetryWhen}, {"wait", own.wait, &judges.RetryWait}} {
		if j.expr != nil {
			*j.to = f.g.judgeFunc(j.what, j.expr, names, f.subject)
		}
	}
	return names
}

// sourceJudges generates those of a source, which take nothing.
func (g *generator) sourceJudges(s *syntax.Source) (j bytecode.Judges) {
	own := judgesOf(s.Options)
	number := func(what string, e syntax.Expr) int {
		if e == nil {
			return bytecode.None
		}
		return g.judgeFunc(what, e, nil, responseSubject)
	}
	return bytecode.Judges{FailWhen: number("failWhen", own.failWhen), RetryWhen: number("when", own.when), RetryWait: number("wait", own.wait)}
}

// judgeExprs are the expressions that judge answers; nil where there is none.
type judgeExprs struct{ failWhen, when, wait syntax.Expr }

func judgesOf(o *syntax.Options) (j judgeExprs) {
	if x := o.Get("failWhen"); x != nil {
		j.failWhen = x.Value
	}
	x := o.Get("retry")
	if x == nil {
		return j
	}
	object, ok := unparen(x.Value).(*syntax.ObjectExpr)
	if !ok || !plain(object) {
		return j
	}
	for _, e := range object.Entries {
		switch e.Key.Name {
		case "when":
			j.when = e.Value
		case "wait":
			j.wait = e.Value
		}
	}
	return j
}

// subjectName stands for the subject among the names that a function takes.
const subjectName = "."

// captured gives what the expressions use of what is around the request, each
// once: variables, the page parameter, lastSync and the subject.
func (f *fn) captured(j judgeExprs, p pagination) (names []*syntax.Name) {
	seen := map[string]bool{}
	add := func(n *syntax.Name) {
		if !seen[n.Name] {
			seen[n.Name] = true
			names = append(names, n)
		}
	}
	for _, e := range []syntax.Expr{j.failWhen, j.when, j.wait} {
		if e == nil {
			continue
		}
		syntax.Walk(e, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.Name:
				if _, ok := f.lookup(n.Name); ok || n.Name == p.param && p.param != "" || f.isGlobal(n, "lastSync") {
					add(n)
				}
			case *syntax.SubjectExpr:
				if f.subject != responseSubject {
					add(&syntax.Name{Span: n.Span, Name: subjectName})
				}
			}
			return true
		})
	}
	return names
}

// judgeFunc generates one function that judges answers.
func (g *generator) judgeFunc(what string, e syntax.Expr, names []*syntax.Name, outer subject) int {
	f := g.newFunc(what, len(names))
	f.subject = responseSubject
	for i, n := range names {
		if n.Name == subjectName {
			f.subject = subject{slot: i}
		} else {
			f.bind(n.Name, i)
		}
	}
	f.at(e)
	f.expr(e)
	f.at(e)
	f.emit(bytecode.ReturnValue)
	return f.finish()
}

// judge notes what the functions take that judge the answers to come.
func (f *fn) judge(names []*syntax.Name, p pagination, fetch, page int) {
	if len(names) == 0 {
		return
	}
	f.withPageParam(p.param, page, func() {
		for _, n := range names {
			if n.Name == subjectName {
				f.emit(bytecode.Load, f.subject.slot)
			} else {
				f.nameExpr(n)
			}
		}
		f.emit(bytecode.Array, len(names))
		f.emit(bytecode.Judge, fetch, page)
	})
}
