package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"reqon/runtime/httpclient"
	"reqon/runtime/state"
	"reqon/runtime/telemetry"
	"reqon/vm"
	"reqon/vm/bytecode"
	"reqon/vm/option"
	"reqon/vm/value"
)

// positions are the sync positions of a run: those it began with, and those it
// will leave behind.
type positions struct {
	mu    sync.Mutex
	known map[string]*savedPosition
	used  value.Value // the earliest that the run goes by, or null
	next  map[string]nextPosition
	held  map[string]int // how many fetches hold it
	// unsaved are those of iterations that failed where the mission says that
	// this is no failure: they don't move, and the run is a success all the same.
	unsaved map[string]bool
	early   map[string]bool // saved by a checkpoint
}

// savedPosition is what the state has of a position.
type savedPosition struct {
	once   sync.Once
	value  value.Value // null: none
	saved  state.Position
	exists bool
	unread bool // it is there and can't be read
}

// nextPosition is a position that a fetch has come to.
type nextPosition struct {
	value  value.Value
	origin string
}

// lastRunKey is the key under which the start of the last successful run is
// kept beside the positions of its fetches.
const lastRunKey = ""

// maxPartText is the length in bytes from which on a value in a key is kept as its
// checksum.
const maxPartText = 64

// SyncKey names a position in the state: the source, the path as it is sent or
// syncKey, and the values that tell one parent from another. What may be
// a secret, or is long, is there as its checksum.
func (r *run) SyncKey(source int, name, path string, parts value.Value) (key, origin string) {
	key = name
	if clean := r.engine.cfg.Redactor.Redact(name); clean != name {
		key = clean + " " + checksum(name)
	}
	if source != bytecode.None {
		key = r.mission.prog.Sources[source].Name + " " + key
	}
	if parts.Kind() == value.Object {
		o := parts.Obj()
		b := value.NewObjectBuilder(nil, o.Len())
		for i, v := range o.Slots() {
			label := o.Shape().Key(i)
			text := string(value.AppendJSON(nil, v))
			if len(text) > maxPartText || namesSecret(wordsOf(label)) || r.engine.cfg.Redactor.Redact(text) != text {
				v = value.FromString(checksum(text))
			}
			b.Set(label, v)
		}
		key += " " + string(value.AppendJSON(nil, b.Value()))
	}
	return key, r.origin(source, path)
}

// wordsOf parts the words of a name by _, as names of environment variables have
// them: repo.apiKey is REPO_API_KEY.
func wordsOf(name string) string {
	var b strings.Builder
	lower := false
	for _, c := range name {
		switch {
		case c == '.' || c == '-' || c == ' ':
			c = '_'
		case lower && 'A' <= c && c <= 'Z':
			b.WriteByte('_')
		}
		lower = 'a' <= c && c <= 'z'
		b.WriteRune(c)
	}
	return b.String()
}

func checksum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:16])
}

// origin gives the origin that a path is asked of.
func (r *run) origin(source int, path string) string {
	if source != bytecode.None && source < len(r.sources) {
		return r.sources[source].Origin(path)
	}
	s, err := httpclient.NewSource("none", option.At(option.InSource).Defaults(), nil)
	if err != nil {
		return ""
	}
	return s.Origin(path)
}

// Position gives a sync position, if there is one to go by.
func (r *run) Position(k *vm.SyncKey, at vm.At) value.Value {
	v := r.goBy(k, at)
	if v.IsNull() {
		return v
	}
	r.position.use(k.Position(v))
	return k.Position(v)
}

// goBy gives the saved position as it is saved. One of another origin, and one
// that lies in the future, is passed over, and will be replaced.
func (r *run) goBy(k *vm.SyncKey, at vm.At) value.Value {
	if r.opts.FullRefresh {
		return value.NullValue
	}
	s := r.saved(k.Key)
	v := s.value
	if v.IsNull() {
		return v
	}
	if from := s.saved.Origin; from != "" && k.Origin != "" && from != k.Origin && !(httpclient.IsLoopback(from) && httpclient.IsLoopback(k.Origin)) {
		r.Notice(&vm.Notice{Kind: vm.NoticeOrigin, At: at, Text: fmt.Sprintf(
			"The sync position %q is of %s, and the request goes to %s: it is not gone by, and everything is fetched", k.Key, from, k.Origin)})
		return value.NullValue
	}
	if r.inFuture(k, v) {
		r.Notice(&vm.Notice{Kind: vm.NoticeFuture, At: at, Text: fmt.Sprintf(
			"The sync position %q is %s, which is in the future: it is not gone by, and everything is fetched", k.Key, value.Describe(v))})
		return value.NullValue
	}
	return v
}

// inFuture reports whether a saved position is a time that nothing can have
// come to. What a server gave as it is is its own matter.
func (r *run) inFuture(k *vm.SyncKey, v value.Value) bool {
	reader, err := k.Reader()
	if err != nil || k.Opaque {
		return false
	}
	t, ok := reader.Read(v)
	return ok && t.Milliseconds() > r.engine.cfg.Clock.Now().Add(believedAhead).UnixMilli()
}

// LastRun gives when the last successful run started.
func (r *run) LastRun() value.Value {
	return r.Position(&vm.SyncKey{Key: lastRunKey}, vm.At{Action: bytecode.None})
}

// saved reads a position of the state, once a run.
func (r *run) saved(key string) *savedPosition {
	p := &r.position
	p.mu.Lock()
	s := p.known[key]
	if s == nil {
		s = &savedPosition{}
		if p.known == nil {
			p.known = map[string]*savedPosition{}
		}
		p.known[strings.Clone(key)] = s
	}
	p.mu.Unlock()
	s.once.Do(func() { r.readPosition(key, s) }) // outside of the lock: a thousand parents read at once
	return s
}

func (r *run) readPosition(key string, s *savedPosition) {
	if r.engine.db == nil {
		return
	}
	var err error
	s.saved, s.exists, err = r.engine.db.Position(r.mission.Name(), key)
	if err == nil && s.exists {
		s.value, err = value.ParseJSON(nil, s.saved.Value)
	}
	if err != nil {
		// Without its position the fetch would ask for everything, or worse
		// move a position that it has not read.
		s.unread = true
		r.position.hold(key)
		r.log.Error("The sync position can't be read; everything is fetched, and it is left as it is", telemetry.String("key", key), telemetry.Err(err))
	}
}

func (p *positions) hold(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holdLocked(key)
}

func (p *positions) holdLocked(key string) {
	if p.held == nil {
		p.held = map[string]int{}
	}
	p.held[key]++
}

// release takes one hold of a position back. It needs mu.
func (p *positions) release(key string) {
	if p.held[key]--; p.held[key] <= 0 {
		delete(p.held, key)
	}
}

// Fetched notes how a fetch ended. Of several fetches under one key the
// earliest position counts, and one that was held holds it for all: a position
// must never pass what any of them has not fetched.
func (r *run) Fetched(f *vm.Fetched) {
	p := &r.position
	if f.Held {
		p.mu.Lock()
		if f.Skipped {
			if p.unsaved == nil {
				p.unsaved = map[string]bool{}
			}
			p.unsaved[f.Key] = true
		} else {
			p.holdLocked(f.Key)
		}
		early := p.early[f.Key]
		delete(p.early, f.Key)
		p.mu.Unlock()
		if early {
			r.takeBack(f.Key)
		}
		return
	}
	if f.Repeated {
		p.mu.Lock()
		p.release(f.Key)
		p.mu.Unlock()
		return
	}
	if f.Position.IsNull() {
		return
	}
	position := f.Position
	reader, err := f.Reader()
	if err != nil {
		return // the fetch could not have begun
	}
	if f.Rises {
		// Also where the answer is nothing but old records.
		if old := r.goByQuietly(&f.SyncKey); !old.IsNull() {
			if c, ok := reader.Compare(old, position); ok && c > 0 {
				position = old
			}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if old, ok := p.next[f.Key]; ok {
		if c, ok := reader.Compare(old.value, position); !ok || c <= 0 {
			return
		}
	}
	if p.next == nil {
		p.next = map[string]nextPosition{}
	}
	p.next[f.Key] = nextPosition{position, f.Origin}
}

// goByQuietly is goBy where it has been told before.
func (r *run) goByQuietly(k *vm.SyncKey) value.Value {
	if r.opts.FullRefresh {
		return value.NullValue
	}
	s := r.saved(k.Key)
	other := s.saved.Origin != "" && k.Origin != "" && s.saved.Origin != k.Origin && !(httpclient.IsLoopback(s.saved.Origin) && httpclient.IsLoopback(k.Origin))
	if other || r.inFuture(k, s.value) {
		return value.NullValue
	}
	return s.value
}

// takeBack puts a position back that a checkpoint has saved, since another fetch
// under its key has failed now.
func (r *run) takeBack(key string) {
	s := r.saved(key)
	var err error
	if s.exists {
		err = r.engine.db.SavePositions(r.mission.Name(), s.saved.Run, s.saved.Saved, []state.Position{s.saved})
	} else {
		_, err = r.engine.db.DeletePosition(r.mission.Name(), key)
	}
	if err != nil {
		r.log.Error("A sync position that a checkpoint has saved can't be put back, though another fetch under its key has failed", telemetry.String("key", key), telemetry.Err(err))
	}
}

// ResetPosition forgets a position at once.
func (r *run) ResetPosition(k *vm.SyncKey, held bool) error {
	s := r.saved(k.Key)
	p := &r.position
	p.mu.Lock()
	p.known[k.Key] = read(&savedPosition{})
	delete(p.next, k.Key)
	delete(p.early, k.Key)
	for _, was := range []bool{held, s.unread} {
		if was {
			p.release(k.Key)
		}
	}
	p.mu.Unlock()
	if r.opts.DryRun || r.engine.db == nil {
		return nil
	}
	if _, err := r.engine.db.DeletePosition(r.mission.Name(), k.Key); err != nil {
		return fmt.Errorf("reset position: %w", err)
	}
	return nil
}

// read marks a position as read.
func read(s *savedPosition) *savedPosition {
	s.once.Do(func() {})
	return s
}

// Checkpoint puts on disk what was stored, and then saves the positions.
func (r *run) Checkpoint(ctx context.Context, keys []string) error {
	if r.opts.DryRun || r.engine.db == nil {
		return nil
	}
	for _, s := range r.stores {
		if s.staged != nil {
			r.Notice(&vm.Notice{Kind: vm.NoticePosition, At: vm.At{Action: bytecode.None}, Text: fmt.Sprintf(
				"A checkpoint saves no sync position here: the store %s has `mode: replace`, and holds what the run stores when the run has succeeded", s.name)})
			return nil
		}
	}
	if err := r.syncStores(ctx); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	p := &r.position
	p.mu.Lock()
	list := p.toSave(keys)
	p.mu.Unlock()
	if len(list) == 0 {
		return nil
	}
	if err := r.engine.db.SavePositions(r.mission.Name(), r.record.ID, r.engine.cfg.Clock.Now(), list); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	p.mu.Lock()
	var late []string // held while they were being saved
	for _, s := range list {
		if p.held[s.Key] > 0 || p.unsaved[s.Key] {
			late = append(late, s.Key)
			continue
		}
		if p.early == nil {
			p.early = map[string]bool{}
		}
		p.early[s.Key] = true
	}
	p.mu.Unlock()
	for _, key := range late {
		r.takeBack(key)
	}
	return nil
}

// toSave gives the positions of these keys that are to be saved. It needs mu.
func (p *positions) toSave(keys []string) (list []state.Position) {
	for _, key := range keys {
		n, ok := p.next[key]
		if !ok || p.held[key] > 0 || p.unsaved[key] || p.early[key] {
			continue
		}
		text := string(value.AppendJSON(nil, n.value))
		if s := p.known[key]; s != nil && s.exists && s.saved.Value == text && s.saved.Origin == n.origin {
			continue // it was that, and has been since
		}
		list = append(list, state.Position{Key: key, Value: text, Origin: n.origin})
	}
	return list
}

// use notes that the run goes by a sync position. Of several the earliest is
// kept.
func (p *positions) use(v value.Value) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.used.IsNull() {
		p.used = v
	} else if c, ok, err := value.Compare(v, p.used); err == nil && ok && c < 0 {
		p.used = v
	}
}

// holds is the number of positions that must not move.
func (p *positions) holds() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int64(len(p.held))
}

// leave gives what the run leaves of positions. That of the mission's last
// successful run moves with a success only.
func (p *positions) leave(run *state.Run) *state.Positions {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := &state.Positions{Save: p.toSave(slices.Collect(maps.Keys(p.next))), Seen: slices.Collect(maps.Keys(p.known))}
	if run.Status == state.StatusSuccess {
		out.Save = append(out.Save, state.Position{Key: lastRunKey, Value: jsonTime(run.Start)})
	}
	return out
}

func jsonTime(t time.Time) string {
	text, _ := json.Marshal(string(value.AppendTime(nil, t.UnixMilli())))
	return string(text)
}
