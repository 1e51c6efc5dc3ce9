package redis

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"reqon/runtime/store"
	"reqon/runtime/store/internal/table"
	"reqon/vm/value"
)

// Store is a table on a server.
type Store struct {
	db                         *database
	decl                       *store.Declaration
	shapes                     *value.Shapes
	decs                       sync.Pool
	table                      string
	prefix, order, stored, seq string // keys, see the package
	empty                      bool   // nothing was there when the store was opened
	closed                     atomic.Bool
	turn                       sync.Mutex // who writes here: tasks need not repeat each other's batches
}

// Begins reports whether nothing was there when the store was opened.
func (s *Store) Begins() (place string, begins bool) {
	return fmt.Sprintf("content in the table %q", s.table), s.empty
}

func (s *Store) use(ctx context.Context) error {
	if s.closed.Load() {
		return store.ErrClosed
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// names gives the names of records on the server.
func (s *Store) names(keys []string) []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = s.prefix + k
	}
	return names
}

// mostTogether is how many keys one command names.
const mostTogether = 5000

// change runs fn, which reads under WATCH and then writes in one MULTI, until
// nobody else has written between. Watched is more than it needs where that is
// simpler.
func (s *Store) change(ctx context.Context, fn func(ctx context.Context, tx *redis.Tx) error, watch ...string) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	if err := s.use(ctx); err != nil {
		return err
	}
	work := context.WithoutCancel(ctx)
	return s.db.again(ctx, func() error {
		for {
			err := s.db.client.Watch(work, func(tx *redis.Tx) error { return fn(work, tx) }, watch...)
			if !errors.Is(err, redis.TxFailedErr) {
				return err
			}
			// Others are at work on the same records: not all at the same time again.
			select {
			case <-time.After(rand.N(2 * time.Millisecond)):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	})
}

// read returns the texts of records, nil for those that are not there.
func read(ctx context.Context, c redis.Cmdable, names []string) ([]any, error) {
	all := make([]any, 0, len(names))
	for len(names) > 0 {
		n := min(len(names), mostTogether)
		got, err := c.MGet(ctx, names[:n]...).Result()
		if err != nil {
			return nil, err
		}
		all = append(all, got...)
		names = names[n:]
	}
	return all, nil
}

// state is what becomes of a key.
type state struct {
	key  string
	json string
	old  bool // it is there
	new  bool // it was not
	set  bool // it is to be written
}

// Put stores a batch in one transaction.
func (s *Store) Put(ctx context.Context, b store.Batch) (store.Result, error) {
	var res store.Result
	if err := s.use(ctx); err != nil {
		return res, err
	}
	jsons, err := encode(b.Records)
	if err != nil || len(jsons) == 0 {
		return res, err
	}
	if err := s.expire(ctx); err != nil {
		return res, err
	}
	var keys []string
	states := make(map[string]*state, len(b.Records))
	for i := range b.Records {
		if k := b.Records[i].Key; states[k] == nil {
			states[k] = &state{key: k}
			keys = append(keys, k)
		}
	}
	names := s.names(keys)
	watch := names
	keep := s.decl.Options.Keep
	if keep > 0 {
		watch = append([]string{s.order}, names...)
	}
	err = s.change(ctx, func(ctx context.Context, tx *redis.Tx) error {
		res = store.Result{}
		there, err := read(ctx, tx, names)
		if err != nil {
			return err
		}
		for i, k := range keys {
			text, ok := there[i].(string)
			*states[k] = state{key: k, json: text, old: ok}
		}
		var fresh []*state
		for i, r := range b.Records {
			st := states[r.Key]
			json := jsons[i]
			if !st.old && !st.new {
				st.json, st.new, st.set = json, true, true
				fresh = append(fresh, st)
				res.Inserted++
				continue
			}
			if b.Conflict == store.MergeFields && st.json != json {
				if json, err = s.merged(st.json, r.Value); err != nil {
					return fmt.Errorf("record %q: %w", r.Key, err)
				}
			}
			if st.json == json {
				res.Unchanged++
				continue
			}
			st.json, st.set = json, true
			res.Updated++
		}
		gone, err := s.beyond(ctx, tx, fresh, keep)
		if err != nil {
			return err
		}
		return s.write(ctx, tx, keys, states, fresh, gone)
	}, watch...)
	if err != nil {
		return store.Result{}, err
	}
	return res, nil
}

// beyond returns the records that go since `keep` allows no more.
func (s *Store) beyond(ctx context.Context, tx *redis.Tx, fresh []*state, keep int) (gone []string, err error) {
	if keep == 0 {
		return nil, nil
	}
	n, err := tx.ZCard(ctx, s.order).Result()
	if err != nil {
		return nil, err
	}
	over := int(n) + len(fresh) - keep
	if old := min(over, int(n)); old > 0 {
		if gone, err = tx.ZRange(ctx, s.order, 0, int64(old)-1).Result(); err != nil {
			return nil, err
		}
	}
	for _, st := range fresh[:max(over-int(n), 0)] {
		gone = append(gone, st.key)
	}
	return gone, nil
}

// write writes what has become of keys, those that are new in their order, and
// takes away what is gone.
func (s *Store) write(ctx context.Context, tx *redis.Tx, keys []string, states map[string]*state, fresh []*state, gone []string) error {
	var last int64
	var err error
	if len(fresh) > 0 {
		// Numbers that are not used in the end do no harm.
		if last, err = s.db.client.IncrBy(ctx, s.seq, int64(len(fresh))).Result(); err != nil {
			return err
		}
	}
	at := float64(s.decl.Options.NowMilli())
	_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
		var times, order []redis.Z
		for _, k := range keys {
			if st := states[k]; st.set {
				p.Set(ctx, s.prefix+k, st.json, 0)
			}
			times = append(times, redis.Z{Score: at, Member: k})
		}
		for i, st := range fresh {
			order = append(order, redis.Z{Score: float64(last - int64(len(fresh)) + int64(i) + 1), Member: st.key})
		}
		add(ctx, p, s.stored, times)
		add(ctx, p, s.order, order)
		s.remove(ctx, p, gone)
		return nil
	})
	return err
}

func add(ctx context.Context, p redis.Pipeliner, key string, members []redis.Z) {
	for len(members) > 0 {
		n := min(len(members), mostTogether)
		p.ZAdd(ctx, key, members[:n]...)
		members = members[n:]
	}
}

// remove takes records away.
func (s *Store) remove(ctx context.Context, p redis.Pipeliner, keys []string) {
	for len(keys) > 0 {
		n := min(len(keys), mostTogether)
		members := make([]any, n)
		for i, k := range keys[:n] {
			members[i] = k
		}
		p.Del(ctx, s.names(keys[:n])...)
		p.ZRem(ctx, s.order, members...)
		p.ZRem(ctx, s.stored, members...)
		keys = keys[n:]
	}
}

// merged returns the JSON of a record with the fields of another on top.
func (s *Store) merged(old string, on value.Value) (string, error) {
	v, err := s.record(old)
	if err != nil {
		return "", err
	}
	o := on.Obj()
	b := value.NewObjectBuilder(s.shapes, v.Obj().Len()+o.Len())
	b.SetAll(v.Obj())
	b.SetAll(o)
	return string(value.AppendJSON(nil, b.Value())), nil
}

// record reads the text of a record.
func (s *Store) record(text string) (value.Value, error) {
	dec := s.decs.Get().(*value.Decoder)
	defer s.decs.Put(dec)
	v, err := dec.Decode([]byte(text))
	if err == nil && v.Kind() != value.Object {
		err = fmt.Errorf("found %s, expected an object", value.Describe(v))
	}
	return v, err
}

// Check refuses records that can't be stored as they are.
func (s *Store) Check(recs []store.Record) error {
	_, err := encode(recs)
	return err
}

// encode gives the JSON of records, if they can be stored.
func encode(recs []store.Record) ([]string, error) {
	if err := store.CheckRecords(recs); err != nil {
		return nil, err
	}
	jsons := make([]string, len(recs))
	var refused []*store.RecordError
	for i := range recs {
		text := value.AppendJSON(nil, recs[i].Value)
		if err := table.CheckJSON(recs[i].Key, text); err != nil {
			refused = append(refused, &store.RecordError{Index: i, Key: recs[i].Key, Err: err})
		}
		if len(text) > mostBytes {
			refused = append(refused, &store.RecordError{Index: i, Key: recs[i].Key, Err: fmt.Errorf("it is %d bytes of JSON; Redis takes %d", len(text), mostBytes)})
		}
		jsons[i] = string(text)
	}
	if refused != nil {
		return nil, &store.BatchError{Total: len(recs), Records: refused}
	}
	return jsons, nil
}

// mostBytes is the largest text that a server takes, unless it is set otherwise.
const mostBytes = 512 << 20

// expire removes records that have expired.
func (s *Store) expire(ctx context.Context) error {
	cutoff, ok := s.decl.Options.Cutoff()
	if !ok || s.decl.DryRun {
		return nil
	}
	before := "(" + strconv.FormatInt(cutoff, 10)
	n := int64(0)
	err := s.db.again(ctx, func() (err error) {
		n, err = s.db.client.ZCount(ctx, s.stored, "-inf", before).Result()
		return err
	})
	if err != nil || n == 0 {
		return err
	}
	return s.change(ctx, func(ctx context.Context, tx *redis.Tx) error {
		keys, err := tx.ZRangeArgs(ctx, redis.ZRangeArgs{Key: s.stored, Start: "-inf", Stop: before, ByScore: true}).Result()
		if err != nil {
			return err
		}
		_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
			s.remove(ctx, p, keys)
			return nil
		})
		return err
	}, s.stored)
}

// Replace makes the table hold the records of another store, in one transaction.
func (s *Store) Replace(ctx context.Context, by store.Store, allow func(there, gone int) error) (res store.Result, removed int, err error) {
	if err := s.use(ctx); err != nil {
		return res, 0, err
	}
	var keys, jsons []string
	for cursor := ""; ; {
		p, err := by.Page(ctx, cursor, 1000, nil)
		if err != nil {
			return res, 0, err
		}
		for _, r := range p.Records {
			keys, jsons = append(keys, r.Key), append(jsons, string(value.AppendJSON(nil, r.Value)))
		}
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	err = s.change(ctx, func(ctx context.Context, tx *redis.Tx) error {
		res, removed = store.Result{}, 0
		all, err := tx.ZRange(ctx, s.order, 0, -1).Result()
		if err != nil {
			return err
		}
		texts, err := read(ctx, tx, s.names(all))
		if err != nil {
			return err
		}
		old := make(map[string]any, len(all))
		for i, k := range all {
			old[k] = texts[i]
		}
		states := make(map[string]*state, len(keys))
		var fresh []*state
		for i, k := range keys {
			st := &state{key: k, json: jsons[i]}
			text, ok := old[k].(string)
			switch {
			case !ok:
				st.new, st.set = true, true
				fresh = append(fresh, st)
				res.Inserted++
			case text == jsons[i]:
				res.Unchanged++
			default:
				st.set = true
				res.Updated++
			}
			states[k] = st
			delete(old, k)
		}
		if err := allow(len(all), len(old)); err != nil {
			return refusal{err}
		}
		removed = len(old)
		gone := make([]string, 0, removed)
		for k := range old {
			gone = append(gone, k)
		}
		return s.write(ctx, tx, keys, states, fresh, gone)
	}, s.stored, s.order) // every write changes the one or the other
	if err != nil {
		var r refusal
		if errors.As(err, &r) {
			err = r.error
		}
		return store.Result{}, 0, err
	}
	return res, removed, nil
}

// refusal is an error that is not the server's.
type refusal struct{ error }

// Get reads a record.
func (s *Store) Get(ctx context.Context, key string) (value.Value, bool, error) {
	if err := s.use(ctx); err != nil {
		return value.NullValue, false, err
	}
	if err := s.expire(ctx); err != nil {
		return value.NullValue, false, err
	}
	var text string
	there := true
	err := s.db.again(ctx, func() (err error) {
		text, err = s.db.client.Get(ctx, s.prefix+key).Result()
		if errors.Is(err, redis.Nil) {
			there, err = false, nil
		}
		return err
	})
	if err != nil || !there {
		return value.NullValue, false, err
	}
	v, err := s.record(text)
	if err != nil {
		return value.NullValue, false, fmt.Errorf("record %q can't be read: %w", key, err)
	}
	return v, true, nil
}

// Has reports whether a record is there.
func (s *Store) Has(ctx context.Context, key string) (bool, error) {
	_, ok, err := s.Get(ctx, key)
	return ok, err
}

// Len counts the records.
func (s *Store) Len(ctx context.Context) (n int, err error) {
	if err := s.use(ctx); err != nil {
		return 0, err
	}
	if err := s.expire(ctx); err != nil {
		return 0, err
	}
	err = s.db.again(ctx, func() error {
		c, err := s.db.client.ZCard(ctx, s.order).Result()
		n = int(c)
		return err
	})
	return n, err
}

// Page reads records behind a cursor, which is the number of the last one.
func (s *Store) Page(ctx context.Context, cursor string, limit int, _ *store.Filter) (p store.Page, err error) {
	if err := s.use(ctx); err != nil {
		return p, err
	}
	after := "-inf"
	if cursor != "" {
		if _, err := strconv.ParseInt(cursor, 10, 64); err != nil {
			return p, store.ErrCursor
		}
		after = "(" + cursor
	}
	if err := s.expire(ctx); err != nil {
		return p, err
	}
	var list []redis.Z
	var texts []any
	err = s.db.again(ctx, func() (err error) {
		list, err = s.db.client.ZRangeArgsWithScores(ctx, redis.ZRangeArgs{Key: s.order, Start: after, Stop: "+inf", ByScore: true, Count: int64(limit)}).Result()
		if err != nil {
			return err
		}
		keys := make([]string, len(list))
		for i := range list {
			keys[i] = list[i].Member.(string)
		}
		texts, err = read(ctx, s.db.client, s.names(keys))
		return err
	})
	if err != nil {
		return p, err
	}
	for i, z := range list {
		key := z.Member.(string)
		text, ok := texts[i].(string)
		if !ok {
			continue // it was deleted since
		}
		v, err := s.record(text)
		if err != nil {
			return store.Page{}, fmt.Errorf("record %q can't be read: %w", key, err)
		}
		p.Records = append(p.Records, store.Record{Key: key, Value: v})
	}
	if len(list) == limit {
		p.Next = strconv.FormatInt(int64(list[len(list)-1].Score), 10)
	}
	return p, nil
}

// View gives the list of the records.
func (s *Store) View(ctx context.Context, f *store.Filter) (store.View, error) {
	if err := s.use(ctx); err != nil {
		return nil, err
	}
	return store.Spool(ctx, s, f, s.shapes)
}

// Delete removes a record.
func (s *Store) Delete(ctx context.Context, key string) (there bool, err error) {
	if err := s.use(ctx); err != nil {
		return false, err
	}
	if err := s.expire(ctx); err != nil {
		return false, err
	}
	err = s.change(ctx, func(ctx context.Context, tx *redis.Tx) error {
		n, err := tx.Exists(ctx, s.prefix+key).Result()
		if err != nil {
			return err
		}
		there = n > 0
		_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
			s.remove(ctx, p, []string{key})
			return nil
		})
		return err
	}, s.prefix+key)
	return there, err
}

// Clear removes all records.
func (s *Store) Clear(ctx context.Context) (n int, err error) {
	if err := s.use(ctx); err != nil {
		return 0, err
	}
	if err := s.expire(ctx); err != nil {
		return 0, err
	}
	err = s.change(ctx, func(ctx context.Context, tx *redis.Tx) error {
		keys, err := tx.ZRange(ctx, s.order, 0, -1).Result()
		if err != nil {
			return err
		}
		n = len(keys)
		_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
			s.remove(ctx, p, keys)
			return nil
		})
		return err
	}, s.order)
	return n, err
}

// Sync has nothing to do: what the server keeps, and when it writes it to its
// disk, is its own.
func (s *Store) Sync(ctx context.Context) error { return s.use(ctx) }

// Close ends the session. The connections are the adapter's.
func (s *Store) Close() error {
	s.closed.Store(true)
	return nil
}
