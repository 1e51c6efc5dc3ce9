package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"reqon/runtime/store"
	"reqon/runtime/store/internal/table"
	"reqon/vm/value"
)

// file is the state of one file store in this process, shared by all stores of
// its target.
//
// Who changes anything, in memory or on disk, first takes the turn (among the
// tasks of this process) and the lock (among processes), and brings the index
// up to date with what other processes have written. Readers need neither:
// while there is a lease nobody else can have written, and else they see by the
// journal's size whether they are up to date.
type file struct {
	dir  *Dir
	name string // target without extension
	base string // its last part

	users int // guarded by dir.mu

	turn chan struct{} // holds one token while somebody has the turn

	// With the turn.
	folder     *os.Root // nil until the folder is there
	lock       *os.File // nil until it is first needed
	queue      *os.File // nil until processes have met
	lease      *lease   // nil if the lock is not kept
	dirty      bool     // the journal holds what the snapshot doesn't
	stale      bool     // the journal goes on top of another snapshot, but is empty
	wantAges   bool
	batch      fileBatch
	doing      table.Change
	retryAbove int64         // after the snapshot could not be replaced: size of the journal from which to try again
	replaced   time.Time     // when the snapshot was replaced last, or read
	took       time.Duration // how long that took
	closed     bool

	leased   atomic.Bool    // for readers: there is a lease
	watchers sync.WaitGroup // of leases

	mu     sync.RWMutex // guards what follows; changed only with the turn
	loaded bool
	ix     *table.Index
	gen    *generation
	end    int64 // of the journal's whole frames

	flushMu sync.Mutex
	timer   *time.Timer // of the next background flush; nil if none is due
	due     atomic.Bool // timer is not nil
	flushes sync.WaitGroup
	flushed error // of the last background flush
}

const (
	// flushAfter is how long a batch may wait for the disk.
	flushAfter = time.Second
	// replaceAbove is the size in bytes above which a journal that is mostly
	// out of date makes the snapshot be replaced.
	replaceAbove = 16 << 20
	// followEvery is how often the snapshot follows a journal that has outgrown
	// it, at most. It takes no more than a tenth of the time, either.
	followEvery = 5 * time.Second
	// closeTimeout is how long Close waits for another process's lock.
	closeTimeout = time.Minute
)

func newFile(d *Dir, name string) *file {
	f := &file{dir: d, name: name, base: path.Base(name), turn: make(chan struct{}, 1), ix: table.NewIndex(false), gen: newGeneration()}
	f.batch.f = f
	return f
}

func newGeneration() *generation {
	g := &generation{}
	g.hold()
	return g
}

// Names of the files in the store's folder.
func (f *file) snapshotName() string { return f.base + extension }
func (f *file) journalName() string  { return "." + f.base + ".journal" }
func (f *file) nextName() string     { return "." + f.base + ".journal.next" }
func (f *file) tempName() string     { return "." + f.base + ".tmp" }
func (f *file) lockName() string     { return "." + f.base + ".lock" }
func (f *file) queueName() string    { return "." + f.base + ".queue" }

// show returns the path of one of the store's files for people.
func (f *file) show(name string) string { return f.dir.show(path.Join(path.Dir(f.name), name)) }

// fail makes the error of an operation on one of the store's files, with what
// to do about it.
func (f *file) fail(op, name string, err error) error {
	todo := ""
	switch {
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, errQuota):
		todo = "; free some space there, then run again"
	case errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE):
		todo = "; raise the limit of open files (ulimit -n; LimitNOFILE= in a systemd unit), or allow fewer runs at once with --max-concurrent-runs"
	case errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS):
		todo = "; make the folder and its files writable for this user"
	case errors.Is(err, fs.ErrNotExist):
		todo = "; the folder was removed while it was in use: start the program again"
	}
	return fmt.Errorf("cannot %s %s: %w%s", op, f.show(name), err, todo)
}

// current reports whether the index shows all that was written, by this process
// or another. It needs mu.
func (f *file) current() bool {
	if !f.loaded {
		return false
	}
	if f.leased.Load() {
		return true
	}
	if f.gen.journal == nil {
		return !f.there(f.journalName())
	}
	size, err := f.gen.journal.Seek(0, io.SeekEnd)
	return err == nil && size == f.end
}

// refresh brings the index up to date. It needs the lock.
func (f *file) refresh(ages bool) error {
	if ages && !f.wantAges {
		f.wantAges = true
		f.loaded = f.loaded && f.ix.Ages != nil
	}
	if !f.loaded {
		return f.load()
	}
	if f.lease != nil {
		return nil // nobody else has written since
	}
	if f.gen.journal == nil {
		if f.there(f.journalName()) {
			return f.load()
		}
		return nil
	}
	if err := f.lockJournal(f.gen); err != nil {
		return err
	}
	size, err := f.gen.journal.Seek(0, io.SeekEnd)
	if err != nil {
		return f.fail("read", f.journalName(), err)
	}
	if size == f.end {
		if unlinked(f.gen.journal) {
			return f.survive()
		}
		return nil
	}
	if size < f.end {
		return f.load()
	}
	return f.catchUp(size)
}

// survive is called when somebody has removed the journal under the store. If
// another store was put in its place, that is the store from now on. If not,
// all records are still at hand, and are written anew.
func (f *file) survive() error {
	other, err := f.edited()
	if err != nil {
		return err
	}
	if !other && !f.there(f.journalName()) {
		return f.rewrite()
	}
	f.dir.notice(fmt.Sprintf("the journal of %s was removed while it was in use, and the store replaced; what had been stored since its last sync is gone", f.show(f.snapshotName())))
	return f.load()
}

// catchUp applies what another process has added to the journal.
func (f *file) catchUp(size int64) error {
	dropped, err := f.replay(size)
	if err == errRetired {
		return f.load()
	}
	if err != nil {
		return f.journalError(err)
	}
	return f.cutTail(f.gen.journal, f.end, size, dropped)
}

// replay applies what is in the journal between the end known so far and size,
// and returns how many whole frames behind a broken one were left out.
func (f *file) replay(size int64) (dropped int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	rp := replay{jr: journalReader{r: f.gen.journal, size: size}, ix: f.ix, follow: true}
	end, err := rp.run(f.end)
	if err != nil {
		f.loaded = false
		return 0, err
	}
	f.end = end
	f.dirty = f.dirty || rp.changes > 0
	return rp.dropped, nil
}

// cutTail cuts the rest of a broken write off a journal.
func (f *file) cutTail(j *os.File, end, size int64, dropped int) error {
	if end == size {
		return nil
	}
	if dropped > 0 {
		f.dir.notice(fmt.Sprintf("%s: the last %d batches before a power cut had not reached the disk and are lost; what they held will be fetched again", f.show(f.snapshotName()), dropped))
	}
	if err := j.Truncate(end); err != nil {
		return f.fail("repair", f.journalName(), err)
	}
	return nil
}

func (f *file) journalError(err error) error {
	var d *damage
	if errors.As(err, &d) || errors.Is(err, errNotJournal) {
		return fmt.Errorf("the journal %s can't be used: %w; restore it from a backup, or move it away to go on with what %s holds (steps finished since its last sync are then lost). Both were left as they are", f.show(f.journalName()), err, f.snapshotName())
	}
	return f.fail("read", f.journalName(), err)
}

// wasteful reports whether the journal is mostly out of date.
func (f *file) wasteful() bool { return f.end > max(replaceAbove, 2*f.ix.LiveBytes) }

// behind reports whether the snapshot is to be written anew for those who read
// it while a long run goes on: there is none yet, or the journal holds more than
// it does. As it doubles each time, what that costs stays in proportion to what
// is stored.
func (f *file) behind() bool {
	switch {
	case !f.dirty || f.dir.still:
		return false
	case f.gen.snap == nil:
		return true
	case f.end-headerSize <= f.gen.snapInfo.Size():
		return false
	}
	return f.dir.now().Sub(f.replaced) >= max(followEvery, 10*f.took)
}

// write lets fn change the store as one batch, after expired records are gone.
func (f *file) write(ctx context.Context, opt store.Options, to purpose, fn func(c *table.Change) error) error {
	return f.locked(ctx, to, func() error {
		err := f.change(opt, fn)
		if errors.Is(err, errChanged) {
			// Somebody wrote over the file. It is the truth now.
			f.mu.Lock()
			f.loaded = false
			f.mu.Unlock()
			err = f.change(opt, fn)
		}
		if err != nil {
			return err
		}
		f.flushLater()
		if f.wasteful() || f.behind() {
			f.replaceEarly()
			return nil
		}
		if f.ix.Wasteful() {
			f.mu.Lock()
			f.ix = f.ix.Rebuilt(func(e table.Entry) table.Entry { return e })
			f.mu.Unlock()
		}
		return nil
	})
}

// replaceEarly replaces the snapshot before the next Sync. Should that fail,
// the journal goes on; the batch in it was stored all the same, and the next
// Sync will say what is wrong.
func (f *file) replaceEarly() {
	if f.end < f.retryAbove {
		return
	}
	f.retryAbove = 0
	f.endLease()
	err := f.refresh(false)
	if err == nil {
		err = f.replace()
	}
	if err != nil {
		f.retryAbove = 2 * f.end
	}
}

// change is write with the lock.
func (f *file) change(opt store.Options, fn func(c *table.Change) error) error {
	if err := f.refresh(opt.TTL > 0); err != nil {
		return err
	}
	if f.gen.journal == nil || f.stale {
		if err := f.startJournal(); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	b, c := &f.batch, &f.doing
	b.begin(opt.NowMilli())
	c.Begin(f.ix, b, f.dir.scratch, b.now)
	defer c.End()
	err := error(nil)
	if cutoff, ok := opt.Cutoff(); ok {
		err = c.Expire(cutoff)
	}
	if err == nil {
		err = fn(c)
	}
	if err == nil {
		err = b.commit()
	}
	if err != nil && b.touched {
		// The index shows what was not stored.
		f.loaded = false
	}
	return err
}

// fresh makes the index current and expired records gone, for a reader.
func (f *file) fresh(ctx context.Context, opt store.Options) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	cutoff, expires := opt.Cutoff()
	if f.upToDate(cutoff, expires) {
		return nil
	}
	if err := f.follow(ctx); err != nil {
		return err
	}
	if f.upToDate(cutoff, expires) {
		return nil
	}
	if expires {
		return orEmpty(f.write(ctx, opt, toChange, func(*table.Change) error { return nil }))
	}
	return orEmpty(f.locked(ctx, toRead, func() error { return f.refresh(false) }))
}

// upToDate reports whether the index is current and no record in it expired.
func (f *file) upToDate(cutoff int64, expires bool) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.current() && (!expires || f.ix.Ages != nil && !f.ix.Ages.Expired(cutoff))
}

// follow applies what another process has added to the journal, without the
// lock, which the other may keep for a while. Batches there are whole or their
// checksums don't fit; where they don't, and where the journal was replaced,
// the index stays out of date, and who has the lock finds out what is wrong.
func (f *file) follow(ctx context.Context) error {
	if err := f.takeTurn(ctx); err != nil {
		return err
	}
	defer f.passTurn()
	if !f.loaded || f.gen.journal == nil || f.lease != nil {
		return nil
	}
	size, err := f.gen.journal.Seek(0, io.SeekEnd)
	if err == nil && size > f.end {
		f.replay(size) // an error is met again with the lock
	}
	return nil
}

// orEmpty takes a store without files for an empty one.
func orEmpty(err error) error {
	if err == errNothing {
		return nil
	}
	return err
}

// sync makes all that was put durable and the snapshot show it.
func (f *file) sync(ctx context.Context) error {
	return orEmpty(f.locked(ctx, toRead, f.syncLocked))
}

func (f *file) syncLocked() error {
	if !f.loaded {
		info, err := f.folder.Lstat(f.journalName())
		if err != nil || info.Size() <= headerSize {
			return nil // nobody here has used the store, and nobody left anything undone
		}
	}
	if err := f.refresh(false); err != nil {
		return err
	}
	if f.dirty || f.flushFailed() {
		err := f.replace()
		if errors.Is(err, errChanged) {
			// Somebody wrote over the file. It is the truth now.
			if err = f.load(); err == nil {
				err = f.replace()
			}
		}
		return err
	}
	return f.flush(f.gen, f.end)
}

// flush makes the journal of g durable up to end.
func (f *file) flush(g *generation, end int64) error {
	if g.journal == nil || g.durable.Load() >= end || end <= headerSize {
		return nil // a journal without frames holds nothing
	}
	if err := g.journal.Sync(); err != nil {
		return f.fail("sync", f.journalName(), err)
	}
	if g.durable.Load() == 0 {
		// Who made the journal left its name to the first flush, and may have
		// been killed before that.
		if err := syncFolder(f.folder); err != nil {
			return f.fail("sync the folder of", f.journalName(), err)
		}
	}
	g.durable.Store(end)
	return nil
}

// flushLater makes the journal durable within flushAfter.
func (f *file) flushLater() {
	if f.due.Load() {
		return
	}
	f.flushMu.Lock()
	defer f.flushMu.Unlock()
	if f.timer == nil && f.gen.durable.Load() < f.end {
		f.flushes.Add(1)
		f.due.Store(true)
		f.timer = time.AfterFunc(flushAfter, func() {
			defer f.flushes.Done()
			f.flushNow()
		})
	}
}

func (f *file) flushNow() {
	f.flushMu.Lock()
	f.timer = nil
	f.due.Store(false)
	f.flushMu.Unlock()
	f.mu.RLock()
	g, end := f.gen, f.end
	g.hold()
	f.mu.RUnlock()
	defer g.release()
	if err := f.flush(g, end); err != nil {
		f.flushMu.Lock()
		f.flushed = err
		f.flushMu.Unlock()
	}
}

// flushFailed reports whether a background flush has failed since the snapshot
// was replaced. A system tells of lost writes only once, so that another flush
// would not tell again.
func (f *file) flushFailed() bool {
	f.flushMu.Lock()
	defer f.flushMu.Unlock()
	return f.flushed != nil
}

// stopFlushes ends the background flush and waits for one in progress.
func (f *file) stopFlushes() {
	f.flushMu.Lock()
	if f.timer != nil && f.timer.Stop() {
		f.timer = nil
		f.due.Store(false)
		f.flushes.Done()
	}
	f.flushMu.Unlock()
	f.flushes.Wait()
}

// shutdown syncs and closes the files. Further uses fail with ErrClosed.
func (f *file) shutdown() error {
	f.turn <- struct{}{}
	defer f.passTurn()
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := orEmpty(f.withLock(ctx, toRead, f.syncLocked))
	if f.lease != nil {
		f.giveLock()
	}
	f.watchers.Wait()
	f.stopFlushes()
	f.closed = true
	f.mu.Lock()
	f.loaded = false
	f.gen.release()
	f.gen = newGeneration()
	f.ix = table.NewIndex(false)
	f.mu.Unlock()
	for _, l := range []*os.File{f.lock, f.queue} {
		if l != nil {
			l.Close()
		}
	}
	if f.folder != nil {
		f.folder.Close()
	}
	if err != nil {
		return fmt.Errorf("store %q: %w", f.name, err)
	}
	return nil
}

// read returns the bytes of key's record.
func (f *file) read(key string) ([]byte, bool, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	i, _, ok := f.ix.Find(key)
	if !ok {
		return nil, false, nil
	}
	r := recordReader{fresh: true}
	r.reset(f.gen.snap, f.gen.journal)
	b, err := r.raw(f.ix.At(i))
	return b, err == nil, err
}

// get returns key's record.
func (f *file) get(ctx context.Context, opt store.Options, key string) (value.Value, bool, error) {
	if err := f.fresh(ctx, opt); err != nil {
		return value.Value{}, false, err
	}
	b, ok, err := f.read(key)
	if errors.Is(err, errChanged) {
		// Somebody wrote over the file. It is the truth now.
		if err := f.reload(ctx); err != nil {
			return value.Value{}, false, err
		}
		b, ok, err = f.read(key)
	}
	if !ok {
		return value.Value{}, false, f.recordError(key, err)
	}
	v, err := f.dir.scratch.Decode(b)
	return v, err == nil, f.recordError(key, err)
}

func (f *file) recordError(key string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("record %q can't be read: %w", key, err)
}

func (f *file) reload(ctx context.Context) error {
	return orEmpty(f.locked(ctx, toRead, f.load))
}

// reader returns a reader of the records as they are now, from the cursor on.
func (f *file) reader(ctx context.Context, opt store.Options, cursor string) (*table.Reader, error) {
	if err := f.fresh(ctx, opt); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	ix, g := f.ix, f.gen
	g.hold()
	rd := &recordReader{ahead: readAhead, fresh: true}
	rd.reset(g.snap, g.journal)
	r := table.NewReader(ix, f.dir.scratch, rd.raw, f.recordError, func() {
		g.release()
		f.mu.Lock()
		defer f.mu.Unlock()
		ix.Thaw()
	})
	r.Start(ix, cursor)
	return r, nil
}

// readAhead is how much is read at a time of many records. A value that somebody
// keeps holds that much.
const readAhead = 32 << 10
