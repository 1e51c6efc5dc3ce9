package vm

import (
	"context"
	"time"

	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// Host is the world outside the machine. Every method may be called from
// several tasks at once. An error of a method fails the step that asked.
type Host interface {
	// Fetch makes one HTTP exchange, with its retries. A failed request
	// (language definition, section 6.1) is no error but a Reply with Failure
	// set; an error is what no mission can handle, such as a cancelled context.
	Fetch(ctx context.Context, r *Request) (*Reply, error)
	// SyncKey returns what the sync position of a fetch is kept by, and the
	// origin that the fetch asks, "" if that can't be told. name is the path as it
	// is sent, or what syncKey gives; path is "" where it needs the position itself;
	// parts is null, or an object of the values in the request that tell one
	// parent from another.
	SyncKey(source int, name, path string, parts value.Value) (key, origin string)
	// Position returns the saved position as k.Position gives it, or null where
	// there is none to go by.
	Position(k *SyncKey, at At) value.Value
	// Fetched tells how an incremental fetch ended.
	Fetched(f *Fetched)
	// ResetPosition forgets a position at once; held tells that the fetch has said
	// before that it must not move.
	ResetPosition(k *SyncKey, held bool) error
	// Checkpoint puts on disk what the run has stored, and then saves the
	// positions that were told to Fetched under these keys.
	Checkpoint(ctx context.Context, keys []string) error

	StorePut(ctx context.Context, p *Put) error
	StoreGet(ctx context.Context, store int, key string) (value.Value, bool, error)
	StoreHas(ctx context.Context, store int, key string) (bool, error)
	StoreLen(ctx context.Context, store int) (int, error)
	StoreList(ctx context.Context, store int) ([]value.Value, error)
	StoreDelete(ctx context.Context, store int, key string) error
	StoreClear(ctx context.Context, store int) error

	// Log writes a log line of the mission; fields is an object or null.
	Log(level bytecode.Level, text string, fields value.Value, at At)
	// Warned tells that a `warn` of a validate step does not hold.
	Warned(text string, at At)
	// ItemFailed tells that an item of a loop failed and what the loop's policy
	// made of it. With PolicyAbort the error will end the loop.
	ItemFailed(policy bytecode.Policy, f *ItemFailure)
	// ItemLeft tells that the directive skip left out what had failed
	// (PolicySkip), or that queue wrote a letter (PolicyQueue).
	ItemLeft(policy bytecode.Policy, at At)
	// CutShort tells, once for each such fetch, that one has ended without
	// everything, or that nobody can know whether it has.
	CutShort(c *Cut)
	// Notice tells what a person should know of a request that went well.
	Notice(n *Notice)
	// ActionStarted and ActionDone frame an action; err is nil where it
	// succeeded.
	ActionStarted(action int)
	ActionDone(action int, err error)

	// Sleep waits, or returns the context's error.
	Sleep(ctx context.Context, d time.Duration) error
	Wait(ctx context.Context, options value.Value, at At) (value.Value, error)
	Pause(ctx context.Context, options value.Value, at At) error

	// Call answers what is no pure function of its arguments.
	Call(f bytecode.HostFunc, args []value.Value) (value.Value, error)
	Param(i int) value.Value
	Scheduled() value.Value // when this run was due
	LastRun() value.Value   // when the last successful run started, or null
	RunID() string
	// Parallelism returns the mission's parallelMode and maxParallel.
	Parallelism() (ParallelMode, int)
}

// ParallelMode is what the failure of one action of a bracket does to the others
// (language definition, section 5).
type ParallelMode uint8

// The modes of a bracket.
const (
	WaitAll    ParallelMode = iota // the others finish, then the run fails
	FailFast                       // the others are cancelled
	BestEffort                     // the run goes on, and has failed when it ends
)

// At is where in the mission something happens.
type At struct {
	Action int // in Program.Actions, or bytecode.None
	Pos    bytecode.Pos
}

// Request is one page of a fetch.
type Request struct {
	Fetch   *bytecode.FetchInfo
	Path    string      // from the step, escaped; or the absolute URL of a following page
	Next    bool        // Path is the URL that a Link header gave: its query is complete
	Options value.Value // object or null; see bytecode.FetchInfoInfo
	Param   value.Value // the page parameter to send, or null
	// FailWhen, RetryWhen and RetryWait judge an answer by the options of those
	// names; nil without the option. They may be called from several goroutines.
	FailWhen, RetryWhen, RetryWait Judge
	// IdempotencyKey is the same for requests that a retry directive repeats.
	IdempotencyKey string
	At             At
	Effect         Effect // its Count is -1 of a page that is asked for ahead
}

// Judge works out an expression over an answer. The error is an *Error, with the
// place in the mission.
type Judge func(ctx context.Context, a *Answer) (value.Value, error)

// Answer is what an expression about an answer is worked out over.
type Answer struct {
	Response value.Value // the body, or the envelope of a failed request
	Status   int         // 0 if there was no answer
	Headers  value.Value // an object, if FetchInfo.Headers says that the mission reads them
}

// Reply is what a request gave.
type Reply struct {
	Body    value.Value
	Status  int
	Headers value.Value // an object by names in lower case, if FetchInfo.Headers says that the mission reads them
	Time    int64       // when the request was sent, by the server's clock if it tells, in milliseconds since 1970
	Latest  int64       // the latest that it can be now, by either side's clock; 0: unknown
	Next    string      // URL of the following page from the Link header, or ""
	Linked  bool        // the Link header says that another page follows, wherever it is
	Total   int64       // how many items there are on all pages, by a header; 0: it does not say
	Last    bool        // no other page is to be asked for
	Failure *Failure
	// Reject makes the failure of the request, where its answer is good but no
	// page of the fetch. Nil: the error is all.
	Reject func(why error) *Failure
	// Resolve gives the absolute address of a reference to the next page, which
	// may be relative to the address of this one, or an error where that must not
	// be asked for.
	Resolve func(reference string) (string, error)
}

// Failure is a failed request: the envelope that a match of the response sees,
// and the reason for where nothing handles it.
type Failure struct {
	Envelope value.Value
	Text     string // in UTF-8
	// ByStatus: its status is why it is a failure. Of another, such as one whose
	// body can't be read, a status below 400 means nothing.
	ByStatus bool
}

// Fetched tells how an incremental fetch ended.
type Fetched struct {
	SyncKey
	Held     bool        // the position must not move in this run
	Repeated bool        // the request that held it is made once more: that one counts no longer
	Skipped  bool        // it is held since its iteration failed, and the mission says that this is no failure
	Rises    bool        // the position must not go back
	Position value.Value // the new position; null: as it was
}

// Cut is a fetch that was cut short: it did not fail, and has not fetched
// everything (language definition, section 6.1, "Cut short").
type Cut struct {
	Reasons []CutReason // at least one, the first that came up first
	Held    bool        // the fetch has a sync position, which must not move
	At      At
}

// CutReason is why a fetch was cut short.
type CutReason struct {
	Kind CutKind
	Text string // what happened, as it follows the word "Fetch"
}

// CutKind is a kind of reason for which a fetch is cut short.
type CutKind uint8

// The kinds.
const (
	CutLimit      CutKind = iota // maxPages or maxItems ended it
	CutCursor                    // nothing is where paginate says the next cursor is
	CutUpdateFrom                // no item has what updateFrom names: all has come, but nobody knows up to where
	CutErrors                    // an answer has items, and errors beside them
	CutNext                      // an answer says that there is more, and no request asks for it
	CutBefore                    // the first page says that there is one before it
)

// Notice is what a person should know of a request that went well, once a step
// and run.
type Notice struct {
	Kind NoticeKind
	Text string
	At   At
}

// NoticeKind is a kind of notice.
type NoticeKind uint8

// The kinds. Those up to NoticeRedirect are warnings, the others information.
const (
	NoticeNoTime   NoticeKind = iota // `lastSync - d` of a position that is no time
	NoticeFuture                     // a time in the future is no sync position
	NoticeOrigin                     // a saved position is of another origin
	NoticeDate                       // a Date header lies in the future
	NoticePosition                   // a position can't be sent
	NoticeRetry                      // what decides about another attempt can't be worked out
	NoticeRedirect                   // a redirect has lost the query
	NoticeCursor                     // no page had anything where paginate says the next cursor is
	NoticeSeam                       // items without an id were dropped where two pages overlap
)

// onPurpose tells whether a mission may mean it so.
func (k CutKind) onPurpose() bool { return k == CutLimit || k == CutNext || k == CutBefore }

// Put is what a store step writes, as one batch.
type Put struct {
	Store   int
	Records []value.Value // objects
	// Keys are the records' keys, where the step says what they are; else nil.
	// They end before the first record whose key can't be one: BadKey says why,
	// and nothing is to be stored.
	Keys   []string
	BadKey error
	Merge  bool  // merge top-level fields where the key is there
	Err    error // not nil: why nothing of it can be stored; StorePut counts that, and returns it
	At     At
	Effect Effect
}

// ItemFailure is a failed item of a loop.
type ItemFailure struct {
	Index int         // from 0
	ID    value.Value // the item's id, or null
	Store int         // the only store that the loop's items go to, which this one has not reached; or bytecode.None
	Err   *Error
	At    At
}
