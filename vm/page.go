package vm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"reqon/vm/bytecode"
	"reqon/vm/option"
	"reqon/vm/value"
)

// maxEmptyPages is how many empty pages may follow each other while `until`
// does not hold; a fetch that goes on beyond them would never end.
const maxEmptyPages = 1000

// pageState is where a fetch stands. It is plain data, so that a task can be
// written down between two pages.
type pageState struct {
	index int                 // in Program.Fetches
	fetch *bytecode.FetchInfo // the one there; nil: nothing has begun
	open  bool
	sync  SyncKey // of the sync position

	number   int         // of the current page, from 1; 0 before the first
	param    value.Value // current value of the page parameter
	size     int64
	most     int64               // items that a page has had at most
	overlap  int64               // how many of the places before it the current page may hold again
	twins    int                 // pages in a row that were like the one before, for offset
	next     string              // URL of the following page, for link and next
	asked    string              // next as it was when the current page was asked for
	seen     map[string]struct{} // cursors that were sent
	maxPages int64               // 0: no limit
	maxItems int64               // 0: no limit
	allowCut bool                // what is not fetched is left out on purpose
	empties  int                 // empty pages in a row

	came     bool        // the current page has come and is not done
	body     value.Value // the current page
	previous value.Value // the page before
	items    []value.Value
	received []value.Value // items of the page before, as they came, for offset
	before   int           // items of the earlier pages
	path     string        // of the items in a page that is an object
	model    value.Value   // the last page that was an object and had them
	guess    string        // the only array of a page, which was empty
	aside    bool          // the step that the pages go through takes something else than the items
	judged   []value.Value // what the functions take that judge answers
	linked   bool          // the current page's Link header says that another follows
	total    int64         // items on all pages, by a header of the current page; 0: unknown
	hadUntil bool          // a page has had what `until` reads
	hadNext  bool          // a page has had something, or null, where paginate says the next cursor is
	dropped  int           // items without an id that were dropped where pages overlap
	merged   []value.Value
	more     bool
	last     bool        // the host says that no other page is to be asked for
	cuts     []CutReason // why the fetch is cut short; nil if it is not

	failure     *Failure // of the latest request, for a retry that is used up
	retried     int      // the page that a retry directive repeats
	idempotency string   // the key of the request under way
	repeats     bool     // a retry directive repeats a request that failed

	ahead *ahead // the next page, already asked for

	time       int64  // of the first request
	latest     int64  // of the current page, see Reply
	updateFrom string // the field, or ""
	// The new sync position: the greatest value of the field over the items, or
	// what updateFrom gave.
	greatest    value.Value
	noOrder     bool // no greatest one can be told
	future      int  // values of the field that lie in the future
	futureFirst value.Value
	spoiled     bool // an item has failed that its pages went through
	held        bool // the host was told that the position must not move
	anew        bool // the position was reset: a retry directive begins with the first page
}

// fetchEffect runs the instructions of a request.
func (t *Task) fetchEffect(f *frame, op bytecode.Op, rest []byte, args []value.Value) (value.Value, int, error) {
	switch op {
	case bytecode.LastSync, bytecode.ShiftSync, bytecode.UpdateFrom, bytecode.ResetSync:
		v, err := t.syncEffect(f, op, rest, args)
		return v, next, err
	case bytecode.PageParam:
		return f.pages[u16(rest, 0)].param, next, nil
	case bytecode.PageItems:
		return f.pages[u16(rest, 0)].taken(), next, nil
	case bytecode.MorePages:
		p := &f.pages[u16(rest, 0)]
		if !p.more {
			return value.NullValue, next, nil
		}
		p.more = false // until the next page says so
		p.before += len(p.items)
		return value.NullValue, u32(rest, 2), t.cancelled()
	}
	info, p := &t.m.prog.Fetches[u16(rest, 0)], &f.pages[u16(rest, 2)]
	if op == bytecode.Open {
		return value.NullValue, next, t.beginFetch(p, info, u16(rest, 0), args[0])
	}
	if p.fetch != info || !p.open {
		return value.NullValue, next, errBadProgram
	}
	switch op {
	case bytecode.Fetch:
		if err := writable(args); err != nil {
			return value.NullValue, next, err
		}
		failed, err := t.fetchPage(f, p, args[0], args[1])
		if failed && err == nil { // the verifier lets a Fetch without target through
			if u32(rest, 4) == 0 {
				return value.NullValue, next, errBadProgram
			}
			return value.NullValue, u32(rest, 4), nil
		}
		return value.NullValue, next, err
	case bytecode.Judge:
		if args[0].Kind() != value.Array {
			return value.NullValue, next, errBadProgram
		}
		p.judged = args[0].Elems()
		return value.NullValue, next, nil
	case bytecode.Ahead:
		if err := writable(args); err != nil {
			return value.NullValue, next, err
		}
		t.fetchAhead(f, p, args[0], args[1])
		return value.NullValue, next, nil
	case bytecode.PageDone:
		if !p.came {
			return value.NullValue, next, errBadProgram
		}
		return t.pageDone(p, args[0], args[1], u32(rest, 4))
	case bytecode.PageError:
		if !p.came || t.caught == nil || u32(rest, 4) == 0 {
			return value.NullValue, next, errBadProgram
		}
		return t.pageFailed(p, t.caught, u32(rest, 4))
	}
	t.closeFetch(f, p) // bytecode.Close
	return value.NullValue, next, nil
}

// beginFetch resets the state for a new fetch. One whose page failed goes on with that
// page, if a retry directive says so.
func (t *Task) beginFetch(p *pageState, info *bytecode.FetchInfo, index int, sync value.Value) error {
	p.abandon()
	if p.repeats && p.fetch == info && info.Page != bytecode.PageNone && !p.anew {
		p.open, p.repeats = true, false
		return nil
	}
	fresh := pageState{index: index, fetch: info, open: true, param: firstParam(info.Page)}
	if p.repeats {
		// The same request once more carries the same Idempotency-Key, so that the
		// server can tell.
		fresh.idempotency = p.idempotency
	}
	*p = fresh
	return t.beginSync(p, sync)
}

// fetchPage makes the request of the next page. failed reports that it failed
// and that the match behind the step is to handle it.
func (t *Task) fetchPage(f *frame, p *pageState, path, options value.Value) (failed bool, err error) {
	if err := t.cancelled(); err != nil {
		return false, err
	}
	if p.number == 0 {
		if err := p.configure(options); err != nil {
			return false, err
		}
	}
	reply, err := t.reply(f, p, path, options)
	if err != nil {
		return false, err
	}
	t.failed, t.last, p.failure = reply.Failure, reply.Failure, reply.Failure
	t.code, t.headers = reply.Status, reply.Headers
	if reply.Failure != nil {
		t.holdFetch(p)
		if !p.fetch.Handled {
			t.failed = nil
			return false, errors.New(reply.Failure.Text)
		}
		t.setResponse(reply.Failure.Envelope)
		t.status = reply.Status
		return true, nil
	}
	t.setResponse(reply.Body)
	t.status = reply.Status
	p.number++
	if p.number == 1 {
		p.time = reply.Time
	}
	p.linked, p.total, p.asked = reply.Linked, reply.Total, p.next
	p.latest = reply.Latest
	p.body, p.last, p.came = reply.Body, reply.Last, true
	if p.fetch.Page == bytecode.PageLink {
		p.next = reply.Next // to other ways of paginating the header means nothing
	}
	if p.fetch.Page == bytecode.PageNone {
		p.idempotency = "" // the next one is another request
		p.items = itemsOf(reply.Body)
		if !p.last {
			p.only()
		}
		return false, p.track()
	}
	t.answer = reply
	return false, nil
}

// judges reports whether failWhen says what is no good answer.
func (p *pageState) judges() bool {
	return p.fetch.Judges != nil && p.fetch.Judges.FailWhen != bytecode.None
}

// only reads what the answer to a request without pages says beside its items.
func (p *pageState) only() {
	if !p.judges() {
		if why := partial(p.body, ""); why != "" {
			p.cutShort(CutErrors, "%s", why)
		} else if why := refusal(p.body, ""); why != "" && !p.fetch.Handled {
			p.cutShort(CutErrors, "%s", why)
		}
	}
	if p.fetch.Single {
		return
	}
	sign := moreSign(p.body, "")
	if p.linked && sign == "" && (p.body.Kind() == value.Array || p.body.Kind() == value.Object && len(arrayFields(p.body)) > 0) {
		sign = "its Link header"
	}
	if sign == "" {
		sign = p.onlyTotal()
	}
	if sign != "" {
		p.cutShort(CutNext, "has the first page only: the answer says in %s that there is more; say how its pages follow with `paginate`, or `paginate: none` if this one is meant", sign)
	}
}

// pageDone takes the current page into the fetch. A page that is not what it
// should be leaves the fetch as it was before.
func (t *Task) pageDone(p *pageState, until, to value.Value, target int) (value.Value, int, error) {
	before := *p
	err := error(nil)
	if t.status == http.StatusAccepted && p.body.IsNull() {
		err = fmt.Errorf("page %d has the status 202 and no body: the server has accepted the request and not answered it yet", p.number)
	} else {
		err = p.done(t.answer, until, to)
	}
	if err != nil {
		*p = before
		return t.pageFailed(p, err, target)
	}
	t.answer = nil
	return value.NullValue, next, nil
}

// pageFailed makes a page that is not what it should be the failure of its
// request, which a match may take: target is where that is, or 0. A retry
// directive then asks for that page again.
func (t *Task) pageFailed(p *pageState, err error, target int) (value.Value, int, error) {
	p.came, p.next = false, p.asked
	p.number--
	answer := t.answer
	t.answer = nil
	if answer == nil || answer.Reject == nil {
		return value.NullValue, next, err
	}
	failure := answer.Reject(err)
	if target == 0 {
		return value.NullValue, next, errors.New(failure.Text)
	}
	t.failed, t.last, p.failure = failure, failure, failure
	t.holdFetch(p)
	t.setResponse(failure.Envelope)
	t.status = answer.Status
	return value.NullValue, target, nil
}

// taken gives what the step that the pages go through works on: the items of the
// current page. A step that takes something else of the response gets that of
// the last page, once.
func (p *pageState) taken() value.Value {
	if !p.aside {
		return value.FromArray(p.items)
	}
	if p.more {
		return value.FromArray(nil)
	}
	v, _ := lookUp(p.body, p.fetch.Taken)
	return v
}

// reply gives the answer to the request of the next page, which may have been
// asked for ahead.
func (t *Task) reply(f *frame, p *pageState, path, options value.Value) (reply *Reply, err error) {
	e, err := t.begin(f, bytecode.Fetch)
	if err != nil {
		return nil, err
	}
	defer func() { t.end(e, err) }()
	if a := p.ahead; a != nil {
		p.ahead = nil
		return a.wait()
	}
	r, err := t.request(f, p, e, path, options)
	if err != nil {
		return nil, err
	}
	return t.host.Fetch(t.ctx, r)
}

// request builds the request of the next page.
func (t *Task) request(f *frame, p *pageState, e Effect, path, options value.Value) (*Request, error) {
	r := Request{Fetch: p.fetch, Options: options, At: t.at(f, f.pc), Effect: e}
	switch {
	case p.next != "":
		r.Path, r.Next = p.next, true
	case path.Kind() == value.String && path.Str() != "":
		r.Path = path.Str()
	default:
		return nil, fmt.Errorf("the path of a request must be text, found %s", value.Describe(path))
	}
	if !p.fetch.PageCarried {
		r.Param = p.param
	}
	if j := p.fetch.Judges; j != nil {
		r.FailWhen, r.RetryWhen, r.RetryWait = t.judge(f, p, j.FailWhen), t.judge(f, p, j.RetryWhen), t.judge(f, p, j.RetryWait)
	}
	if err := checkPath(r.Path); err != nil {
		return nil, err
	}
	if p.idempotency == "" && (p.fetch.Method == "POST" || p.fetch.Method == "PATCH") {
		p.idempotency = uuidText(e.ID(0))
	}
	r.IdempotencyKey = p.idempotency
	return &r, nil
}

// judge gives what works out a function over an answer. It is a task of its own,
// for the request may be made ahead, beside what this task does then.
func (t *Task) judge(f *frame, p *pageState, fn int) Judge {
	if fn == bytecode.None {
		return nil
	}
	m, host, action, args := t.m, t.host, f.action, p.judged
	return func(ctx context.Context, a *Answer) (value.Value, error) {
		child := m.newTask(ctx, host, nil)
		defer m.release(child)
		child.response, child.code, child.status, child.headers = a.Response, a.Status, a.Status, a.Headers
		child.push(fn, action)
		copy(child.stack[:m.funcs[fn].Args], args)
		v, err := child.execute()
		if err != nil {
			return v, err
		}
		return v, nil
	}
}

// ahead is a page that is asked for while the task works on the one before. It
// is no part of the task's state: a task that goes on elsewhere asks again.
type ahead struct {
	done   chan struct{}
	cancel context.CancelFunc
	reply  *Reply
	err    error
}

// fetchAhead asks for the next page, if there is one. A request that can't be
// made is told when its turn comes.
func (t *Task) fetchAhead(f *frame, p *pageState, path, options value.Value) {
	if !p.more || p.ahead != nil {
		return
	}
	// The request counts when its turn comes, asked for ahead or not.
	e := Effect{Path: slices.Clone(t.path), Count: -1, Op: bytecode.Ahead, Func: f.fn, PC: f.pc}
	r, err := t.request(f, p, e, path, options)
	if err != nil {
		return
	}
	ctx, cancel := context.WithCancel(t.ctx)
	a := &ahead{done: make(chan struct{}), cancel: cancel}
	p.ahead = a
	host := t.host
	go func() {
		defer close(a.done)
		a.reply, a.err = host.Fetch(ctx, r)
	}()
}

// wait gives the answer.
func (a *ahead) wait() (*Reply, error) {
	<-a.done
	a.cancel()
	return a.reply, a.err
}

// abandon gives up a page that was asked for ahead, and waits until nothing of
// it is left.
func (p *pageState) abandon() {
	if a := p.ahead; a != nil {
		p.ahead = nil
		a.cancel()
		<-a.done
	}
}

// checkPath refuses a path that climbs, whether a value, several of them side by
// side, or dots around one make its `..`. Escaped dots climb like plain ones: to
// a server that decodes the path before it looks at it they are the same.
func checkPath(path string) error {
	path, _, _ = strings.Cut(path, "?")
	if !strings.HasPrefix(path, ".") && !strings.Contains(path, "/.") && !strings.Contains(path, "%2") {
		return nil
	}
	for part := range strings.SplitSeq(path, "/") {
		if dots := plainDots.Replace(part); dots == "." || dots == ".." {
			return fmt.Errorf("the path %s has a segment `%s`, which leads to another place", path, part)
		}
	}
	return nil
}

var plainDots = strings.NewReplacer("%2E", ".", "%2e", ".")

// configure reads the options that steer the pages, on the first one.
func (p *pageState) configure(options value.Value) error {
	o, err := option.At(option.InRequest).Decode(options)
	if err != nil {
		return err
	}
	p.maxPages, p.maxItems, p.size = o.Int64("maxPages"), o.Int64("maxItems"), o.Int64("paginate.size")
	p.updateFrom, p.allowCut = value.Text(o.Value("updateFrom")), o.Bool("allowCut")
	return nil
}

// firstParam gives the page parameter of the first page.
func firstParam(kind bytecode.PageKind) value.Value {
	switch kind {
	case bytecode.PageNumber:
		return value.FromInt(1)
	case bytecode.PageOffset:
		return value.FromInt(0)
	}
	return value.NullValue
}

// done takes the current page into the fetch: its items, and whether another
// page follows. until is what `until` gave, if there is one.
//
// to is what the expression gave that says what the next page is.
func (p *pageState) done(answer *Reply, until, to value.Value) error {
	if err := p.findItems(); err != nil {
		return err
	}
	if err := p.repeated(); err != nil {
		return err
	}
	p.most = max(p.most, int64(len(p.items)))
	if p.fetch.Page == bytecode.PageOffset {
		p.seam()
	}
	p.empties++
	if len(p.items) > 0 {
		p.empties = 0
	}
	if p.empties > maxEmptyPages {
		return fmt.Errorf("%d empty pages in a row, and `until` does not hold", p.empties)
	}
	if !p.judges() {
		why := ""
		if len(p.items) > 0 {
			why = partial(p.body, p.path)
		} else {
			why = refusal(p.body, p.path)
		}
		if why != "" {
			p.cutShort(CutErrors, "%s", why)
		}
	}
	if p.number == 1 && p.fetch.Page == bytecode.PageNumber && len(p.items) > 0 {
		if sign := beforeSign(p.body); sign != "" {
			p.cutShort(CutBefore, "begins with page 1, which says in %s that there is a page before it: where the server counts from 0, send `%s - 1` for `%[2]s` in the params", sign, p.fetch.PageParam)
		}
	}
	p.hadUntil = p.hadUntil || p.untilReads()
	if err := p.decide(answer, until, to); err != nil {
		return err
	}
	p.more = p.more && !p.last
	p.limit()
	if !p.more && !p.last {
		p.saysMore(p.fetch.Until && value.Truth(until))
	}
	if err := p.track(); err != nil {
		return err
	}
	if !p.fetch.Stream {
		p.merged = append(p.merged, p.items...)
	}
	p.previous = p.body
	p.came = false
	p.idempotency = "" // the next page is another request
	return nil
}

// saysMore reads on the last page whether there is more all the same: then most
// likely the way to paginate, or its path, is not the server's. Where `until` has
// ended the fetch that is its word, unless no page had what it reads: a field
// that is missing is null, and `not` makes true of it.
func (p *pageState) saysMore(ended bool) {
	if p.isCut(CutLimit) || p.isCut(CutCursor) {
		return // that is why
	}
	if ended {
		p.untilMissed()
		return
	}
	sign := moreSign(p.body, p.fetch.Cursor)
	if sign == "" && p.linked && p.fetch.Page != bytecode.PageLink && (p.body.Kind() == value.Array || p.body.Kind() == value.Object && len(arrayFields(p.body)) > 0) {
		sign = "its Link header"
	}
	if sign == "" {
		sign = p.endTotal()
	}
	if sign != "" {
		p.cutShort(CutNext, "has ended on a page that says in %s that there is more: does `paginate` name what the server goes by?", sign)
	}
}

// isCut reports whether the fetch is cut short for a reason of that kind.
func (p *pageState) isCut(kind CutKind) bool {
	return slices.ContainsFunc(p.cuts, func(c CutReason) bool { return c.Kind == kind })
}

// decide says whether another page follows, and with what parameter.
func (p *pageState) decide(answer *Reply, until, to value.Value) error {
	p.more = true
	switch p.fetch.Page {
	case bytecode.PageNumber:
		p.more = len(p.items) > 0
		p.param = value.FromInt(p.param.Int() + 1)
	case bytecode.PageOffset:
		p.more = len(p.received) > 0
		step := p.step()
		p.overlap = max(p.size, int64(len(p.received))) - step
		p.param = value.FromInt(p.param.Int() + step)
	case bytecode.PageLink:
		p.more = p.next != ""
	case bytecode.PageCursor:
		return p.decideCursor(until, to)
	case bytecode.PageNext:
		return p.decideNext(answer, until, to)
	}
	if p.fetch.Until {
		// `until` decides, but no page can follow where nothing tells which.
		p.more = !value.Truth(until) && (p.fetch.Page != bytecode.PageLink || p.next != "")
	}
	if p.more && p.fetch.Page == bytecode.PageLink {
		return p.follow(p.next, "link")
	}
	return nil
}

// maxTwins is how many pages in a row of an offset pagination may be like the one
// before.
const maxTwins = 20

// repeated refuses a page that is the one before once more. Where the pages of
// an offset pagination overlap, because the server leaves records out of them,
// two like ones may follow each other; that ends when the step has gone over
// all of them.
func (p *pageState) repeated() error {
	if len(p.items) == 0 || p.number == 1 || !value.Equal(p.previous, p.body) {
		p.twins = 0
		return nil
	}
	p.twins++
	why := "the server does not seem to heed the page parameter " + p.fetch.PageParam
	switch p.fetch.Page {
	case bytecode.PageLink:
		why = "its Link header leads in a circle"
	case bytecode.PageNext:
		why = "what next() gives leads in a circle"
	case bytecode.PageOffset:
		if p.twins <= maxTwins && int64(p.twins)*p.most < p.size {
			return nil
		}
	}
	return fmt.Errorf("page %d is identical to the one before: %s", p.number, why)
}

// step gives how far an offset goes on: by the greatest number of items that a
// page has had, for a server may cap its pages below the size asked for, and
// some of the first ones may leave records out.
func (p *pageState) step() int64 {
	if p.most == 0 || p.most > p.size {
		return p.size
	}
	return p.most
}

// seam drops the items at the start of an offset pagination's page that the end
// of the page before has had: so many at most as the two overlap.
func (p *pageState) seam() {
	before := p.received
	p.received = p.items
	for n := min(int64(len(before)), int64(len(p.items)), p.overlap); n > 0; n-- {
		if slices.EqualFunc(before[int64(len(before))-n:], p.items[:n], value.Equal) {
			for _, item := range p.items[:n] {
				if idOf(item).IsNull() {
					p.dropped++ // nobody can tell it from another like it
				}
			}
			p.items = p.items[n:]
			return
		}
	}
}

// follow notes what leads to the next page. What led to a page of this fetch
// before leads in a circle.
func (p *pageState) follow(to, what string) error {
	if _, ok := p.seen[to]; ok {
		return fmt.Errorf("page %d gives the %s %s a second time: the pages go in a circle", p.number, what, value.Describe(value.FromString(to)))
	}
	if p.seen == nil {
		p.seen = map[string]struct{}{}
	}
	p.seen[strings.Clone(to)] = struct{}{}
	return nil
}

// decideNext goes on at the address that an expression gave.
func (p *pageState) decideNext(answer *Reply, until, to value.Value) error {
	p.next = ""
	none := to.IsNull() || to.Kind() == value.Bool && !to.Bool() || to.Kind() == value.String && to.Str() == ""
	if none || p.fetch.Until && value.Truth(until) {
		p.more = false
		return nil
	}
	if to.Kind() != value.String {
		return fmt.Errorf("the address of the next page must be text, found %s", value.Describe(to))
	}
	if answer == nil || answer.Resolve == nil {
		return errBadProgram
	}
	address, err := answer.Resolve(to.Str())
	if err != nil {
		return fmt.Errorf("the next page's address %w", err)
	}
	p.next = address
	return p.follow(address, "address")
}

func (p *pageState) decideCursor(until, to value.Value) error {
	cursor, there := to, true
	if p.fetch.Cursor != "" {
		cursor, there = lookUp(p.body, p.fetch.Cursor)
	}
	p.hadNext = p.hadNext || there
	if !there && p.number == 1 && len(p.items) > 0 && !(p.fetch.Until && value.Truth(until)) {
		if meant := misspelt(p.body, p.fetch.Cursor); meant != "" {
			return fmt.Errorf("the first page has nothing in %s, where paginate says that the next cursor is, but it has %s: write %q", p.fetch.Cursor, meant, meant)
		}
	}
	switch cursor.Kind() {
	case value.Array, value.Object, value.Bool:
		if cursor.Kind() == value.Bool && !cursor.Bool() {
			p.more = false
			return nil
		}
		return fmt.Errorf("the next cursor must be text or a number, found %s%s", value.Describe(cursor), in(p.fetch.Cursor))
	}
	text := value.Text(cursor)
	if text == "" || p.fetch.Until && value.Truth(until) {
		p.more = false
		// A null is the server's word that this was all. Nothing at all, where
		// more is to be expected, rather is a path that is misspelt.
		expected := p.fetch.Until && !value.Truth(until) || p.size > 0 && int64(len(p.items)) >= p.size
		if !there && p.number == 1 && len(p.items) > 0 && expected {
			p.cutShort(CutCursor, "ended early: the first page has nothing in %s, where paginate says that the next cursor is", p.fetch.Cursor)
		}
		return nil
	}
	p.param = value.Clone(cursor)
	return p.follow(text, "cursor")
}

// in says where something was found, if that has a path.
func in(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}

// limit applies maxItems, which cuts exactly, and maxPages.
func (p *pageState) limit() {
	if p.maxItems > 0 && int64(p.before+len(p.items)) >= p.maxItems {
		keep := max(p.maxItems-int64(p.before), 0) // a damaged snapshot may say that there were more
		if int64(len(p.items)) > keep || p.more {
			p.cutShort(CutLimit, "ended early at maxItems: %d", p.maxItems)
		}
		p.items, p.more = p.items[:keep], false
	}
	if p.more && p.maxPages > 0 && int64(p.number) >= p.maxPages {
		p.cutShort(CutLimit, "ended early at maxPages: %d", p.maxPages)
		p.more = false
	}
}

// cutShort notes that the fetch does not fetch everything, and why. The text
// follows the word "Fetch" in what a person reads. Of several reasons of one
// kind the first counts.
func (p *pageState) cutShort(kind CutKind, format string, args ...any) {
	if p.isCut(kind) || p.allowCut && kind.onPurpose() {
		return
	}
	p.cuts = append(p.cuts, CutReason{Kind: kind, Text: fmt.Sprintf(format, args...)})
}

// closeFetch ends a fetch: the merged response, and the new sync position.
func (t *Task) closeFetch(f *frame, p *pageState) {
	p.abandon()
	p.open = false
	if p.fetch.Page != bytecode.PageNone {
		if p.path == "" && p.body.Kind() == value.Object {
			p.path = p.emptyPath()
		}
		status := t.status
		t.setResponse(t.merge(p))
		t.status = status
		if p.path != "" && !p.fetch.Stream {
			t.items = p.path
		}
	}
	p.notices(t, f)
	t.closeSync(f, p)
	*p = pageState{index: p.index, fetch: p.fetch, sync: p.sync} // `reset position` may follow
}

// notices tells what a person should know of a fetch that has ended well.
func (p *pageState) notices(t *Task, f *frame) {
	if p.last {
		return // nothing was asked
	}
	if p.fetch.Page == bytecode.PageCursor && !p.hadNext && !p.isCut(CutCursor) && p.before+len(p.items) > 0 {
		t.host.Notice(&Notice{Kind: NoticeCursor, At: t.at(f, f.pc),
			Text: fmt.Sprintf("No page of the fetch had anything in %s, where paginate says that the next cursor is: is the path right?", p.fetch.Cursor)})
	}
	if p.dropped > 0 {
		t.host.Notice(&Notice{Kind: NoticeSeam, At: t.at(f, f.pc),
			Text: fmt.Sprintf("Where pages of the fetch overlap, items without an id came again and were dropped: %d", p.dropped)})
	}
}

// merge gives the merged response. Of a streamed fetch nothing is left: its
// pages have gone through the step that follows.
func (t *Task) merge(p *pageState) value.Value {
	if p.fetch.Stream {
		return value.NullValue
	}
	items := value.FromArray(p.merged)
	if p.path == "" {
		return items
	}
	last := p.body
	if last.Kind() != value.Object {
		last = value.NewObjectBuilder(t.m.shapes, 1).Value()
	}
	return setPath(t.m.shapes, last, p.path, items)
}
