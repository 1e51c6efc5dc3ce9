package codegen

import (
	"reqon/compiler/constant"
	"reqon/compiler/syntax"
	"reqon/stdlib"
	"reqon/vm/bytecode"
	"reqon/vm/option"
	"reqon/vm/value"
)

// block generates a block's steps, whose variables end with it. `retry` in it
// repeats a request of its own, or else of a block around it.
func (f *fn) block(b *syntax.Block) {
	if b == nil {
		return
	}
	defer f.close(f.open())
	outer := f.request
	defer func() { f.request = outer }()
	for i := 0; i < len(b.Steps); i++ {
		f.after = append(f.after, continuation{rest: b.Steps[i+1:]})
		i += f.step(b.Steps[i], b.Steps[i+1:])
		f.after = f.after[:len(f.after)-1]
	}
}

// step generates one step and returns how many of those that follow it has
// taken with it: a request takes the match that handles its failure, and with
// pages the step that they go through.
func (f *fn) step(s syntax.Step, rest []syntax.Step) (taken int) {
	f.at(s)
	f.boundary()
	switch s := s.(type) {
	case *syntax.FetchStep:
		return f.fetch(s, rest)
	case *syntax.LetStep:
		slot := f.newSlots(1)
		f.expr(s.Value)
		f.emit(bytecode.Set, slot)
		f.bindTo(s.Name.Name, slot, s.Value)
	case *syntax.ForStep:
		f.forStep(s, func() { f.itemsExpr(s.In) }, bytecode.None)
	case *syntax.MapStep:
		f.mapStep(s)
	case *syntax.ApplyStep:
		f.apply(s)
	case *syntax.ValidateStep:
		f.validate(s)
	case *syntax.StoreStep:
		f.storeStep(s, func() { f.itemsExpr(s.Value) })
	case *syntax.DeleteStep:
		f.expr(s.Key)
		f.at(s)
		f.emit(bytecode.StoreDelete, f.g.stores[s.Store.Name])
	case *syntax.ClearStep:
		f.emit(bytecode.StoreClear, f.g.stores[s.Store.Name])
	case *syntax.CheckpointStep:
		f.emit(bytecode.Checkpoint)
	case *syntax.ResetStep:
		if f.request != nil {
			f.emit(bytecode.ResetSync, f.request.page)
		}
	case *syntax.MatchStep:
		f.matchStep(s, false)
	case *syntax.IfStep:
		f.ifStep(s)
	case *syntax.RunStep:
		f.emit(bytecode.CallAction, f.g.actions[s.Action.Name])
	case *syntax.LogStep:
		f.logStep(s)
	case *syntax.WaitStep:
		f.optionObject(f.entries(s.Options, option.At(option.InWait)))
		f.at(s)
		f.emit(bytecode.Wait)
	case *syntax.PauseStep:
		f.optionObject(f.entries(s.Options, option.At(option.InPause)))
		f.at(s)
		f.emit(bytecode.Pause)
	case *syntax.DirectiveStep:
		f.directive(s, true)
	}
	return 0
}

// itemsExpr pushes what a `for` or `store` works on: of a merged response its
// items, of anything else the value.
func (f *fn) itemsExpr(e syntax.Expr) {
	if f.isResponse(e) {
		f.at(e)
		f.emit(bytecode.Items)
		return
	}
	f.expr(e)
}

func (f *fn) ifStep(s *syntax.IfStep) {
	no, end := newLabel(), newLabel()
	f.condition(s.Cond, no)
	f.block(s.Then)
	if s.Else == nil {
		f.place(no)
		return
	}
	f.jump(bytecode.Jump, end)
	f.place(no)
	f.block(s.Else)
	f.place(end)
}

// forStep generates a loop over what items pushes. page is the page slot whose
// items these are, with a streamed fetch.
func (f *fn) forStep(s *syntax.ForStep, items func(), page int) {
	f.at(s)
	info := bytecode.LoopInfo{Page: page, Store: f.onlyStore(s.Body), Pos: f.g.position(f.span)}
	if s.OnError != nil {
		switch s.OnError.Name {
		case "queue":
			info.Policy = bytecode.PolicyQueue
			info.Queue = f.g.stores[s.Queue.Name]
		case "skip":
			info.Policy = bytecode.PolicySkip
		case "abort":
			info.Policy = bytecode.PolicyAbort
		}
	}
	f.g.prog.Loops = append(f.g.prog.Loops, info)
	number := len(f.g.prog.Loops) - 1

	defer f.close(f.open())
	slots, elem := f.newSlots(bytecode.LoopSlots), f.newSlots(1)
	l := &loop{name: s.Var.Name, item: elem, slot: slots, store: info.Store, next: newLabel(), outer: f.loop}
	items()
	f.at(s.In)
	f.emit(bytecode.Iter, slots, f.textIndex("for"))
	if s.Concurrency != nil {
		f.concurrent(s, number, l)
	} else {
		f.sequential(s, number, l)
	}
}

// onlyStore gives the store that a loop's items go to: the one that steps of
// its body store to, if it is only one. The steps of a loop inside are for that
// one's items.
func (f *fn) onlyStore(body *syntax.Block) int {
	only, several := bytecode.None, false
	syntax.Walk(body, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.ForStep:
			return false
		case *syntax.StoreStep:
			store := f.g.stores[n.Store.Name]
			several = several || only != bytecode.None && only != store
			only = store
		}
		return true
	})
	if several {
		return bytecode.None
	}
	return only
}

func (f *fn) sequential(s *syntax.ForStep, number int, l *loop) {
	next, end, failed := newLabel(), newLabel(), newLabel()
	f.emit(bytecode.Enter, l.slot)
	f.place(next)
	f.emit(bytecode.Restore, l.slot)
	f.jump(bytecode.Next, end, l.slot)
	f.emit(bytecode.Set, l.item)
	pages, start := f.nextPage, len(f.out.Code)
	f.iteration(s, l)
	h := bytecode.Handler{Start: start, End: len(f.out.Code), PageStart: pages, PageEnd: f.nextPage}
	f.place(l.next)
	f.at(s)
	f.jump(bytecode.Loop, next)
	failed.depth = f.depth
	f.place(failed)
	h.Target = failed.pc
	f.out.Handlers = append(f.out.Handlers, h)
	f.emit(bytecode.ItemError, number, l.slot)
	f.jump(bytecode.Loop, next)
	f.place(end)
	f.emit(bytecode.Leave, l.slot)
}

// concurrent generates a loop whose iterations are tasks of their own. What
// `retry` and `continue` outside of it would go back to is in another task.
func (f *fn) concurrent(s *syntax.ForStep, number int, l *loop) {
	end := newLabel()
	f.emit(bytecode.Enter, l.slot)
	f.expr(s.Concurrency)
	f.at(s)
	f.jump(bytecode.Parallel, end, number, l.slot)
	f.emit(bytecode.Set, l.item)
	request, match := f.request, f.match
	f.request, f.match = nil, nil
	f.iteration(s, l)
	f.request, f.match = request, match
	f.place(l.next)
	f.emit(bytecode.EndItem)
	f.place(end)
}

// iteration generates the body of a loop for one item.
func (f *fn) iteration(s *syntax.ForStep, l *loop) {
	outer, invalid := f.loop, f.invalid
	f.loop, f.invalid = l, false
	defer func() { f.loop, f.invalid = outer, invalid }()
	defer f.withSubject(subject{slot: l.item})()
	defer f.close(f.open())
	f.bindVariable(s.Var.Name, variable{slot: l.item, item: true})
	if s.Where != nil {
		f.condition(s.Where, l.next)
	}
	f.after = append(f.after, continuation{loop: true})
	f.block(s.Body)
	f.after = f.after[:len(f.after)-1]
}

// mapStep generates `map expr -> Name { … }`.
func (f *fn) mapStep(s *syntax.MapStep) {
	restore := func() {}
	if s.Source != nil {
		slot := f.newSlots(1)
		f.expr(s.Source)
		f.emit(bytecode.Set, slot)
		restore = f.withSubject(subject{slot: slot})
	}
	f.object(s.Body)
	restore()
	f.result(s.Name, s)
}

// result makes the value on the stack the response, and with a name a variable.
func (f *fn) result(name *syntax.Ident, of syntax.Node) {
	if name != nil {
		slot := f.newSlots(1)
		f.emit(bytecode.Dup)
		f.emit(bytecode.Set, slot)
		f.bindTo(name.Name, slot, of)
	}
	f.emit(bytecode.SetResponse)
}

// apply generates `apply T to expr [as x]`: of each element if it is an array.
func (f *fn) apply(s *syntax.ApplyStep) {
	number := f.g.transforms[s.Transform.Name]
	to := f.newSlots(1)
	f.itemsExpr(s.To)
	f.emit(bytecode.Set, to)
	one, done := newLabel(), newLabel()
	f.emit(bytecode.Load, to)
	f.emit(bytecode.Is, f.g.namedType("array"))
	f.jump(bytecode.JumpFalse, one)

	list, slots := f.newList(), f.newSlots(2)
	next, end, failed := newLabel(), newLabel(), newLabel()
	f.emit(bytecode.Load, to)
	f.emit(bytecode.Iter, slots, f.textIndex("apply"))
	f.place(next)
	f.jump(bytecode.Next, end, slots)
	start := len(f.out.Code)
	f.at(s.Transform)
	f.emit(bytecode.CallFunc, number)
	f.out.Handlers = append(f.out.Handlers, bytecode.Handler{Start: start, End: len(f.out.Code), Target: -1})
	handler := len(f.out.Handlers) - 1
	f.emit(bytecode.Append, list)
	f.jump(bytecode.Loop, next)
	failed.depth = 0
	f.place(failed)
	f.out.Handlers[handler].Target = failed.pc
	f.emit(bytecode.WrapError, slots)
	f.place(end)
	f.endList(list)
	f.jump(bytecode.Jump, done)

	f.place(one)
	f.emit(bytecode.Load, to)
	f.at(s.Transform)
	f.emit(bytecode.CallFunc, number)
	f.place(done)
	f.result(s.As, s)
}

// validate generates a validate step: the messages of the conditions that do
// not hold are collected in a list.
func (f *fn) validate(s *syntax.ValidateStep) {
	defer f.temp()()
	restore := func() {}
	if s.Target != nil {
		slot := f.newSlots(1)
		f.expr(s.Target)
		f.emit(bytecode.Set, slot)
		restore = f.withSubject(subject{slot: slot})
	}
	list := f.newList()
	for _, r := range s.Rules {
		f.at(r)
		holds := newLabel()
		f.expr(r.Cond)
		f.jump(bytecode.JumpTrue, holds)
		if r.Message != nil {
			f.expr(r.Message)
		} else {
			f.conditionText(r.Cond)
		}
		if r.Warn {
			f.emit(bytecode.Warn)
		} else {
			f.emit(bytecode.Append, list)
		}
		f.place(holds)
	}
	restore()
	f.at(s)
	f.endList(list)
	if s.Or == nil {
		f.emit(bytecode.Validate)
		return
	}
	ok := newLabel()
	f.emit(bytecode.Length)
	f.jump(bytecode.JumpFalse, ok)
	outer := f.invalid
	f.invalid = true
	f.block(s.Or)
	f.invalid = outer
	f.place(ok)
}

// conditionText pushes the message of a condition without one: its text, and
// of a comparison what its left side is.
func (f *fn) conditionText(e syntax.Expr) {
	text := "`" + syntax.ExprString(e) + "` does not hold"
	x := e
	switch e := unparen(e).(type) {
	case *syntax.BinaryExpr:
		x = e.X
	case *syntax.IsExpr:
		x = e.X
	}
	toJSON := stdlib.Lookup("toJSON")
	switch unparen(x).(type) {
	case *syntax.FieldExpr, *syntax.Name, *syntax.CallExpr, *syntax.IndexExpr:
		if toJSON == nil || x == e {
			break
		}
		f.text(text + ": `" + syntax.ExprString(x) + "` is ")
		f.expr(x)
		f.emit(bytecode.Call, f.g.native(toJSON), 1)
		f.emit(bytecode.Text, 2)
		return
	}
	f.text(text)
}

// storeStep generates `store expr -> name { … }` of what records pushes.
func (f *fn) storeStep(s *syntax.StoreStep, records func()) {
	defer f.temp()()
	slot := f.newSlots(1)
	records()
	f.at(s)
	f.emit(bytecode.Records)
	f.emit(bytecode.Set, slot)
	f.emit(bytecode.Load, slot)
	if key := s.Options.Get("key"); key != nil {
		f.emit(bytecode.Load, slot)
		f.mapInto(itemOf(key.Value), "store")
	} else {
		f.emit(bytecode.Null)
	}
	for _, name := range []string{"upsert", "partial"} {
		if o := s.Options.Get(name); o != nil {
			f.expr(o.Value)
		} else {
			f.emit(bytecode.Null)
		}
	}
	store := f.g.stores[s.Store.Name]
	if f.loop != nil && f.loop.store == store {
		// From here on the store itself counts what it does not take.
		f.emit(bytecode.True)
		f.emit(bytecode.Set, f.loop.slot+bytecode.LoopSlots-1)
	}
	f.at(s)
	f.g.filled[store] = true
	f.emit(bytecode.StorePut, store)
}

// matchStep generates a match step. handles says that it directly follows
// a request whose failure it may take (language definition, section 6.1,
// "Failure").
func (f *fn) matchStep(s *syntax.MatchStep, handles bool) {
	defer f.temp()()
	f.at(s)
	end := newLabel()
	outer := f.match
	f.match = end
	defer func() { f.match = outer }()

	slot, status := -1, false
	if s.Subject != nil {
		outerBinds := f.binds
		f.binds = s.Subject
		defer func() { f.binds = outerBinds }()
		slot, status = f.newSlots(1), f.isResponse(s.Subject)
		f.expr(s.Subject)
		f.emit(bytecode.Set, slot)
	}
	onlyStatus := status
	for _, a := range s.Arms {
		onlyStatus = onlyStatus && isStatus(a.Pattern)
		inner := f.open()
		next := newLabel()
		f.at(a)
		if handles && takesAll(a.Pattern) && !ends(a.Body) {
			f.jump(bytecode.JumpFailed, next)
		}
		f.armTest(a.Pattern, a.Cond, a.Where, slot, next, status)
		if handles {
			f.emit(bytecode.Handled)
		}
		f.arm(a.Body)
		f.jump(bytecode.Jump, end)
		f.place(next)
		f.close(inner)
	}
	f.at(s)
	if handles {
		f.emit(bytecode.RaiseLast)
	}
	switch {
	case onlyStatus:
	case slot >= 0:
		f.emit(bytecode.Load, slot)
		f.emit(bytecode.Raise, f.textIndex("match: no arm fits {}"))
	default:
		f.emit(bytecode.Null)
		f.emit(bytecode.Raise, f.textIndex("match: the condition of no arm holds"))
	}
	f.place(end)
}

// isStatus reports whether a pattern is a number.
func isStatus(p syntax.Pattern) bool {
	l, ok := p.(*syntax.LiteralPattern)
	if !ok {
		return false
	}
	v, ok := constant.Value(l.Value)
	return ok && v.IsNumber()
}

// takesAll reports whether a pattern fits everything: `_`, or a bare name.
func takesAll(p syntax.Pattern) bool {
	switch p.(type) {
	case *syntax.WildcardPattern, *syntax.BindPattern:
		return true
	}
	return false
}

// ends reports whether an arm's body is, or ends in, a directive that does not
// just carry on, so that its `_` may take a failed request.
func ends(b *syntax.Block) bool {
	if len(b.Steps) == 0 {
		return false
	}
	d, ok := b.Steps[len(b.Steps)-1].(*syntax.DirectiveStep)
	return ok && d.Kind != syntax.DirContinue
}

// arm generates the body of an arm: a block, or a single step or directive. The
// latter's queue goes on as skip does.
func (f *fn) arm(b *syntax.Block) {
	if !b.Braces && len(b.Steps) == 1 {
		if d, ok := b.Steps[0].(*syntax.DirectiveStep); ok {
			f.at(d)
			f.directive(d, false)
			return
		}
	}
	f.block(b)
}

func (f *fn) logStep(s *syntax.LogStep) {
	f.expr(s.Message)
	if s.Fields != nil {
		f.object(s.Fields)
	} else {
		f.emit(bytecode.Null)
	}
	level := bytecode.LevelInfo
	if s.Level != nil {
		switch s.Level.Name {
		case "debug":
			level = bytecode.LevelDebug
		case "warn":
			level = bytecode.LevelWarn
		case "error":
			level = bytecode.LevelError
		}
	}
	f.at(s)
	f.emit(bytecode.Log, int(level))
}

// directive generates a directive. inBlock says that it stands as a step of
// a block, where queue writes and the block goes on.
func (f *fn) directive(d *syntax.DirectiveStep, inBlock bool) {
	switch d.Kind {
	case syntax.DirContinue:
		if f.match != nil {
			f.jump(bytecode.Jump, f.match)
		}
	case syntax.DirSkip:
		f.at(d)
		f.emit(bytecode.Skipped, boolOperand(f.invalid))
		f.skip()
	case syntax.DirAbort:
		if d.Message != nil {
			f.expr(d.Message)
		} else {
			f.text("")
		}
		f.at(d)
		f.emit(bytecode.Abort)
	case syntax.DirRetry:
		f.optionObject(f.entries(d.Options, option.At(option.InRetryDirective)))
		f.retry(d)
	case syntax.DirQueue:
		f.queue(d)
		if !inBlock {
			f.skip()
		}
	case syntax.DirJump:
		f.emit(bytecode.CallAction, f.g.actions[d.Target.Name])
		if d.Then != nil && d.Then.Name == "retry" {
			// The action has mended the cause: no wait.
			now := value.NewObjectBuilder(nil, 1)
			now.Set("delay", value.FromInt(0))
			f.constant(now.Value())
			f.retry(d)
		}
	}
}

// skip ends the iteration; outside of a loop, the action.
func (f *fn) skip() {
	if f.loop != nil {
		f.jump(bytecode.Jump, f.loop.next)
	} else {
		f.emit(bytecode.Return)
	}
}

func (f *fn) retry(d *syntax.DirectiveStep) {
	f.at(d)
	if f.request == nil {
		f.emit(bytecode.Raise, f.textIndex("retry: there is no request to repeat"))
		return
	}
	f.jump(bytecode.Retry, f.request.start, f.request.count, f.request.page)
}

// queue generates the writing of a dead letter (language definition, section
// 6.2). What is no object is written as { item: … }.
func (f *fn) queue(d *syntax.DirectiveStep) {
	defer f.temp()()
	letter := f.newSlots(1)
	if o := d.Options.Get("item"); o != nil {
		f.g.filled[f.g.stores[d.Target.Name]] = true // what it writes is chosen, as in a store step
		f.expr(o.Value)
		f.emit(bytecode.Set, letter)
		object := newLabel()
		f.emit(bytecode.Load, letter)
		f.emit(bytecode.Is, f.g.namedType("object"))
		f.jump(bytecode.JumpTrue, object)
		f.emit(bytecode.Load, letter)
		f.emit(bytecode.Object, f.g.shape([]string{"item"}))
		f.emit(bytecode.Set, letter)
		f.place(object)
	} else {
		f.currentItem()
		f.at(d)
		f.emit(bytecode.DeadLetter)
		f.emit(bytecode.Set, letter)
	}
	f.emit(bytecode.Load, letter)
	f.emit(bytecode.Records)
	if o := d.Options.Get("key"); o != nil {
		f.emit(bytecode.Load, letter)
		f.emit(bytecode.Records)
		f.mapInto(itemOf(o.Value), "queue")
	} else {
		f.emit(bytecode.Null)
	}
	f.emit(bytecode.Null)
	f.emit(bytecode.Null)
	f.at(d)
	f.emit(bytecode.StorePut, f.g.stores[d.Target.Name])
	f.emit(bytecode.Queued)
}

func boolOperand(b bool) int {
	if b {
		return 1
	}
	return 0
}

// currentItem pushes the item and index of the innermost loop and the number of
// the response before its iterations, or nulls.
func (f *fn) currentItem() {
	if f.loop == nil {
		f.emit(bytecode.Null)
		f.emit(bytecode.Null)
		f.emit(bytecode.Null)
		return
	}
	f.emit(bytecode.Load, f.loop.item)
	f.emit(bytecode.Load, f.loop.slot+1) // of the next item
	f.emit(bytecode.SubK, f.constIndex(value.FromInt(1)))
	f.emit(bytecode.Load, f.loop.slot+2)
}
