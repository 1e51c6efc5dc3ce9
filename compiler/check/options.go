package check

import "reqon/compiler/syntax"

// OptionKind is what an option's value is.
type OptionKind uint8

// The kinds of options. Where a kind says "expression", the value is worked out
// when the mission runs, and the checker holds against it what it can see.
const (
	// AnyExpr is any expression.
	AnyExpr OptionKind = iota
	// Text is an expression that gives a string.
	Text
	// Bool is an expression that gives a boolean.
	Bool
	// Number is an expression that gives a number above 0.
	Number
	// Count is an expression that gives a whole number from Min on.
	Count
	// Time is an expression that gives milliseconds, or text such as "30s".
	Time
	// Seconds is an expression that gives a number of seconds.
	Seconds
	// Size is an expression that gives a number of bytes, or text such as "10MB".
	Size
	// Words takes one of Words, bare or as a string.
	Words
	// TextOrWords takes one of Words bare or as a string, or any other text.
	TextOrWords
	// Block is an option block whose options are those of Sub.
	Block
	// Object is an expression that gives an object with free keys.
	Object
	// List is an expression that gives an array; Elem says of what.
	List
	// Item is an expression whose subject is the record or event at hand.
	Item
	// SourceName names a source of the mission, bare or as a string.
	SourceName
	// StoreName names a store, bare or as a string.
	StoreName
	// Pages is the value of paginate: a call of page, offset, cursor or link,
	// which are no functions but forms of this option alone.
	Pages
	// Until is a condition with `response`, the page, and the page parameter.
	Until
	// Resume is the value of resumeOn: the word timeout, or webhook "/path".
	Resume
)

// OptionSpec is one option of a set.
type OptionSpec struct {
	Name string
	Kind OptionKind
	Doc  string // one line; with the default, if it has one

	// Words are the words it takes bare (a *syntax.Name) or as a string. A bare
	// name that is one of them is the word, even if a variable has that name.
	Words []string
	// Sub holds the options of a Block.
	Sub *OptionSet
	// OrBool: true and false are accepted as well.
	OrBool bool
	// Elem is the kind of the elements of a List.
	Elem OptionKind
	// Min is the least Count.
	Min int64
	// Plausible is the least bare number of milliseconds that a Time is likely
	// to be meant; below it the checker asks. 0 takes the general least, 100.
	Plausible int64
	// Required: it must be given.
	Required bool
	// Constant: the value must be written out, since it is needed before
	// anything runs. See the function Constant.
	Constant bool
	// Secret: a literal value is warned about.
	Secret bool
	// PageParam: the page parameter is a variable in it.
	PageParam bool
	// Idle: it is accepted and not in force yet.
	Idle bool
}

// OptionSet is the options that one block takes.
type OptionSet struct {
	Name  string // as in "`timeot` is no option of a source"
	specs []OptionSpec
}

// Spec returns the option of that name, or nil.
func (s *OptionSet) Spec(name string) *OptionSpec {
	for i := range s.specs {
		if s.specs[i].Name == name {
			return &s.specs[i]
		}
	}
	return nil
}

// Names returns the names of all options, in the order of the definition.
func (s *OptionSet) Names() []string {
	names := make([]string, len(s.specs))
	for i := range s.specs {
		names[i] = s.specs[i].Name
	}
	return names
}

// Word returns the word that an expression stands for as the value of an option
// that takes words: a bare name, a string, or bare words joined by hyphens
// (`fail-fast`, which the parser reads as a difference).
func Word(e syntax.Expr) (word string, ok bool) {
	switch e := e.(type) {
	case *syntax.Name:
		return e.Name, true
	case *syntax.StringLit:
		return e.Value, true
	case *syntax.BinaryExpr:
		x, okX := e.X.(*syntax.Name)
		y, okY := e.Y.(*syntax.Name)
		if e.Op == syntax.OpSub && okX && okY && x.End == e.OpSpan.Start && e.OpSpan.End == y.Start {
			return x.Name + "-" + y.Name, true
		}
	}
	return "", false
}

// second and minute are in milliseconds, as the values of time options.
const (
	second = 1000
	minute = 60 * second
)

// The option sets of the language definition, sections 5 to 7. They are never
// written to.
var (
	retryOptions = &OptionSet{"retry", []OptionSpec{
		{Name: "maxAttempts", Kind: Count, Min: 1, Doc: "attempts, the first included (3)"},
		backoffOption,
		{Name: "initialDelay", Kind: Time, Doc: "wait before the second attempt (1s)"},
		{Name: "maxDelay", Kind: Time, Plausible: second, Doc: "longest wait between two attempts (30s)"},
		{Name: "jitter", Kind: Bool, Doc: "whether waits are spread at random (true)"},
	}}
	backoffOption = OptionSpec{Name: "backoff", Kind: Words, Words: []string{"exponential", "linear", "constant"},
		Doc: "how waits between attempts grow (exponential)"}

	rateLimitOptions = &OptionSet{"rateLimit", []OptionSpec{
		{Name: "requestsPerMinute", Kind: Number, Doc: "requests a minute"},
		{Name: "fallbackRpm", Kind: Number, Doc: "another name of requestsPerMinute"},
		{Name: "requestsPerSecond", Kind: Number, Doc: "requests a second"},
		{Name: "burst", Kind: Count, Min: 1, Doc: "requests that may go out at once"},
		{Name: "strategy", Kind: Words, Words: []string{"pause", "throttle", "fail"}, Doc: "what is done at the limit"},
		{Name: "maxWait", Kind: Time, Plausible: second, Doc: "longest wait before the request fails (60s)"},
		{Name: "adaptive", Kind: Bool, Doc: "whether the limit follows what the server says"},
	}}

	circuitBreakerOptions = &OptionSet{"circuitBreaker", []OptionSpec{
		{Name: "failureThreshold", Kind: Count, Min: 1, Doc: "failures that open it (5)"},
		{Name: "resetTimeout", Kind: Time, Plausible: second, Doc: "how long it stays open (30s)"},
		{Name: "successThreshold", Kind: Count, Min: 1, Doc: "successes that close it (2)"},
		{Name: "failureWindow", Kind: Time, Plausible: second, Doc: "in which failures are counted (60s)"},
	}}

	tlsOptions = &OptionSet{"tls", []OptionSpec{
		{Name: "ca", Kind: Text, Doc: "file with the certificates to trust"},
		{Name: "cert", Kind: Text, Doc: "file with the client's certificate"},
		{Name: "key", Kind: Text, Doc: "file with the client's key"},
		{Name: "serverName", Kind: Text, Doc: "the name that the server must prove"},
	}}

	sourceOptions = &OptionSet{"a source", []OptionSpec{
		{Name: "auth", Kind: Words, Words: []string{"none", "bearer", "basic", "api_key", "oauth2", "aws_sigv4"}, Doc: "kind of credentials"},
		{Name: "base", Kind: Text, Doc: "the address that paths are joined on to"},
		{Name: "headers", Kind: Object, Doc: "sent with every request"},
		{Name: "params", Kind: Object, Doc: "sent with every request"},
		{Name: "timeout", Kind: Time, Plausible: second, Doc: "of one attempt (30s)"},
		{Name: "retry", Kind: Block, Sub: retryOptions, Doc: "how failed attempts are repeated"},
		{Name: "rateLimit", Kind: Block, Sub: rateLimitOptions, Idle: true, Doc: "how many requests may go out"},
		{Name: "circuitBreaker", Kind: Block, Sub: circuitBreakerOptions, Idle: true, Doc: "when to stop asking a failing server"},
		{Name: "idempotency", Kind: Bool, Doc: "whether writes carry an Idempotency-Key (false)"},
		{Name: "proxy", Kind: Text, Doc: "address of the proxy"},
		{Name: "tls", Kind: Block, Sub: tlsOptions, Doc: "certificates"},
		{Name: "maxResponseSize", Kind: Size, Doc: "of one response (64 MiB)"},
		{Name: "maxInFlight", Kind: Count, Min: 1, Doc: "requests at once"},
		{Name: "validateResponses", Kind: Bool, Doc: "whether responses are held against the OpenAPI document"},
		{Name: "validationMode", Kind: Words, Words: []string{"strict", "warn"}, Doc: "what a response that does not fit does"},
		{Name: "specAuth", Kind: AnyExpr, Doc: "credentials as the OpenAPI document says"},
		{Name: "token", Kind: Text, Secret: true, Doc: "bearer token"},
		{Name: "username", Kind: Text, Doc: "of basic credentials"},
		{Name: "password", Kind: Text, Secret: true, Doc: "of basic credentials"},
		{Name: "apiKey", Kind: Text, Secret: true, Doc: "API key"},
		{Name: "apiKeyHeader", Kind: Text, Doc: "the header that carries the key (X-API-Key)"},
		{Name: "apiKeyQuery", Kind: Text, Doc: "the query parameter that carries the key"},
	}}

	requestOptions = &OptionSet{"a request", []OptionSpec{
		{Name: "source", Kind: SourceName, Doc: "the source (the first declared)"},
		{Name: "params", Kind: Object, PageParam: true, Doc: "query parameters"},
		{Name: "headers", Kind: Object, PageParam: true, Doc: "headers"},
		{Name: "body", Kind: AnyExpr, PageParam: true, Doc: "sent as JSON"},
		{Name: "form", Kind: Object, Doc: "sent form-encoded"},
		{Name: "timeout", Kind: Time, Plausible: second, Doc: "of one attempt"},
		{Name: "retry", Kind: Block, Sub: retryOptions, Doc: "how failed attempts are repeated"},
		{Name: "paginate", Kind: Pages, Doc: "how pages are fetched"},
		{Name: "until", Kind: Until, PageParam: true, Doc: "true on the last page"},
		{Name: "maxPages", Kind: Count, Min: 1, Doc: "pages at most"},
		{Name: "maxItems", Kind: Count, Min: 1, Doc: "items at most"},
		{Name: "since", Kind: AnyExpr, Doc: "from when on changes are asked for"},
		{Name: "sinceParam", Kind: Text, Doc: "the parameter that carries it (since)"},
		{Name: "sinceFormat", Kind: TextOrWords, Words: []string{"ISO", "timestamp", "epoch"}, Doc: "its form, or a date pattern (ISO)"},
		{Name: "syncKey", Kind: Text, Doc: "the name under which the sync position is kept"},
		{Name: "updateFrom", Kind: Text, Doc: "the items' field whose greatest value is the new position"},
		{Name: "allow", Kind: List, Elem: Count, Doc: "statuses of 400 and more that are no failure"},
		{Name: "rateLimit", Kind: Block, Sub: rateLimitOptions, Idle: true, Doc: "how many such requests may go out"},
	}}

	storeOptions = &OptionSet{"a store", []OptionSpec{
		{Name: "keep", Kind: Count, Min: 1, Doc: "the newest N records are kept"},
		{Name: "ttl", Kind: Time, Plausible: second, Doc: "older records are gone"},
	}}

	storeStepOptions = &OptionSet{"`store`", []OptionSpec{
		{Name: "key", Kind: Item, Doc: "the record's key (its `id`)"},
		{Name: "upsert", Kind: Bool, Doc: "merge into a record of that key (false)"},
		{Name: "partial", Kind: Bool, Doc: "false with upsert: replace it"},
	}}

	scheduleRetryOptions = &OptionSet{"retry", []OptionSpec{
		{Name: "maxRetries", Kind: Count, Constant: true, Doc: "runs after a failed one"},
		{Name: "delaySeconds", Kind: Seconds, Constant: true, Doc: "between two of them"},
	}}

	retryOnFailureOptions = &OptionSet{"retryOnFailure", []OptionSpec{
		{Name: "maxAttempts", Kind: Count, Constant: true, Min: 1, Doc: "runs, the first included"},
		{Name: "backoff", Kind: Words, Constant: true, Words: backoffOption.Words, Doc: "how waits grow (exponential)"},
		{Name: "initialDelay", Kind: Time, Constant: true, Doc: "wait before the second run"},
		{Name: "maxDelay", Kind: Time, Constant: true, Plausible: second, Doc: "longest wait between two runs"},
	}}

	scheduleSpecs = []OptionSpec{
		{Name: "timezone", Kind: Text, Constant: true, Doc: "IANA time zone (the system's)"},
		{Name: "skipIfRunning", Kind: Bool, Constant: true, Doc: "whether a due time passes while the last run goes on (true)"},
		{Name: "maxConcurrency", Kind: Count, Constant: true, Min: 1, Doc: "runs of the mission at once (1)"},
		{Name: "runImmediately", Kind: Bool, Constant: true, Doc: "whether it runs at start (false)"},
		{Name: "jitter", Kind: Time, Constant: true, Doc: "each due time is put off by a random time up to this"},
		{Name: "catchUp", Kind: Words, OrBool: true, Constant: true, Words: []string{"all"}, Doc: "what is done about missed times (false)"},
		{Name: "timeout", Kind: Time, Constant: true, Plausible: second, Doc: "of a whole run"},
		{Name: "retry", Kind: Block, Constant: true, Sub: scheduleRetryOptions, Doc: "runs after a failed one"},
		{Name: "retryOnFailure", Kind: Block, Constant: true, Sub: retryOnFailureOptions, Doc: "runs after a failed one"},
	}

	scheduleOptions = &OptionSet{"a schedule", scheduleSpecs}

	missionOptions = &OptionSet{"a mission", append(scheduleSpecs[:len(scheduleSpecs):len(scheduleSpecs)],
		OptionSpec{Name: "parallelMode", Kind: Words, Constant: true, Words: []string{"fail-fast", "best-effort"}, Doc: "what a failure in a bracket does"},
		OptionSpec{Name: "maxParallel", Kind: Count, Constant: true, Min: 1, Doc: "actions of a bracket at once"},
		OptionSpec{Name: "checkpoint", Kind: Words, Constant: true, Words: []string{"afterStep", "onFailure"}, Doc: "when a run is saved"},
		OptionSpec{Name: "trace", Kind: Words, Constant: true, Words: []string{"full", "minimal"}, Doc: "what is recorded of a run"},
	)}

	waitStorageOptions = &OptionSet{"storage", []OptionSpec{
		{Name: "target", Kind: StoreName, Required: true, Doc: "the store that events are put into"},
		{Name: "key", Kind: Item, Doc: "the event's key"},
	}}

	waitOptions = &OptionSet{"`wait`", []OptionSpec{
		{Name: "path", Kind: Text, Doc: "the path that the webhook is received on"},
		{Name: "timeout", Kind: Time, Plausible: second, Doc: "how long is waited (5m)"},
		{Name: "expectedEvents", Kind: Count, Min: 1, Doc: "events to wait for (1)"},
		{Name: "eventFilter", Kind: Item, Doc: "which events count; the subject is the event"},
		{Name: "storage", Kind: Block, Sub: waitStorageOptions, Doc: "where events are stored"},
		{Name: "retryOnTimeout", Kind: Block, OrBool: true, Sub: retryDirectiveOptions, Doc: "whether to wait again"},
	}}

	pauseOptions = &OptionSet{"`pause`", []OptionSpec{
		{Name: "duration", Kind: Time, Plausible: second, Doc: "how long"},
		{Name: "resumeOn", Kind: Resume, Words: []string{"timeout"}, Doc: "timeout, or webhook \"/path\""},
	}}

	retryDirectiveOptions = &OptionSet{"`retry`", []OptionSpec{
		{Name: "maxAttempts", Kind: Count, Min: 1, Doc: "attempts, the first included (3)"},
		backoffOption,
		{Name: "initialDelay", Kind: Time, Doc: "wait before the second attempt"},
		{Name: "maxDelay", Kind: Time, Plausible: second, Doc: "longest wait between two attempts"},
		{Name: "delay", Kind: Time, Doc: "the wait between two attempts, always the same"},
	}}

	queueOptions = &OptionSet{"`queue`", []OptionSpec{
		{Name: "item", Kind: AnyExpr, Doc: "what is written"},
		{Name: "key", Kind: Item, Doc: "its key"},
	}}
)

// SourceOptions returns the options of a source (section 5).
func SourceOptions() *OptionSet { return sourceOptions }

// RequestOptions returns the options of a request (section 6.1).
func RequestOptions() *OptionSet { return requestOptions }

// RetryOptions returns the options of retry in a source or a request
// (section 6.1).
func RetryOptions() *OptionSet { return retryOptions }

// RateLimitOptions returns the options of rateLimit (section 5).
func RateLimitOptions() *OptionSet { return rateLimitOptions }

// CircuitBreakerOptions returns the options of circuitBreaker (section 5).
func CircuitBreakerOptions() *OptionSet { return circuitBreakerOptions }

// TLSOptions returns the options of tls (section 5).
func TLSOptions() *OptionSet { return tlsOptions }

// StoreOptions returns the options of a store's declaration (section 6.4).
func StoreOptions() *OptionSet { return storeOptions }

// StoreStepOptions returns the options of a store step (section 6.4).
func StoreStepOptions() *OptionSet { return storeStepOptions }

// MissionOptions returns the options of a mission, those of its schedule
// included (section 5).
func MissionOptions() *OptionSet { return missionOptions }

// ScheduleOptions returns the options in the block behind a schedule
// (section 5).
func ScheduleOptions() *OptionSet { return scheduleOptions }

// WaitOptions returns the options of a wait step (section 7).
func WaitOptions() *OptionSet { return waitOptions }

// PauseOptions returns the options of a pause step (section 7).
func PauseOptions() *OptionSet { return pauseOptions }

// RetryDirectiveOptions returns the options of the retry directive
// (section 6.2).
func RetryDirectiveOptions() *OptionSet { return retryDirectiveOptions }

// QueueOptions returns the options of the queue directive (section 6.2).
func QueueOptions() *OptionSet { return queueOptions }
