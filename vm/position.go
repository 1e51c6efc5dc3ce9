package vm

import (
	"fmt"

	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// farAhead is from how many milliseconds ahead of both sides' clocks on a time
// is none that a sync can have come to: it is a sentinel, or of a clock that is
// wrong. Clocks, and dates without a time in far zones, differ by less.
const farAhead = 24 * 60 * 60 * 1000

// notModified is the HTTP status of an answer that says that nothing has changed.
const notModified = 304

// SyncKey is what the sync position of a fetch is kept by, and how its values
// are read. It is plain data.
type SyncKey struct {
	Key    string // in the state; "" where the fetch has no position
	Origin string // scheme and host that the fetch asks, or "" if unknown
	Format string // sinceFormat, or ""
	Zone   string // sinceZone, or ""
	Opaque bool   // updateFrom is worked out: the position is given back as it is
}

// Reader returns what reads the key's positions as times.
func (k *SyncKey) Reader() (r value.TimeReader, err error) {
	switch k.Format {
	case "timestamp":
		r.Unit = 1000
	case "epoch":
		r.Unit = 1
	}
	if k.Zone != "" {
		if r.Zone, err = value.Zone(k.Zone); err != nil {
			return r, fmt.Errorf("option sinceZone: %w", err)
		}
	}
	return r, nil
}

// Position returns a saved position as lastSync gives it: as a timestamp where it
// reads as a time, unless it is opaque.
func (k *SyncKey) Position(saved value.Value) value.Value {
	if k.Opaque {
		return saved
	}
	r, err := k.Reader()
	if err != nil {
		return saved // begin has told
	}
	if t, ok := r.Read(saved); ok {
		return value.FromTime(t.Milliseconds())
	}
	return saved
}

// beginSync finds the sync position of a fetch that begins. sync has what it is
// kept by and read with, see bytecode.Open.
func (t *Task) beginSync(p *pageState, sync value.Value) error {
	if !p.fetch.Incremental {
		return nil
	}
	k := SyncKey{Opaque: p.fetch.Opaque}
	for _, o := range []struct {
		name string
		into *string
	}{{"format", &k.Format}, {"zone", &k.Zone}} {
		if v := value.Field(sync, o.name); v.Kind() == value.String {
			*o.into = v.Str()
		} else if !v.IsNull() {
			return fmt.Errorf("option since: %s must be text, found %s", o.name, value.Describe(v))
		}
	}
	if _, err := k.Reader(); err != nil {
		return err
	}
	key, path := value.Field(sync, "key"), value.Field(sync, "path")
	name := value.Text(path)
	if key.IsNull() && path.IsNull() {
		return nil // the request will fail by its path
	}
	if !key.IsNull() {
		text, err := KeyText(key)
		if err != nil {
			return fmt.Errorf("syncKey: %w", err)
		}
		name = text
	}
	k.Key, k.Origin = t.host.SyncKey(p.fetch.Source, name, value.Text(path), value.Field(sync, "parts"))
	p.sync = k
	return nil
}

// syncEffect runs the instructions of sync positions.
func (t *Task) syncEffect(f *frame, op bytecode.Op, rest []byte, args []value.Value) (value.Value, error) {
	p := &f.pages[u16(rest, 0)]
	switch op {
	case bytecode.LastSync:
		if !p.open {
			return value.NullValue, errBadProgram
		}
		return t.host.Position(&p.sync, t.at(f, f.pc)), nil
	case bytecode.ShiftSync:
		if !p.open {
			return value.NullValue, errBadProgram
		}
		return t.shiftSync(f, p, bytecode.ShiftMode(rest[2]), args[0], args[1])
	case bytecode.UpdateFrom:
		if !p.open || !p.fetch.Incremental {
			return value.NullValue, errBadProgram
		}
		if t.status == notModified {
			return value.NullValue, nil // the answer holds nothing: the position is where it was
		}
		return value.NullValue, p.takeOpaque(bytecode.PositionUse(rest[2]), args[0])
	case bytecode.ResetSync:
		if p.sync.Key == "" {
			return value.NullValue, nil // nothing was asked for yet
		}
		e, err := t.begin(f, op)
		if err != nil {
			return value.NullValue, err
		}
		err = t.host.ResetPosition(&p.sync, p.held)
		t.end(e, err)
		p.held, p.anew = false, true
		return value.NullValue, err
	}
	return value.NullValue, errBadProgram
}

// shiftSync gives `lastSync - d` or `lastSync + d`, where at is the position. Of
// one that is no time there is nothing so much earlier: nothing is sent then, and
// everything is fetched. What a run has saved must not fail the next one.
func (t *Task) shiftSync(f *frame, p *pageState, mode bytecode.ShiftMode, at, d value.Value) (value.Value, error) {
	operate, sign := value.Add, "+"
	if mode&bytecode.ShiftBack != 0 {
		operate, sign = value.Sub, "-"
	}
	reader, err := p.sync.Reader()
	if err != nil {
		return value.NullValue, err
	}
	instant, isTime := reader.Read(at)
	switch {
	case !d.IsNumber():
		v, err := operate(at, d)
		if err == nil || at.Kind() == value.Time || d.Kind() != value.Time && d.Kind() != value.String {
			return v, err
		}
	case isTime:
		if v, err := operate(value.FromTime(instant.Milliseconds()), d); err == nil {
			return v, nil
		}
		// Beyond the times that can be written: all there is, or nothing.
		if value.Float64(d) > 0 == (mode&bytecode.ShiftBack != 0) {
			return value.FromTime(value.MinTime), nil
		}
		return value.FromTime(value.MaxTime), nil
	case at.IsNumber() && mode&bytecode.ShiftPlain != 0:
		if v, err := operate(at, d); err == nil {
			return v, nil
		}
	}
	t.host.Notice(&Notice{Kind: NoticeNoTime, At: t.at(f, f.pc), Text: fmt.Sprintf(
		"The sync position %s is no time, so that `lastSync %s` a duration is nothing: it is not sent, and everything is fetched", value.Describe(at), sign)})
	return value.NullValue, nil
}

// takeOpaque makes v, which updateFrom gave, the new position. Null leaves the
// position where it was.
func (p *pageState) takeOpaque(use bytecode.PositionUse, v value.Value) error {
	if v.IsNull() {
		p.greatest = v
		return nil
	}
	if value.TooDeep(v) {
		return errTooDeep
	}
	if use == bytecode.UseInPath {
		// The next run is to ask for it.
		if v.Kind() != value.String || v.Str() == "" {
			return fmt.Errorf("updateFrom gives the path of the next run's request, which must be text, found %s", value.Describe(v))
		}
		if err := checkPath(v.Str()); err != nil {
			return fmt.Errorf("updateFrom gives the path of the next run's request: %w", err)
		}
	}
	p.greatest = value.Clone(v)
	return nil
}

// track keeps the greatest value of updateFrom over the items of the page.
// Nulls and empty texts are passed over, and so are times that nothing can have
// been changed at yet: one record with 9999-12-31 would end the sync for ever.
func (p *pageState) track() error {
	if p.updateFrom == "" || p.sync.Key == "" || p.noOrder {
		return nil
	}
	reader, err := p.sync.Reader()
	if err != nil {
		return err
	}
	top, topIsTime := reader.Read(p.greatest)
	request := value.FromTime(p.time)
	for _, item := range p.items {
		v, _ := lookUp(item, p.updateFrom)
		if v.IsNull() || v.Kind() == value.String && v.Str() == "" {
			continue
		}
		at, isTime := reader.Read(v)
		if ms := at.Milliseconds(); isTime && p.latest != 0 && ms > p.latest {
			if ms > p.latest+farAhead {
				if p.future++; p.future == 1 {
					p.futureFirst = value.Clone(v)
				}
				continue
			}
			// The clocks differ, or it is a date of a zone that is ahead.
			v = request
			at, _ = reader.Read(v)
		}
		later := p.greatest.IsNull()
		switch {
		case later:
		case isTime && topIsTime:
			later = at.Compare(top) > 0
		default:
			order, ok := reader.Compare(v, p.greatest)
			if !ok {
				p.cutShort(CutUpdateFrom, "found values in %s that have no order, such as %s and %s: nobody knows up to where it has come",
					p.updateFrom, value.Describe(p.greatest), value.Describe(v))
				p.noOrder = true
				return nil
			}
			later = order > 0
		}
		if later {
			p.greatest, top, topIsTime = value.Clone(v), at, isTime
		}
	}
	return nil
}

// hasOrder reports whether a position can be told earlier or later than others
// of its kind.
func hasOrder(v value.Value) bool {
	return v.Kind() == value.String || v.Kind() == value.Time || v.IsNumber()
}

// closeSync tells the host how a fetch has ended, and with what position.
func (t *Task) closeSync(f *frame, p *pageState) {
	if p.future > 0 {
		values, were := "1 value of %s lies", "was"
		if p.future > 1 {
			values, were = fmt.Sprint(p.future)+" values of %s lie", "were"
		}
		t.host.Notice(&Notice{Kind: NoticeFuture, At: t.at(f, f.pc), Text: fmt.Sprintf(
			values+" in the future, such as %s, and %s passed over for the sync position", p.updateFrom, value.Describe(p.futureFirst), were)})
	}
	if p.updateFrom != "" && p.sync.Key != "" && len(p.cuts) == 0 && p.future == 0 && p.greatest.IsNull() && p.before+len(p.items) > 0 {
		p.cutShort(CutUpdateFrom, "found no %s in any item", p.updateFrom)
	}
	if p.updateFrom != "" && p.sync.Key != "" && !p.greatest.IsNull() && !hasOrder(p.greatest) {
		p.cutShort(CutUpdateFrom, "found %s in %s, which is neither a time nor text nor a number", value.Describe(p.greatest), p.updateFrom)
	}
	if len(p.cuts) > 0 {
		t.host.CutShort(&Cut{Reasons: p.cuts, Held: p.sync.Key != "", At: t.at(f, f.pc)})
	}
	if p.sync.Key == "" {
		return
	}
	end := Fetched{SyncKey: p.sync, Held: len(p.cuts) > 0 || p.spoiled, Rises: p.updateFrom != ""}
	if p.updateFrom != "" || p.fetch.Opaque {
		end.Position = p.greatest
	} else {
		end.Position = value.FromTime(p.time)
	}
	t.host.Fetched(&end)
	if !end.Held {
		t.closed.keys = append(t.closed.keys, p.sync.Key)
	}
}

// holdFetch keeps the sync position of a fetch that failed where it is.
func (t *Task) holdFetch(p *pageState) {
	if p.open && p.sync.Key != "" {
		t.host.Fetched(&Fetched{SyncKey: p.sync, Held: true})
		p.held = true
	}
	p.abandon()
	p.open = false
}
