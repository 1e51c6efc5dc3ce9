package vm

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"reqon/vm/backoff"
	"reqon/vm/bytecode"
	"reqon/vm/option"
	"reqon/vm/value"
)

// next is the target of an effect that does not jump.
const next = -1

// effect runs the instructions of steps: what asks the host, and what only
// steps need. rest is the code behind the opcode, locals are the frame's and
// args the operands that the instruction takes. It gives the value to push, if
// the instruction pushes one, and where to jump, or next.
func (t *Task) effect(f *frame, op bytecode.Op, rest []byte, locals, args []value.Value) (value.Value, int, error) {
	switch op {
	case bytecode.Response:
		return t.response, next, nil
	case bytecode.SetResponse:
		t.setResponse(args[0])
	case bytecode.Status:
		if t.code == noStatus {
			return value.NullValue, next, nil
		}
		return value.FromInt(int64(t.code)), next, nil
	case bytecode.Headers:
		return t.headers, next, nil
	case bytecode.Items:
		return t.responseItems(), next, nil
	case bytecode.LastRun:
		return t.host.LastRun(), next, nil
	case bytecode.Scheduled:
		return t.host.Scheduled(), next, nil
	case bytecode.Param:
		return t.host.Param(u16(rest, 0)), next, nil
	case bytecode.Enter:
		t.enter(locals[u16(rest, 0):])
	case bytecode.Restore:
		return value.NullValue, next, t.restore(locals[u16(rest, 0):])
	case bytecode.Leave:
		return value.NullValue, next, t.leave(locals[u16(rest, 0):])
	case bytecode.Checkpoint:
		return value.NullValue, next, t.checkpoint(f)

	case bytecode.Open, bytecode.LastSync, bytecode.ShiftSync, bytecode.UpdateFrom, bytecode.ResetSync, bytecode.PageParam, bytecode.Fetch, bytecode.PageDone,
		bytecode.PageError, bytecode.Judge, bytecode.PageItems, bytecode.MorePages, bytecode.Close, bytecode.Ahead:
		return t.fetchEffect(f, op, rest, args)
	case bytecode.Handled:
		t.failed = nil
	case bytecode.RaiseLast:
		if t.failed != nil {
			return value.NullValue, next, errors.New(t.failed.Text)
		}
	case bytecode.Retry:
		return t.retry(f, rest, locals, args[0])

	case bytecode.StoreList, bytecode.StoreGet, bytecode.StoreHas, bytecode.StoreLen,
		bytecode.StorePut, bytecode.StoreDelete, bytecode.StoreClear:
		if err := t.cancelled(); err != nil {
			return value.NullValue, next, err
		}
		e, err := t.begin(f, op)
		if err != nil {
			return value.NullValue, next, err
		}
		// What a step has read of a store that the run writes is noted: a
		// repetition of the step might read what it has itself written.
		store := u16(rest, 0)
		noted := t.run.keeper != nil && isRead(op) && t.m.writes(store)
		if noted {
			if v, ok := t.answered(); ok {
				t.end(e, nil)
				return v, next, nil
			}
		}
		v, err := t.storeEffect(f, e, store, args)
		if noted && err == nil {
			t.note(v)
		}
		t.end(e, err)
		return v, next, err
	case bytecode.Records:
		v, err := records(args[0])
		return v, next, err
	case bytecode.DeadLetter:
		var reason, response value.Value
		if !args[2].IsInt() || args[2].Int() != t.sequence { // else it is the loop's own, not the item's
			response = t.response
			if t.last != nil {
				reason = value.FromString(t.last.Text)
			}
		}
		return t.deadLetter(f, args[0], args[1], reason, response), next, nil

	case bytecode.Validate:
		if err := writable(args); err != nil {
			return value.NullValue, next, err
		}
		if args[0].Kind() != value.Array {
			return value.NullValue, next, errBadProgram
		}
		return value.NullValue, next, validationError(args[0].Elems())
	case bytecode.Warn:
		if err := writable(args); err != nil {
			return value.NullValue, next, err
		}
		t.host.Warned(value.Text(args[0]), t.at(f, f.pc))
	case bytecode.Log:
		if err := writable(args); err != nil {
			return value.NullValue, next, err
		}
		t.host.Log(bytecode.Level(rest[0]), value.Text(args[0]), args[1], t.at(f, f.pc))
	case bytecode.Abort:
		if err := writable(args); err != nil {
			return value.NullValue, next, err
		}
		message := value.Text(args[0])
		if message == "" {
			message = "aborted"
		}
		return value.NullValue, next, &abortError{message}
	case bytecode.Skipped:
		if rest[0] != 0 || t.last != nil {
			t.host.ItemLeft(bytecode.PolicySkip, t.at(f, f.pc))
		}
	case bytecode.Queued:
		t.host.ItemLeft(bytecode.PolicyQueue, t.at(f, f.pc))
	case bytecode.Wait:
		if err := writable(args); err != nil {
			return value.NullValue, next, err
		}
		e, err := t.begin(f, op)
		if err != nil {
			return value.NullValue, next, err
		}
		v, err := t.host.Wait(t.ctx, args[0], t.at(f, f.pc))
		t.end(e, err)
		if err == nil {
			t.setResponse(v)
		}
		return value.NullValue, next, err
	case bytecode.Pause:
		if err := writable(args); err != nil {
			return value.NullValue, next, err
		}
		e, err := t.begin(f, op)
		if err != nil {
			return value.NullValue, next, err
		}
		err = t.host.Pause(t.ctx, args[0], t.at(f, f.pc))
		t.end(e, err)
		return value.NullValue, next, err

	case bytecode.ItemError:
		slot := u16(rest, 2)
		item, index, ok := current(locals[slot : slot+2])
		if !ok || !locals[slot+2].IsInt() || t.caught == nil {
			return value.NullValue, next, errBadProgram
		}
		if !locals[slot+7].IsInt() {
			return value.NullValue, next, errBadProgram
		}
		reached := value.Truth(locals[slot+bytecode.LoopSlots-1])
		return value.NullValue, next, t.itemFailed(f, u16(rest, 0), item, index, locals[slot+2].Int(), locals[slot+7].Int(), reached, t.caught)
	case bytecode.WrapError:
		slot := u16(rest, 0)
		item, index, ok := current(locals[slot : slot+2])
		if !ok || t.caught == nil {
			return value.NullValue, next, errBadProgram
		}
		return value.NullValue, next, t.caught.ofItem(index, itemID(item))
	case bytecode.BadType:
		what := t.m.funcs[f.fn].Consts[u16(rest, 2)].Str()
		return value.NullValue, next, fmt.Errorf("%s: %s", what, t.m.mismatch(args[0], u16(rest, 0)))

	default:
		return value.NullValue, next, fmt.Errorf("instruction %s is not known to this version", op)
	}
	return value.NullValue, next, nil
}

// current gives the element that a loop is at, from the array and the next
// index.
func current(pair []value.Value) (item value.Value, index int, ok bool) {
	if pair[0].Kind() != value.Array || !pair[1].IsInt() {
		return item, 0, false
	}
	elems, i := pair[0].Elems(), pair[1].Int()-1
	if i < 0 || i >= int64(len(elems)) {
		return item, 0, false
	}
	return elems[i], int(i), true
}

// isRead reports whether an instruction reads a store.
func isRead(op bytecode.Op) bool {
	switch op {
	case bytecode.StoreList, bytecode.StoreGet, bytecode.StoreHas, bytecode.StoreLen:
		return true
	}
	return false
}

// writes reports whether the program writes to the store.
func (m *Machine) writes(store int) bool {
	m.once.stores.Do(func() {
		m.once.written = make([]bool, len(m.prog.Stores))
		for _, l := range m.prog.Loops {
			if l.Policy == bytecode.PolicyQueue {
				m.once.written[l.Queue] = true
			}
		}
		for i := range m.prog.Funcs {
			code := m.prog.Funcs[i].Code
			for pc := 0; pc < len(code); {
				op := bytecode.Op(code[pc])
				switch op {
				case bytecode.StorePut, bytecode.StoreDelete, bytecode.StoreClear:
					m.once.written[u16(code, pc+1)] = true
				}
				info, _ := bytecode.InfoOf(op)
				pc += info.Size()
			}
		}
	})
	return m.once.written[store]
}

// storeEffect runs the instructions that read and write a store.
func (t *Task) storeEffect(f *frame, e Effect, store int, args []value.Value) (v value.Value, err error) {
	switch op := e.Op; op {
	case bytecode.StoreList:
		var list []value.Value
		list, err = t.host.StoreList(t.ctx, store)
		v = value.FromArray(list)
	case bytecode.StoreLen:
		var n int
		n, err = t.host.StoreLen(t.ctx, store)
		v = value.FromInt(int64(n))
	case bytecode.StoreGet, bytecode.StoreHas:
		if args[0].IsNull() { // a missing key: no record has it
			if op == bytecode.StoreHas {
				v = value.False
			}
			break
		}
		var key string
		if key, err = t.recordKey(store, args[0]); err != nil {
			break
		}
		if op == bytecode.StoreGet {
			v, _, err = t.host.StoreGet(t.ctx, store, key)
			break
		}
		var has bool
		has, err = t.host.StoreHas(t.ctx, store, key)
		v = value.FromBool(has)
	case bytecode.StorePut:
		err = t.storePut(f, e, store, args)
	case bytecode.StoreDelete:
		var key string
		if key, err = t.recordKey(store, args[0]); err == nil {
			err = t.host.StoreDelete(t.ctx, store, key)
		}
	case bytecode.StoreClear:
		err = t.host.StoreClear(t.ctx, store)
	}
	return v, err
}

// storePut writes records with their keys (an array, or null). upsert and
// partial choose between merge and replace (language definition, section 6.4).
func (t *Task) storePut(f *frame, e Effect, store int, args []value.Value) error {
	if args[0].Kind() != value.Array || args[1].Kind() != value.Array && !args[1].IsNull() {
		return errBadProgram
	}
	for _, record := range args[0].Elems() {
		if record.Kind() != value.Object {
			return errBadProgram
		}
	}
	p := Put{Store: store, Records: args[0].Elems(), At: t.at(f, f.pc), Effect: e, Err: writableRecords(args[0].Elems())}
	if args[1].Kind() == value.Array {
		if len(args[1].Elems()) != len(p.Records) {
			return errBadProgram
		}
		p.Keys = make([]string, 0, len(p.Records))
		for _, v := range args[1].Elems() {
			key, err := KeyText(v)
			if err != nil {
				p.BadKey = err
				break
			}
			p.Keys = append(p.Keys, key)
		}
	}
	upsert, partial := args[2], args[3]
	for i, name := range [...]string{"upsert", "partial"} {
		if err := option.At(option.InStoreStep).Spec(name).Check(args[2+i]); err != nil {
			return err
		}
	}
	p.Merge = value.Truth(partial) || partial.IsNull() && value.Truth(upsert)
	return t.host.StorePut(t.ctx, &p)
}

// records gives what a store step writes: the elements of an array, or the one
// object. Every one must be an object.
func records(v value.Value) (value.Value, error) {
	if v.Kind() == value.Object {
		return value.FromArray([]value.Value{v}), nil
	}
	if v.Kind() != value.Array {
		return v, fmt.Errorf("store needs an object or an array of objects, found %s", value.Describe(v))
	}
	for i, e := range v.Elems() {
		if e.Kind() != value.Object {
			return v, fmt.Errorf("store needs objects, found %s at index %d", value.Describe(e), i)
		}
	}
	return v, nil
}

// recordKey returns the text of the key by which a record is asked for: of
// several columns (language definition, section 6.4) an array in JSON.
func (t *Task) recordKey(store int, v value.Value) (string, error) {
	parts := t.m.prog.Stores[store].Key
	if len(parts) < 2 {
		return KeyText(v)
	}
	if v.Kind() != value.Array || len(v.Elems()) != len(parts) {
		return "", fmt.Errorf("a key must be an array of %d parts (%s), found %s", len(parts), strings.Join(parts, ", "), value.Describe(v))
	}
	for i, e := range v.Elems() {
		if _, err := KeyText(e); err != nil {
			return "", fmt.Errorf("part %s of the key: %w", parts[i], err)
		}
	}
	return string(value.AppendJSON(nil, v)), nil
}

// KeyText returns the text of a store's key: a string, or what a number,
// boolean or timestamp is as text. Null, "" and collections are errors.
func KeyText(v value.Value) (string, error) {
	switch v.Kind() {
	case value.Null:
		return "", errors.New("the key is null")
	case value.Array, value.Object:
		return "", fmt.Errorf("a key must be text or a number, found %s", value.Describe(v))
	}
	text := value.Text(v)
	if text == "" {
		return "", errors.New("the key is empty text")
	}
	return text, nil
}

// enter notes the response that every iteration of a loop begins with; slots are
// those of the loop.
func (t *Task) enter(slots []value.Value) {
	slots[2] = value.FromInt(t.sequence)
	slots[3] = t.response
	slots[4] = value.FromInt(int64(t.status))
	slots[5] = value.FromString(t.items)
	slots[8] = value.FromInt(int64(t.code))
	slots[9] = t.headers
	slots[bytecode.LoopSlots-1] = value.False
	slots[6] = value.FromInt(int64(t.closed.covered))
	slots[7] = value.FromInt(int64(len(t.closed.keys)))
}

// restore makes the response of enter the current one again: each iteration has
// its own (language definition, section 6.3).
func (t *Task) restore(slots []value.Value) error {
	if !slots[2].IsInt() || !slots[4].IsInt() || slots[5].Kind() != value.String || !slots[7].IsInt() || !slots[8].IsInt() {
		return errBadProgram
	}
	if t.sequence != slots[2].Int() {
		t.last = nil // it was of an iteration that is over
	}
	t.sequence, t.response, t.status, t.items = slots[2].Int(), slots[3], int(slots[4].Int()), slots[5].Str()
	t.code, t.headers = int(slots[8].Int()), slots[9]
	slots[bytecode.LoopSlots-1] = value.False
	if mark := int(slots[7].Int()); !t.m.checkpoints && mark < len(t.closed.keys) {
		t.closed.keys = t.closed.keys[:max(0, mark)] // of an iteration that has gone well
	}
	t.closed.covered = len(t.closed.keys) // a `checkpoint` covers what its own iteration has fetched
	slots[7] = value.FromInt(int64(t.closed.covered))
	return nil
}

// responseItems gives what `for x in response` and `store response` mean.
func (t *Task) responseItems() value.Value {
	if t.items == "" {
		return t.response
	}
	items, _ := lookUp(t.response, t.items)
	return items
}

// statusIs reports whether v equals the number, or stands for the response of
// a request with that HTTP status.
func (t *Task) statusIs(v, number value.Value) bool {
	if t.status != noStatus {
		// A failed request may have a good status: of a body that is no JSON.
		// No arm for that status may take it for an answer.
		if t.failed != nil && t.status < 400 && !t.failed.ByStatus {
			return false
		}
		n, ok := value.AsInt(number)
		return ok && n == int64(t.status)
	}
	return value.Equal(v, number)
}

// retry goes back to the request, or fails when its attempts are used up.
func (t *Task) retry(f *frame, rest []byte, locals []value.Value, options value.Value) (value.Value, int, error) {
	o, err := option.At(option.InRetryDirective).Decode(options)
	if err != nil {
		return value.NullValue, next, fmt.Errorf("retry: %w", err)
	}
	slot := u16(rest, 0)
	if !locals[slot].IsInt() {
		return value.NullValue, next, errBadProgram
	}
	attempts := locals[slot].Int()
	p := &f.pages[u16(rest, 2)]
	if p.failure != nil && p.fetch.Page != bytecode.PageNone && p.retried != p.number+1 {
		p.retried, attempts = p.number+1, 1 // each page has attempts of its own
	}
	if attempts >= o.Int64("maxAttempts") {
		if p.failure != nil {
			return value.NullValue, next, errors.New(p.failure.Text)
		}
		return value.NullValue, next, fmt.Errorf("retry: given up after %d attempts; the last response was %s", attempts, value.Describe(t.response))
	}
	if err := t.cancelled(); err != nil {
		return value.NullValue, next, err
	}
	if d := retryWait(o, attempts); d > 0 {
		// The task waits where it goes on, by a time and not by a timer.
		now, err := t.host.Call(bytecode.HostNow, nil)
		if err != nil {
			return value.NullValue, next, err
		}
		t.nap, t.wake = d, 1
		if now.Kind() == value.Time {
			t.wake = max(1, now.Time()+d.Milliseconds())
		}
	}
	locals[slot] = value.FromInt(attempts + 1)
	t.failed = nil
	p.repeats = p.failure != nil
	if p.repeats && p.held {
		p.held = false
		t.host.Fetched(&Fetched{SyncKey: p.sync, Repeated: true})
	}
	return value.NullValue, u32(rest, 4), nil
}

// retryWait returns how long a retry directive waits after so many attempts.
// `delay` alone is a constant wait.
func retryWait(o *option.Values, attempts int64) time.Duration {
	if o.Given("delay") {
		return o.Duration("delay")
	}
	return backoff.Of(o).Wait(attempts, nil)
}

// deadLetter builds the form that queue writes by default (language
// definition, section 6.2).
func (t *Task) deadLetter(f *frame, item, index, reason, response value.Value) value.Value {
	at, _ := t.call(bytecode.HostNow, nil)
	action := value.NullValue
	if f.action != bytecode.None {
		action = value.FromString(t.m.actionName(f.action))
	}
	shape := t.m.shapes.Of("item", "index", "error", "response", "action", "run", "at")
	return value.FromObject(value.NewObj(shape, []value.Value{
		item, index, reason, response, action, value.FromString(t.host.RunID()), at,
	}))
}

// itemFailed does what the loop's policy says of a failed item. sequence is the
// number of the response at the start of the iteration, closed how many fetches
// the task had closed then; reached tells whether the item has reached the loop's
// store.
func (t *Task) itemFailed(f *frame, loop int, item value.Value, index int, sequence, closed int64, reached bool, err *Error) error {
	info := &t.m.prog.Loops[loop]
	if info.Page != bytecode.None {
		index += f.pages[info.Page].before
	}
	failure := &ItemFailure{Index: index, ID: idOf(item), Store: info.Store, Err: err, At: At{Action: f.action, Pos: info.Pos}}
	if reached {
		failure.Store = bytecode.None
	}
	wrapped := err.ofItem(index, itemID(item))
	switch info.Policy {
	case bytecode.PolicyAbort:
		t.host.ItemFailed(info.Policy, failure)
		return wrapped
	case bytecode.PolicyContinue:
		t.failures.add(wrapped)
	case bytecode.PolicyQueue:
		response := value.NullValue
		if t.sequence != sequence {
			response = t.response
		}
		letter := t.deadLetter(f, item, value.FromInt(int64(index)), value.FromString(err.Text), response)
		put := Put{Store: info.Queue, Records: []value.Value{letter}, At: failure.At}
		if e := t.putLetter(f, &put); e != nil {
			wrapped.Text += "\nand it could not be queued: " + e.Error()
			return wrapped
		}
	}
	t.host.ItemFailed(info.Policy, failure)
	t.holdIteration(int(closed), info.Policy)
	return nil
}

// putLetter writes a dead letter.
func (t *Task) putLetter(f *frame, put *Put) (err error) {
	if err = writableRecords(put.Records); err != nil {
		return err
	}
	if put.Effect, err = t.begin(f, bytecode.StorePut); err != nil {
		return err
	}
	err = t.host.StorePut(t.ctx, put)
	t.end(put.Effect, err)
	return err
}

// itemID returns the text of an item's id for messages, or "".
func itemID(item value.Value) string {
	return value.Text(idOf(item))
}

// idOf gives an item's id, or null.
func idOf(item value.Value) value.Value {
	if item.Kind() != value.Object {
		return value.NullValue
	}
	id := value.Field(item, "id")
	if k := id.Kind(); k == value.Array || k == value.Object {
		return value.FromString(value.Describe(id)) // it is for people only
	}
	return id
}

// validationError makes one error of the conditions that do not hold, or nil.
func validationError(messages []value.Value) error {
	switch len(messages) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("validation failed: %s", value.Text(messages[0]))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "validation failed, %d conditions do not hold:", len(messages))
	for _, m := range messages {
		b.WriteString(" ")
		b.WriteString(value.Text(m))
		b.WriteString(";")
	}
	return errors.New(strings.TrimSuffix(b.String(), ";"))
}
