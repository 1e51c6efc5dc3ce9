package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"reqon/runtime/store"
	"reqon/runtime/store/file"
	"reqon/runtime/store/memory"
	"reqon/runtime/store/staged"
	"reqon/vm"
	"reqon/vm/bytecode"
	"reqon/vm/option"
	"reqon/vm/value"
)

// runStore is a store as one run uses it.
type runStore struct {
	store.Store
	name                                 string
	append                               bool     // each record gets a new key
	history                              bool     // what is replaced is kept
	key                                  []string // the key is in these columns
	missing                              missing
	staged                               *staged.Store // with `mode: replace`
	inserted, updated, unchanged, failed atomic.Int64
}

// declare evaluates the declaration of a store, and finds its adapter.
func (r *run) declare(i int) (d *store.Declaration, a store.Adapter, err error) {
	s := &r.mission.prog.Stores[i]
	where := r.mission.where(s.Pos)
	v, err := r.mission.eval(s.Adapter, r)
	if err != nil {
		return nil, nil, fmt.Errorf("store %s: %w", s.Name, err)
	}
	if v.Kind() != value.Array || len(v.Elems()) != 2 {
		return nil, nil, fmt.Errorf("%s: store %s: no adapter was chosen: expected file(…) or memory, found %s", where, s.Name, value.Describe(v))
	}
	d = &store.Declaration{Mission: r.mission.Name(), Name: s.Name, Run: r.record.ID, Folder: r.mission.folder, DryRun: r.opts.DryRun}
	adapter, target := value.Text(v.Elems()[0]), v.Elems()[1]
	if !target.IsNull() && target.Kind() != value.String {
		return nil, nil, fmt.Errorf("%s: store %s: the target must be text, found %s", where, s.Name, value.Describe(target))
	}
	if target.Kind() == value.String {
		d.Target = target.Str()
	}
	if adapter, err = r.engine.resolve(adapter, d); err != nil {
		return nil, nil, fmt.Errorf("%s: store %s: %w", where, s.Name, err)
	}
	d.Adapter = adapter
	v, err = r.mission.eval(s.Options, r)
	if err != nil {
		return nil, nil, fmt.Errorf("store %s: %w", s.Name, err)
	}
	o, err := r.mission.decode(option.InStore, v, s.OptionPos)
	if err != nil {
		return nil, nil, fmt.Errorf("store %s: %w", s.Name, err)
	}
	if d.Options, err = storeOptions(o, option.FindAdapter(adapter)); err != nil {
		return nil, nil, fmt.Errorf("store %s: %w", s.Name, r.mission.located(err, s.OptionPos))
	}
	d.Options.Now = r.engine.cfg.Clock.Now
	if s.Schema != bytecode.None {
		d.Schema = storeSchema(r.mission.prog, s.Schema)
	}
	if a, err = r.engine.adapter(adapter); err != nil {
		return nil, nil, fmt.Errorf("%s: store %s: %w", where, s.Name, err)
	}
	return d, a, nil
}

// storeOptions gives the options as the adapters take them. Those that the
// adapter has not (it is one of several that the declaration may choose, or
// stands in for one) have no effect.
func storeOptions(o *option.Values, a *option.Adapter) (s store.Options, err error) {
	s.Keep, s.TTL = o.Int("keep"), o.Duration("ttl")
	switch o.Text("mode") {
	case "append":
		s.Mode = store.Append
	case "replace":
		s.Mode = store.Replace
	case "history":
		if a != nil && slices.Contains(a.Modes, "history") {
			s.Mode = store.History
		}
	}
	if s.MaxDelete.Share, s.MaxDelete.Count, err = option.MaxDelete(o.Value("maxDelete")); err != nil {
		return s, &option.Error{Path: "maxDelete", Problem: err.Error()}
	}
	if a == nil || !a.Has("table") {
		return s, nil
	}
	s.Table = o.Text("table")
	s.Strict = o.Text("evolve") == "strict"
	s.Key = o.Names("key")
	s.Drop = o.Text("extra") == "drop"
	if columns := o.Value("columns"); columns.Kind() == value.Object {
		s.Columns = map[string]string{}
		for i, v := range columns.Obj().Slots() {
			field := columns.Obj().Shape().Key(i)
			if v.Kind() != value.String {
				return s, &option.Error{Path: "columns." + field, Problem: "is " + value.Describe(v) + ", expected the type of a column"}
			}
			s.Columns[field] = v.Str()
		}
	}
	if !a.Has("pool") {
		return s, nil
	}
	s.NUL = o.Text("nul") == "replace"
	s.Exact = o.Text("json") == "exact"
	s.Pool, s.ConnectTimeout, s.StatementTimeout = o.Int("pool"), o.Duration("connectTimeout"), o.Duration("statementTimeout")
	retry := o.Block("retry")
	s.Retry = store.Retry{MaxAttempts: retry.Int("maxAttempts"), Initial: retry.Duration("initialDelay"), Max: retry.Duration("maxDelay")}
	return s, nil
}

// resolve finds the adapter that a declaration means, and its address.
func (e *Engine) resolve(name string, d *store.Declaration) (string, error) {
	a := option.FindAdapter(name)
	if a == nil || e.cfg.Adapters[name] == nil && name != "sql" {
		return name, nil // adapter says what is wrong with it, if anything
	}
	if e.cfg.Dev && a.Target != option.NoTarget && a.Target != option.FileTarget {
		d.Target = d.Name
		return "file", nil
	}
	if a.Target != option.URLTarget {
		return name, nil
	}
	own := "REQON_" + strings.ToUpper(d.Name) + "_URL"
	for _, variable := range []string{own, a.Env} {
		if d.Target == "" && variable != "" {
			d.Target, _ = e.cfg.Env(variable)
		}
	}
	if d.Target == "" {
		return "", fmt.Errorf("`%s` has no address: set %s or %s, or give it one, as in %s(env(\"NAME\"))", name, own, a.Env, name)
	}
	if u, err := url.Parse(d.Target); err == nil {
		if password, ok := u.User.Password(); ok && password != "" {
			e.cfg.Redactor.Add(password, url.QueryEscape(password), url.PathEscape(password))
		}
	}
	if name != "sql" {
		return name, nil
	}
	if a = option.AdapterOf(d.Target, false); a == nil {
		return "", errors.New("the address does not say what database it is of; expected one that begins with postgres://, mysql://, or sqlite: and a path")
	}
	if a.Target == option.PathTarget {
		_, path, _ := strings.Cut(d.Target, ":")
		d.Target = strings.TrimPrefix(path, "//")
	}
	return a.Name, nil
}

// storeSchema gives a schema's fields as the adapters take them.
func storeSchema(p *bytecode.Program, schema int) *store.Schema {
	t := &p.Types[schema]
	s := &store.Schema{Name: t.Name}
	for _, f := range t.Fields {
		field := store.Field{Name: f.Name, Optional: f.Optional}
		field.Type, field.Words, field.Written = storeType(p, f.Type)
		if t := &p.Types[f.Type]; t.Kind == bytecode.TypeUnion {
			var kept []int
			for _, alt := range t.Alts {
				if p.Types[alt].Kind == bytecode.TypeNull {
					field.Optional = true
				} else {
					kept = append(kept, alt)
				}
			}
			field.Type, field.Words, field.Written = unionType(p, kept)
		}
		if field.Type == store.Any {
			field.Optional = true
		}
		s.Fields = append(s.Fields, field)
	}
	return s
}

// storeType gives the kind of values that a type takes.
func storeType(p *bytecode.Program, i int) (t store.Type, words []string, written string) {
	typ := &p.Types[i]
	switch typ.Kind {
	case bytecode.TypeString:
		return store.Text, nil, "a string"
	case bytecode.TypeInt:
		return store.Int, nil, "an int"
	case bytecode.TypeNumber:
		return store.Number, nil, "a number"
	case bytecode.TypeBoolean:
		return store.Boolean, nil, "a boolean"
	case bytecode.TypeDate:
		return store.Date, nil, "a date"
	case bytecode.TypeArray:
		return store.Array, nil, "an array"
	case bytecode.TypeObject:
		return store.Object, nil, "an object"
	case bytecode.TypeLiteral:
		if typ.Const.Kind() == value.String {
			return store.Text, []string{typ.Const.Str()}, strconv.Quote(typ.Const.Str())
		}
	}
	return store.Any, nil, "any value"
}

// unionType gives what several types come to: theirs if they are of one kind.
func unionType(p *bytecode.Program, alts []int) (t store.Type, words []string, written string) {
	for i, alt := range alts {
		next, w, text := storeType(p, alt)
		if i > 0 && (next != t || (w == nil) != (words == nil)) {
			return store.Any, nil, "any value"
		}
		if i > 0 {
			text = written + " or " + text
		}
		t, words, written = next, append(words, w...), text
	}
	return t, words, written
}

// adapter returns the named adapter, which it makes when it is first used.
func (e *Engine) adapter(name string) (store.Adapter, error) {
	if name == "file" {
		return e.dir, nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if a := e.adapters[name]; a != nil {
		return a, nil
	}
	make := e.cfg.Adapters[name]
	if name == "memory" {
		make = memory.New
	}
	if make == nil {
		if err := notAvailable(bytecode.AdapterPart, name); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("unknown adapter %s", name)
	}
	a, err := make(store.Env{Shapes: e.shapes, Now: e.cfg.Clock.Now, Notice: func(m string) { e.cfg.Log.Warn(m) }})
	if err != nil {
		return nil, err
	}
	e.adapters[name] = a
	return a, nil
}

// closeAdapters closes the adapters that were used.
func (e *Engine) closeAdapters() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var errs []error
	for name, a := range e.adapters {
		errs = append(errs, a.Close())
		delete(e.adapters, name)
	}
	return errors.Join(errs...)
}

// checkStores reports the first store that is not declared as it should be.
func (r *run) checkStores() error {
	for i := range r.mission.prog.Stores {
		if _, _, err := r.declare(i); err != nil {
			return err
		}
	}
	return nil
}

// prepareStores opens the run's stores. A file is read when it is first used.
// A mistake is a *ConfigError; that a store's place can't be reached now is
// none.
func (r *run) prepareStores(ctx context.Context) error {
	for i := range r.mission.prog.Stores {
		d, a, err := r.declare(i)
		if err != nil {
			return &ConfigError{Err: err}
		}
		s := &runStore{name: d.Name, append: d.Options.Mode == store.Append, history: d.Options.Mode == store.History, key: d.Options.Key}
		if err := r.apart(i, d); err != nil {
			return &ConfigError{Err: err}
		}
		if s.Store, err = a.Open(ctx, d); err != nil {
			err = fmt.Errorf("%s: store %s: %w", r.mission.where(r.mission.prog.Stores[i].Pos), s.name, err)
			var away *store.Unavailable
			if errors.As(err, &away) || ctx.Err() != nil {
				return err
			}
			return &ConfigError{Err: err}
		}
		if dir, ok := a.(*file.Dir); ok {
			if name, missing, removed := dir.Missing(file.Target(d)); missing {
				s.missing.place, s.missing.removed = "file "+name, removed
			}
		}
		if b, ok := s.Store.(store.Beginner); ok {
			if place, begins := b.Begins(); begins {
				s.missing.place = place
			}
		}
		r.stores = append(r.stores, s)
		if d.Options.Mode == store.Replace && !d.DryRun {
			if s.staged, err = staged.Replace(ctx, s.Store, d, r.engine.shapes); err != nil {
				return &ConfigError{Err: fmt.Errorf("%s: store %s: %w", r.mission.where(r.mission.prog.Stores[i].Pos), s.name, err)}
			}
			s.Store = s.staged
		}
	}
	return nil
}

// publish puts what stores with `mode: replace` have staged in the place of what
// is there. Where the run has not seen everything, it refuses to: what it did not
// see would be gone. err is how the run has gone so far.
func (r *run) publish(ctx context.Context, err error) error {
	if err != nil || r.opts.DryRun {
		return nil
	}
	var errs []error
	why := r.unseen()
	for _, s := range r.stores {
		if s.staged == nil {
			continue
		}
		if why != "" {
			errs = append(errs, fmt.Errorf("store %s is not replaced: %s; what is there stays", s.name, why))
			continue
		}
		res, removed, err := s.staged.Publish(ctx)
		if err != nil {
			errs = append(errs, fmt.Errorf("store %s is not replaced: %w", s.name, err))
			continue
		}
		r.stored(s, res)
		if removed > 0 {
			r.log.Info(fmt.Sprintf("store %s: %d records were removed, since this run did not store them", s.name, removed))
		}
	}
	return errors.Join(errs...)
}

// unseen says what keeps the run from having seen everything, "" if nothing does.
func (r *run) unseen() string {
	c := r.counts()
	var list []string
	for _, n := range []struct {
		count int64
		text  string
	}{{c.Failed, "failed"}, {c.Skipped, "skipped"}, {c.Queued, "queued"}} {
		if n.count > 0 {
			list = append(list, fmt.Sprintf("items were %s (%d)", n.text, n.count))
		}
	}
	if c.CutShort > 0 {
		list = append(list, fmt.Sprintf("fetches were cut short (%d)", c.CutShort))
	}
	return strings.Join(list, ", and ")
}

// syncStores puts on disk what was written to the stores, side by side.
func (r *run) syncStores(ctx context.Context) error {
	errs := make([]error, len(r.stores))
	var wg sync.WaitGroup
	for i, s := range r.stores {
		wg.Go(func() { errs[i] = r.storeError(i, s.Sync(ctx)) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// apart refuses a store in the place of another one of the mission with another
// schema or mode: each would take the other's records for its own.
func (r *run) apart(i int, d *store.Declaration) error {
	place := d.Target + "\x00" + cmp.Or(d.Options.Table, d.Name)
	switch a := option.FindAdapter(d.Adapter); {
	case d.Adapter == "file":
		place = file.Target(d)
	case a != nil && a.WriteOnly:
		place = cmp.Or(d.Target, d.Name+"."+d.Adapter)
	case a == nil || !a.Has("table"):
		return nil // each has its own
	}
	for _, o := range r.declared {
		if o.place != place || o.Adapter != d.Adapter {
			continue
		}
		differ := ""
		switch {
		case o.Options.Mode != d.Options.Mode:
			differ = "mode"
		case (o.Schema == nil) != (d.Schema == nil) || d.Schema != nil && o.Schema.Name != d.Schema.Name:
			differ = "schema"
		default:
			continue
		}
		return fmt.Errorf("%s: store %s: it is in the same place as the store %s, with another `%s`; give one of them another place", r.mission.where(r.mission.prog.Stores[i].Pos), d.Name, o.Name, differ)
	}
	r.declared = append(r.declared, placed{d, place})
	return nil
}

// placed is a store and where its records are.
type placed struct {
	*store.Declaration
	place string
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
	if p.Err != nil {
		return r.notStored(p, p.Err)
	}
	recs := make([]store.Record, len(p.Records))
	redacted := 0
	made := newKeys{of: r.engine.keys, put: p}
	for i, v := range p.Records {
		key, err := r.recordKey(&made, i)
		found := 0
		if err == nil {
			v, found, err = r.withoutSecrets(key, v)
			redacted += found
		}
		if err != nil {
			if len(p.Records) > 1 {
				err = fmt.Errorf("the record at index %d of %d, %s: %w; nothing of this step was stored", i, len(p.Records), value.Describe(v), err)
			}
			return r.notStored(p, err)
		}
		recs[i] = store.Record{Key: key, Value: v}
	}
	if r.opts.DryRun || len(recs) == 0 {
		return nil
	}
	b := store.Batch{Records: recs}
	if p.Merge {
		b.Conflict = store.MergeFields
	}
	watched := r.overwritten.begin(s, p, recs)
	res, err := s.Put(ctx, b)
	if err != nil {
		return r.notStored(p, err)
	}
	r.overwritten.done(watched, len(recs), res)
	r.tellEnvelope(s, p)
	r.tellRedacted(s, redacted, p.At)
	if s.staged == nil {
		r.stored(s, res)
	}
	r.counter(p.At.Action).records.Add(int64(len(recs)))
	r.opts.Progress.Records.Add(int64(len(recs)))
	return nil
}

// stored counts what was done to the records of a store.
func (r *run) stored(s *runStore, res store.Result) {
	s.inserted.Add(int64(res.Inserted))
	s.updated.Add(int64(res.Updated))
	s.unchanged.Add(int64(res.Unchanged))
	if m := r.engine.cfg.Metrics; m != nil {
		name := r.mission.Name()
		m.Stored(name, s.name, "inserted", res.Inserted)
		m.Stored(name, s.name, "updated", res.Updated)
		m.Stored(name, s.name, "unchanged", res.Unchanged)
	}
}

// notStored counts the records of a store step as failed.
func (r *run) notStored(p *vm.Put, err error) error {
	s := r.stores[p.Store]
	s.failed.Add(int64(len(p.Records)))
	return fmt.Errorf("store %s: %w", s.name, err)
}

// recordKey gives the key of a record: what the step's key says, else the
// record's id, else a new one that sorts behind those before.
func (r *run) recordKey(made *newKeys, i int) (string, error) {
	p := made.put
	switch s := r.stores[p.Store]; {
	case s.key != nil:
		return "", nil // the store takes it from the record
	case s.append:
		return made.key(i), nil
	}
	if p.Keys != nil {
		if i == len(p.Keys) {
			return "", p.BadKey
		}
		return p.Keys[i], nil
	}
	if id := value.Field(p.Records[i], "id"); !id.IsNull() {
		return vm.KeyText(id)
	}
	return made.key(i), nil
}

// newKeys makes keys for the records of a store step that have none. They follow
// from the step's effect and from when it first happened, so that a step which
// is repeated stores its records under the same keys.
type newKeys struct {
	of    *store.Keys
	put   *vm.Put
	stamp uint64 // of the record at index 0; 0: not known yet
	id    [16]byte
}

func (k *newKeys) key(i int) string {
	if k.stamp == 0 {
		v := k.put.Effect.Once(func() value.Value { return value.FromInt(int64(k.of.Reserve(len(k.put.Records)))) })
		k.stamp, k.id = uint64(v.Int()), k.put.Effect.ID(0)
	}
	return store.KeyAt(k.stamp+uint64(i), [8]byte(k.id[:]))
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
	err := store.Each(ctx, r.stores[i], func(_ string, v value.Value) error {
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
			return store.Each(ctx, s, func(_ string, v value.Value) error { return fn(v) })
		}})
	}
	return r.opts.Output(ctx, &out)
}
