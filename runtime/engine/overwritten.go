package engine

import (
	"fmt"
	"hash/maphash"
	"sync"

	"reqon/runtime/store"
	"reqon/runtime/telemetry"
	"reqon/vm"
	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// maxKeysSeen is how many keys of a store step are remembered in a run. A key
// that is not unique shows among the first ones, and memory stays flat.
const maxKeysSeen = 4096

// maxWatched is how many records of a step are looked at where none of them has
// taken another's place.
const maxWatched = 10 * maxKeysSeen

// overwritten watches for records that take the place of others which the same
// step has stored in the same run: nothing else tells of a key that is not
// unique, for the one that is lost counts as updated.
type overwritten struct {
	mu    sync.Mutex
	seed  maphash.Seed
	steps map[bytecode.Pos]*storeStep
}

// storeStep is what is known of one store step.
type storeStep struct {
	store    string
	seen     map[uint64]struct{} // hashes of the first keys
	records  int
	lost     int    // records of this run that others took the place of, at least
	key      string // of the first such one, if it is known
	envelope bool   // that a whole page was stored was told
}

// overwriting is a batch on its way.
type overwriting struct {
	step  *storeStep
	only  uint64         // the hash of the only record's key
	fresh map[uint64]int // of several: hashes of keys that the step has not stored before, and where the record is
	again int            // records with a key that it has
	twice int            // records that take the place of another one of the batch
	key   string
}

// begin looks at a batch before it is stored.
func (o *overwritten) begin(s *runStore, p *vm.Put, recs []store.Record) (w overwriting) {
	if p.Merge || s.append || s.history || s.key != nil {
		return w
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.steps == nil {
		o.steps, o.seed = map[bytecode.Pos]*storeStep{}, maphash.MakeSeed()
	}
	step := o.steps[p.At.Pos]
	if step == nil {
		step = &storeStep{store: s.name, seen: map[uint64]struct{}{}}
		o.steps[p.At.Pos] = step
	}
	if step.lost == 0 && step.records >= maxWatched {
		return w
	}
	w.step = step
	if len(recs) == 1 {
		// A loop stores them one by one: nothing is to be made for each.
		w.only = maphash.String(o.seed, recs[0].Key)
		if _, ok := step.seen[w.only]; ok {
			w.again, w.key = 1, recs[0].Key
		}
		return w
	}
	w.fresh = make(map[uint64]int, min(len(recs), max(0, maxKeysSeen-len(step.seen))))
	for i := range recs {
		h := maphash.String(o.seed, recs[i].Key)
		if _, ok := step.seen[h]; ok {
			w.again++
			if w.key == "" {
				w.key = recs[i].Key
			}
			continue
		}
		j, ok := w.fresh[h]
		switch {
		case ok && recs[j].Key == recs[i].Key && !value.Equal(recs[j].Value, recs[i].Value):
			if w.twice++; w.twice == 1 {
				w.key = recs[i].Key
			}
			w.fresh[h] = i
		case !ok && len(step.seen)+len(w.fresh) < maxKeysSeen:
			w.fresh[h] = i
		}
	}
	return w
}

// done counts a batch that was stored. Of the records whose keys are new to the
// step, those that were not inserted may have been there from before the run;
// what was updated beyond them, the step itself has stored.
func (o *overwritten) done(w overwriting, n int, res store.Result) {
	if w.step == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	lost := w.twice + max(0, min(w.again, res.Updated-max(0, n-w.again-res.Inserted)))
	if lost > 0 && w.step.lost == 0 {
		w.step.key = w.key
	}
	w.step.records += n
	w.step.lost += lost
	if w.fresh == nil && len(w.step.seen) < maxKeysSeen {
		w.step.seen[w.only] = struct{}{}
	}
	for h := range w.fresh {
		w.step.seen[h] = struct{}{}
	}
}

// tellOverwritten tells of each step whose records have taken each other's
// place. Some are the newer states of what changes while it is fetched; where
// it is more than a tenth, most likely the key is not unique.
func (r *run) tellOverwritten() {
	o := &r.overwritten
	o.mu.Lock()
	defer o.mu.Unlock()
	for pos, s := range o.steps {
		if s.lost == 0 {
			continue
		}
		tell, hint := r.log.Info, ""
		if s.lost*10 > s.records {
			tell, hint = r.log.Warn, ": is the key unique? Say `key`, or `upsert: true` if the last one is to win"
		}
		tell(fmt.Sprintf("Store %s: of %d records that the step stored, %d or more took the place of others that it had stored in this run under the same key, such as %q%s",
			s.store, s.records, s.lost, r.engine.cfg.Redactor.Redact(s.key), hint), telemetry.String("at", r.mission.where(pos)))
	}
}

// tellEnvelope warns, once a step, where a whole page was stored as one record:
// it has no id, and the records are in a list in it.
func (r *run) tellEnvelope(s *runStore, p *vm.Put) {
	if p.Keys != nil || len(p.Records) != 1 || s.append || s.key != nil {
		return
	}
	list, n := listOfRecords(p.Records[0])
	if list == "" {
		return
	}
	o := &r.overwritten
	o.mu.Lock()
	step := o.steps[p.At.Pos]
	told := step == nil || step.envelope
	if step != nil {
		step.envelope = true
	}
	o.mu.Unlock()
	if !told {
		r.log.Warn(fmt.Sprintf("Store %s: one record without an id was stored, which holds a list of %d records in %s: store that list if they are meant", s.name, n, list), r.place(p.At)...)
	}
}

// listOfRecords gives the only list of an object without an id, if it has
// elements and each of them is an object with an id.
func listOfRecords(v value.Value) (name string, n int) {
	if v.Kind() != value.Object || !value.Field(v, "id").IsNull() {
		return "", 0
	}
	o := v.Obj()
	for i, slot := range o.Slots() {
		if slot.Kind() != value.Array {
			continue
		}
		if name != "" {
			return "", 0
		}
		name, n = o.Shape().Key(i), len(slot.Elems())
		for _, e := range slot.Elems() {
			if e.Kind() != value.Object || value.Field(e, "id").IsNull() {
				return "", 0
			}
		}
	}
	if n == 0 {
		return "", 0
	}
	return name, n
}
