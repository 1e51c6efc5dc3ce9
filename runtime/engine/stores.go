package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"reqon/runtime/store"
	"reqon/vm"
	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// runStore is a store as one run uses it.
type runStore struct {
	store.Store
	name                                 string
	missing                              missing
	inserted, updated, unchanged, failed atomic.Int64
}

// storeSpec is a store declaration, evaluated.
type storeSpec struct {
	adapter, target string
	options         store.Options
	open            OpenStore
}

// storeSpec evaluates the declaration of a store.
func (r *run) storeSpec(i int) (spec storeSpec, err error) {
	s := &r.mission.prog.Stores[i]
	where := r.mission.position(s.Pos)
	v, err := r.mission.eval(s.Adapter, r)
	if err != nil {
		return spec, fmt.Errorf("store %s: %w", s.Name, err)
	}
	if v.Kind() != value.Array || len(v.Elems()) != 2 {
		return spec, fmt.Errorf("%s: store %s: no adapter was chosen: expected file(…) or memory, found %s", where, s.Name, value.Describe(v))
	}
	spec.adapter = value.Text(v.Elems()[0])
	spec.target = s.Name
	if t := v.Elems()[1]; t.Kind() == value.String {
		spec.target = t.Str()
	} else if !t.IsNull() {
		return spec, fmt.Errorf("%s: store %s: the target must be text, found %s", where, s.Name, value.Describe(t))
	}
	options, err := r.mission.eval(s.Options, r)
	if err != nil {
		return spec, fmt.Errorf("store %s: %w", s.Name, err)
	}
	d := decoder{m: r.mission, what: "store " + s.Name, places: s.OptionPos, object: options}
	spec.options = store.Options{Keep: d.count("keep", 1, 0), TTL: d.time("ttl", 0), Now: r.engine.cfg.Clock.Now}
	if spec.open = r.engine.adapter(spec.adapter); spec.open != nil {
		return spec, d.err
	}
	if err := notAvailable(bytecode.AdapterPart, spec.adapter); err != nil {
		return spec, fmt.Errorf("%s: store %s: %w", where, s.Name, err)
	}
	return spec, fmt.Errorf("%s: store %s: unknown adapter %s", where, s.Name, spec.adapter)
}

// adapter gives what opens the stores of the named adapter, nil if there is no
// such adapter here.
func (e *Engine) adapter(name string) OpenStore {
	switch name {
	case "memory":
		return func(_ string, o store.Options, shapes *value.Shapes) (store.Store, error) {
			return store.NewMemory(shapes, o), nil
		}
	case "file":
		return func(target string, o store.Options, _ *value.Shapes) (store.Store, error) {
			return e.dir.File(target, o)
		}
	}
	return e.cfg.Adapters[name]
}

// checkStores reports the first store that could not be opened.
func (r *run) checkStores() error {
	for i := range r.mission.prog.Stores {
		if _, err := r.storeSpec(i); err != nil {
			return err
		}
	}
	return nil
}

// prepareStores opens the run's stores. A file is read when it is first used.
func (r *run) prepareStores() error {
	for i := range r.mission.prog.Stores {
		spec, err := r.storeSpec(i)
		if err != nil {
			return err
		}
		s := &runStore{name: r.mission.prog.Stores[i].Name}
		if s.Store, err = spec.open(spec.target, spec.options, r.engine.shapes); err != nil {
			return fmt.Errorf("%s: store %s: %w", r.mission.position(r.mission.prog.Stores[i].Pos), s.name, err)
		}
		if spec.adapter == "file" {
			if file, missing, removed := r.engine.dir.Missing(spec.target); missing {
				s.missing.file, s.missing.removed = file, removed
			}
		}
		r.stores = append(r.stores, s)
	}
	return nil
}

// closeStores syncs and closes the stores, side by side: each waits for the
// disk.
func (r *run) closeStores(ctx context.Context) error {
	errs := make([]error, len(r.stores))
	var wg sync.WaitGroup
	for i, s := range r.stores {
		wg.Go(func() {
			err := s.Sync(ctx)
			if e := s.Close(); err == nil {
				err = e // else it says the same again
			}
			if err != nil {
				errs[i] = fmt.Errorf("store %s: %w", s.name, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// StorePut writes the records of a store step as one batch.
func (r *run) StorePut(ctx context.Context, p *vm.Put) error {
	s := r.stores[p.Store]
	recs := make([]store.Record, len(p.Records))
	for i, v := range p.Records {
		key, err := r.recordKey(v, p.Keys, i)
		if err != nil {
			s.failed.Add(int64(len(p.Records)))
			if len(p.Records) > 1 {
				return fmt.Errorf("store %s: the record at index %d of %d, %s: %w; nothing of this step was stored", s.name, i, len(p.Records), value.Describe(v), err)
			}
			return fmt.Errorf("store %s: %w", s.name, err)
		}
		recs[i] = store.Record{Key: key, Value: withoutSecrets(&r.engine.credentials, v)}
	}
	if r.opts.DryRun || len(recs) == 0 {
		return nil
	}
	mode := store.Replace
	if p.Merge {
		mode = store.Merge
	}
	res, err := s.Put(ctx, recs, mode)
	if err != nil {
		s.failed.Add(int64(len(recs)))
		return fmt.Errorf("store %s: %w", s.name, err)
	}
	s.inserted.Add(int64(res.Inserted))
	s.updated.Add(int64(res.Updated))
	s.unchanged.Add(int64(res.Unchanged))
	r.counter(p.At.Action).records.Add(int64(len(recs)))
	r.opts.Progress.Records.Add(int64(len(recs)))
	if m := r.engine.cfg.Metrics; m != nil {
		name := r.mission.Name()
		m.Stored(name, s.name, "inserted", res.Inserted)
		m.Stored(name, s.name, "updated", res.Updated)
		m.Stored(name, s.name, "unchanged", res.Unchanged)
	}
	return nil
}

// recordKey gives the key of a record: what the step's key says, else the
// record's id, else a new one that sorts behind those before.
func (r *run) recordKey(v value.Value, keys []value.Value, i int) (string, error) {
	if i < len(keys) {
		return vm.KeyText(keys[i])
	}
	if id := value.Field(v, "id"); !id.IsNull() {
		return vm.KeyText(id)
	}
	return r.engine.keys.Next(), nil
}

// StoreGet reads one record.
func (r *run) StoreGet(ctx context.Context, i int, key string) (value.Value, bool, error) {
	v, ok, err := r.stores[i].Get(ctx, key)
	return v, ok, r.storeError(i, err)
}

// StoreHas reports whether a record is there.
func (r *run) StoreHas(ctx context.Context, i int, key string) (bool, error) {
	ok, err := r.stores[i].Has(ctx, key)
	return ok, r.storeError(i, err)
}

// StoreLen counts records.
func (r *run) StoreLen(ctx context.Context, i int) (int, error) {
	n, err := r.stores[i].Len(ctx)
	return n, r.storeError(i, err)
}

// StoreList reads all records, in the order in which they were first stored.
func (r *run) StoreList(ctx context.Context, i int) ([]value.Value, error) {
	var list []value.Value
	err := r.stores[i].Each(ctx, func(_ string, v value.Value) error {
		list = append(list, v)
		return ctx.Err()
	})
	return list, r.storeError(i, err)
}

// StoreDelete removes one record.
func (r *run) StoreDelete(ctx context.Context, i int, key string) error {
	if r.opts.DryRun {
		return nil
	}
	_, err := r.stores[i].Delete(ctx, key)
	return r.storeError(i, err)
}

// StoreClear removes all records.
func (r *run) StoreClear(ctx context.Context, i int) error {
	if r.opts.DryRun {
		return nil
	}
	_, err := r.stores[i].Clear(ctx)
	return r.storeError(i, err)
}

func (r *run) storeError(i int, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("store %s: %w", r.stores[i].name, err)
}

// Output gives the records of a run's stores to whoever writes them out.
type Output struct {
	Stores []OutputStore
}

// OutputStore is one store of an Output.
type OutputStore struct {
	Name string
	// Each calls fn for each record, in the store's order.
	Each func(ctx context.Context, fn func(v value.Value) error) error
}

// writeOutput hands the stores out, also after a failed run.
func (r *run) writeOutput(ctx context.Context) error {
	if r.opts.Output == nil || r.opts.DryRun {
		return nil
	}
	var out Output
	for _, s := range r.stores {
		out.Stores = append(out.Stores, OutputStore{Name: s.name, Each: func(ctx context.Context, fn func(value.Value) error) error {
			return s.Each(ctx, func(_ string, v value.Value) error { return fn(v) })
		}})
	}
	return r.opts.Output(ctx, &out)
}
