package vm

import (
	"maps"
	"slices"

	"reqon/vm/bytecode"
	"reqon/vm/snapshot"
	"reqon/vm/value"
)

// write writes the state of a fetch. What is on its way is no part of it: it is
// asked for again.
func (p *pageState) write(w *snapshot.Writer) {
	if p.fetch == nil {
		w.Int(bytecode.None)
		// A retry directive may have left these to the next request.
		w.Text(p.idempotency)
		w.Bool(p.repeats)
		return
	}
	w.Int(int64(p.index))
	w.Text(p.idempotency)
	w.Bool(p.repeats)
	for _, n := range p.numbers() {
		w.Int(*n)
	}
	for _, v := range p.values() {
		w.Value(*v)
	}
	for _, list := range p.lists() {
		w.Value(value.FromArray(*list)) // which may be that of the page
	}
	for _, text := range p.texts() {
		w.Text(*text)
	}
	for _, flag := range p.flags() {
		w.Bool(*flag)
	}
	for _, n := range p.counts() {
		w.Int(int64(*n))
	}
	w.Count(len(p.seen))
	for _, cursor := range slices.Sorted(maps.Keys(p.seen)) {
		w.Text(cursor)
	}
	w.Count(len(p.cuts))
	for _, c := range p.cuts {
		w.Byte(byte(c.Kind))
		w.Text(c.Text)
	}
	writeFailure(w, p.failure)
}

func (p *pageState) numbers() []*int64 {
	return []*int64{&p.size, &p.most, &p.overlap, &p.maxPages, &p.maxItems, &p.time, &p.latest, &p.total}
}

func (p *pageState) values() []*value.Value {
	return []*value.Value{&p.param, &p.body, &p.previous, &p.model, &p.greatest, &p.futureFirst}
}

func (p *pageState) lists() []*[]value.Value {
	return []*[]value.Value{&p.items, &p.received, &p.merged, &p.judged}
}

func (p *pageState) counts() []*int {
	return []*int{&p.number, &p.twins, &p.empties, &p.before, &p.dropped, &p.retried, &p.future}
}

func (p *pageState) flags() []*bool {
	return []*bool{&p.sync.Opaque, &p.noOrder, &p.spoiled, &p.held, &p.anew, &p.open, &p.came, &p.more, &p.last, &p.aside, &p.linked, &p.hadNext, &p.hadUntil, &p.allowCut}
}

func (p *pageState) texts() []*string {
	return []*string{&p.sync.Key, &p.sync.Origin, &p.sync.Format, &p.sync.Zone, &p.next, &p.asked, &p.path, &p.guess, &p.updateFrom}
}

// maxCount bounds what a page counts, so that sums of two don't overflow.
const maxCount = 1 << 53

// page reads the state of a fetch.
func (r *reader) page() (p pageState) {
	p.index = int(r.IntFrom(bytecode.None, int64(len(r.m.prog.Fetches)-1)))
	p.idempotency, p.repeats = r.Text(), r.Bool()
	if r.Err() != nil || p.index == bytecode.None {
		return p
	}
	p.fetch = &r.m.prog.Fetches[p.index]
	for _, n := range p.numbers() {
		*n = r.IntFrom(-maxCount, maxCount)
	}
	for _, v := range p.values() {
		*v = r.Value()
	}
	for _, list := range p.lists() {
		v := r.Value()
		if v.Kind() != value.Array {
			r.Fail("items that are no list")
			return p
		}
		*list = slices.Clip(v.Elems())
		if len(*list) == 0 {
			*list = nil
		}
	}
	for _, text := range p.texts() {
		*text = r.Text()
	}
	for _, flag := range p.flags() {
		*flag = r.Bool()
	}
	for _, n := range p.counts() {
		*n = int(r.IntFrom(0, maxCount))
	}
	for range r.Count() {
		if r.Err() != nil {
			return p
		}
		if p.seen == nil {
			p.seen = map[string]struct{}{}
		}
		p.seen[r.Text()] = struct{}{}
	}
	for range r.Count() {
		if r.Err() != nil {
			return p
		}
		p.cuts = append(p.cuts, CutReason{Kind: CutKind(r.Byte()), Text: r.Text()})
	}
	p.failure = r.failure()
	if why := p.unsound(); why != "" {
		r.Fail("a fetch whose %s", why)
	}
	return p
}

// unsound gives what of a state no fetch can have come to, where the code that
// goes on with it relies on that.
func (p *pageState) unsound() string {
	counted := p.fetch.Page == bytecode.PageNumber || p.fetch.Page == bytecode.PageOffset
	switch {
	case p.open && counted && !p.param.IsInt():
		return "page parameter is no number"
	case p.maxItems > 0 && int64(p.before) > p.maxItems:
		return "items are more than maxItems"
	case min(p.size, p.most, p.overlap, p.maxPages, p.maxItems) < 0:
		return "counts are negative"
	}
	return ""
}
