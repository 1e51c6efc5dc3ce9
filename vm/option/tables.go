package option

// Place is where options stand.
type Place uint8

// The places of options.
const (
	InSource         Place = iota // source Name { … }
	InRequest                     // get "/path" { … } and kin, call
	InStore                       // store name: adapter { … }
	InStoreStep                   // store x -> name { … }
	InMission                     // mission Name { option: … }
	InSchedule                    // schedule: every 5 minutes { … }
	InWait                        // wait { … }
	InPause                       // pause { … }
	InRetryDirective              // match response { 500 -> retry { … } }
	InQueue                       // match response { 500 -> queue name { … } }
	InSince                       // since: lastSync { … }
	InLogin                       // source Name { login { … } }
	InLoginRequest                // source Name { login { post "/path" { … } } }
	placeCount
)

// At returns the options of a place.
func At(p Place) *Set { return places[p] }

// Places calls yield for every place and its options.
func Places(yield func(Place, *Set) bool) {
	for p := range placeCount {
		if !yield(p, places[p]) {
			return
		}
	}
}

var places = [placeCount]*Set{
	InSource: &source, InRequest: &request, InStore: &store, InStoreStep: &storeStep, InMission: &mission,
	InSchedule: &schedule, InWait: &wait, InPause: &pause, InRetryDirective: &retryDirective, InQueue: &queue, InSince: &sinceBlock,
	InLogin: &login, InLoginRequest: &loginRequest,
}

// second is in milliseconds, as the values of time options.
const second = 1000

// maxItems is the greatest number that a float holds with all those below it.
const maxItems = 1 << 53

// The sets of the language definition, sections 5 to 7. They hold constants
// only, so that nothing is worked out when the program starts.
var (
	source = Set{Name: "a source", specs: []Spec{
		{Name: "auth", Kind: Words, Words: []string{"none", "bearer", "basic", "api_key", "oauth2", "aws_sigv4"}, Doc: "kind of credentials"},
		{Name: "base", Kind: Text, Form: Address, NotNull: true, Doc: "the address that paths are joined on to"},
		{Name: "headers", Kind: Object, Doc: "sent with every request"},
		{Name: "params", Kind: Object, Doc: "sent with every request"},
		{Name: "timeout", Kind: Time, Default: "30s", Above0: true, Plausible: second, Doc: "of one attempt"},
		{Name: "retry", Kind: Block, Sub: &retry, Doc: "how failed attempts are repeated"},
		{Name: "rateLimit", Kind: Block, Sub: &rateLimit, Doc: "how many requests may go out"},
		{Name: "circuitBreaker", Kind: Block, Sub: &circuitBreaker, Doc: "when to stop asking a failing server"},
		{Name: "failWhen", Kind: Answer, Doc: "what makes a good answer a failed request: anything that is not empty"},
		{Name: "idempotency", Kind: Bool, Default: "false", Doc: "whether writes carry an Idempotency-Key"},
		{Name: "origins", Kind: List, Elem: Text, Doc: "other origins that a next page may have; they get the credentials too"},
		{Name: "proxy", Kind: Text, Form: Proxy, Doc: "address of the proxy", NotYet: "set the environment variable HTTPS_PROXY or HTTP_PROXY instead"},
		{Name: "tls", Kind: Block, Sub: &tls, Doc: "certificates", NotYet: "take it out"},
		{Name: "maxResponseSize", Kind: Size, Default: "64MiB", Doc: "of one response"},
		{Name: "maxInFlight", Kind: Count, Min: 1, Doc: "requests at once"},
		{Name: "sign", Kind: Signature, Doc: "headers, and entries of params and form, that are worked out for each attempt"},
		{Name: "validateResponses", Kind: Bool, Default: "false", Doc: "whether responses are held against the OpenAPI document", NotYet: "take it out: it is for a source `from` an OpenAPI document"},
		{Name: "validationMode", Kind: Words, Words: []string{"strict", "warn"}, Doc: "what a response that does not fit does", NotYet: "take it out: it is for a source `from` an OpenAPI document"},
		{Name: "specAuth", Kind: Bool, Default: "false", Doc: "credentials as the OpenAPI document says", NotYet: "take it out: it is for a source `from` an OpenAPI document"},
		{Name: "token", Kind: Text, Secret: true, Doc: "bearer token"},
		{Name: "username", Kind: Text, Doc: "of basic credentials"},
		{Name: "password", Kind: Text, Secret: true, Doc: "of basic credentials"},
		{Name: "apiKey", Kind: Text, Secret: true, Doc: "API key"},
		{Name: "apiKeyHeader", Kind: Text, Form: HeaderName, Default: "X-API-Key", Doc: "the header that carries the key"},
		{Name: "apiKeyQuery", Kind: Text, Doc: "the query parameter that carries the key"},
	}}

	login = Set{Name: "`login`", specs: []Spec{
		{Name: "headers", Kind: Object, Doc: "headers that requests carry then"},
		{Name: "token", Kind: Text, Doc: "a bearer token that they carry"},
		{Name: "params", Kind: Object, Doc: "query parameters that they carry"},
		{Name: "cookies", Kind: Bool, Default: "false", Doc: "whether they carry the cookies of the answer"},
		{Name: "base", Kind: Text, Form: Address, Doc: "the address that paths are joined on to then"},
		{Name: "expires", Kind: Any, Doc: "when the sign-in ends; without it, when it is not taken any longer"},
		{Name: "keep", Kind: Object, Doc: "what the next sign-in finds as login.name"},
		{Name: "when", Kind: Until, Doc: "true of an answer that says that the sign-in is over"},
	}}

	loginRequest = Set{Name: "the request of `login`", specs: []Spec{
		{Name: "params", Kind: Object, Doc: "query parameters"},
		{Name: "headers", Kind: Object, Doc: "headers"},
		{Name: "body", Kind: Any, Excludes: "form", Doc: "sent as JSON"},
		{Name: "form", Kind: Object, Excludes: "body", Doc: "sent form-encoded"},
		{Name: "timeout", Kind: Time, Above0: true, Plausible: second, Doc: "of one attempt; without it the source's"},
	}}

	request = Set{Name: "a request", specs: []Spec{
		{Name: "source", Kind: SourceName, Doc: "the source; without it the first declared"},
		{Name: "params", Kind: Object, PageParam: true, Doc: "query parameters"},
		{Name: "headers", Kind: Object, PageParam: true, Doc: "headers"},
		{Name: "body", Kind: Any, PageParam: true, Excludes: "form", Doc: "sent as JSON"},
		{Name: "form", Kind: Object, Excludes: "body", Doc: "sent form-encoded"},
		{Name: "timeout", Kind: Time, Above0: true, Plausible: second, Doc: "of one attempt; without it the source's"},
		{Name: "retry", Kind: Block, PageParam: true, Sub: &retry, Doc: "how failed attempts are repeated; what it leaves out is the source's"},
		{Name: "paginate", Kind: Pages, Doc: "how pages are fetched"},
		{Name: "paginate.size", Kind: Count, Min: 1, Max: maxItems, Made: true, Doc: "the size that paginate names"},
		{Name: "until", Kind: Until, PageParam: true, Doc: "true on the last page"},
		{Name: "maxPages", Kind: Count, Min: 1, Max: maxItems, Doc: "pages at most"},
		{Name: "maxItems", Kind: Count, Min: 1, Max: maxItems, Doc: "items at most"},
		{Name: "allowCut", Kind: Bool, Default: "false", Doc: "whether what is not fetched is left out on purpose"},
		{Name: "since", Kind: Any, Doc: "from when on changes are asked for"},
		{Name: "sinceParam", Kind: Text, Default: "since", Excludes: "sinceHeader", Doc: "the parameter that carries it"},
		{Name: "sinceHeader", Kind: Text, Form: HeaderName, Excludes: "sinceParam", Doc: "the header that carries it in place of a parameter"},
		{Name: "sinceFormat", Kind: TextOrWords, Words: sinceWords, Default: "ISO", Doc: "its form, or a date pattern"},
		{Name: "sinceZone", Kind: Text, Form: Zone, Doc: "the IANA zone of times without an offset, and of a date pattern; without it UTC"},
		{Name: "syncKey", Kind: Text, Doc: "the name under which the sync position is kept"},
		{Name: "updateFrom", Kind: Any, PageParam: true, Doc: "the items' field whose greatest value is the new position, or that itself, worked out over the last page"},
		{Name: "failWhen", Kind: Answer, PageParam: true, Doc: "what makes a good answer a failed request: anything that is not empty; without it the source's"},
		{Name: "allow", Kind: List, Elem: Status, Doc: "statuses of failures that are none"},
		{Name: "omitNull", Kind: Bool, Default: "false", Doc: "whether fields that are null are left out of the body"},
		{Name: "decode", Kind: Decode, Words: decodeWords, Doc: "what the body is, whatever its type says"},
		{Name: "csv", Kind: Block, Sub: &csvBlock, Doc: "how a body of separated values is written"},
		{Name: "rateLimit", Kind: Block, Sub: &requestRateLimit, Doc: "how many such requests may go out"},
	}}

	csvBlock = Set{Name: "csv", specs: []Spec{
		{Name: "delimiter", Kind: Text, Default: ",", Doc: "the character between two fields"},
		{Name: "quote", Kind: Text, Default: `"`, Doc: "the character around a field that holds others"},
		{Name: "header", Kind: Any, Default: "true", Doc: "whether the first line names the columns, or their names where no line does"},
		{Name: "comment", Kind: Text, Doc: "what the lines to pass over begin with"},
		{Name: "skip", Kind: Count, Default: "0", Doc: "lines to pass over at the start"},
		{Name: "nullValues", Kind: List, Elem: Text, Doc: "texts that are null where they are not quoted"},
	}}

	sinceBlock = Set{Name: "since", specs: []Spec{
		{Name: "param", Kind: Text, Default: "since", Excludes: "header", Doc: "the parameter that carries it"},
		{Name: "header", Kind: Text, Form: HeaderName, Excludes: "param", Doc: "the header that carries it in place of a parameter"},
		{Name: "format", Kind: TextOrWords, Words: sinceWords, Default: "ISO", Doc: "its form, or a date pattern"},
		{Name: "zone", Kind: Text, Form: Zone, Doc: "the IANA zone of times without an offset, and of a date pattern; without it UTC"},
		{Name: "updateFrom", Kind: Any, PageParam: true, Doc: "the items' field whose greatest value is the new position, or that itself, worked out over the last page"},
	}}

	retry = Set{Name: "retry", specs: []Spec{
		{Name: "maxAttempts", Kind: Count, Min: 1, Default: "3", Doc: "attempts, the first included"},
		{Name: "backoff", Kind: Words, Words: backoffWords, Default: "exponential", Doc: "how waits between attempts grow"},
		{Name: "initialDelay", Kind: Time, Default: "1s", Doc: "wait before the second attempt"},
		{Name: "maxDelay", Kind: Time, Default: "30s", Plausible: second, Doc: "longest wait between two attempts"},
		{Name: "jitter", Kind: Bool, Default: "true", Doc: "whether waits are spread at random"},
		{Name: "on", Kind: List, Elem: Status, Doc: "statuses that are repeated as well, for every method"},
		{Name: "when", Kind: Answer, PageParam: true, Doc: "whether a failed request, the response in it, is repeated; null leaves it to the rules"},
		{Name: "wait", Kind: Answer, PageParam: true, Doc: "milliseconds, or the time to wait until; null leaves it to the rules"},
	}}

	rateLimit = Set{Name: "rateLimit", specs: []Spec{
		{Name: "requestsPerSecond", Kind: Number, Doc: "requests a second"},
		{Name: "requestsPerMinute", Kind: Number, Doc: "requests a minute"},
		{Name: "fallbackRpm", Kind: Number, AliasOf: "requestsPerMinute", Doc: "another name of requestsPerMinute"},
		{Name: "requestsPerHour", Kind: Number, Doc: "requests an hour"},
		{Name: "burst", Kind: Count, Min: 1, Doc: "requests that may go out at once; without it one second's worth"},
		{Name: "strategy", Kind: Words, Words: []string{"pause", "throttle", "fail"}, Default: "pause", Doc: "at the limit: wait, space requests evenly, or fail"},
		{Name: "maxWait", Kind: Time, Default: "60s", Plausible: second, Doc: "longest wait before the request fails"},
		{Name: "cost", Kind: Cost, Doc: "what an answer says that it has cost, in the limit's units; without it 1"},
		{Name: "adaptive", Kind: Bool, Default: "true", Doc: "whether the limit follows what the server says"},
	}}

	requestRateLimit = Set{Name: "rateLimit", specs: []Spec{
		{Name: "name", Kind: Text, Doc: "a budget of its own, beside the source's"},
		{Name: "requestsPerSecond", Kind: Number, Doc: "requests a second"},
		{Name: "requestsPerMinute", Kind: Number, Doc: "requests a minute"},
		{Name: "fallbackRpm", Kind: Number, AliasOf: "requestsPerMinute", Doc: "another name of requestsPerMinute"},
		{Name: "requestsPerHour", Kind: Number, Doc: "requests an hour"},
		{Name: "burst", Kind: Count, Min: 1, Doc: "requests that may go out at once; without it one second's worth"},
		{Name: "strategy", Kind: Words, Words: []string{"pause", "throttle", "fail"}, Doc: "at the limit: wait, space requests evenly, or fail; without it the source's"},
		{Name: "maxWait", Kind: Time, Plausible: second, Doc: "longest wait before the request fails; without it the source's"},
		{Name: "adaptive", Kind: Bool, Default: "true", Doc: "whether the limit follows what the server says"},
	}}

	circuitBreaker = Set{Name: "circuitBreaker", specs: []Spec{
		{Name: "failureThreshold", Kind: Count, Min: 1, Default: "5", Doc: "failed attempts that open it; with failureRate there is no default"},
		{Name: "failureRate", Kind: Number, Doc: "share of failed attempts that opens it, such as 0.5"},
		{Name: "minimumRequests", Kind: Count, Min: 1, Default: "10", Doc: "attempts before failureRate counts"},
		{Name: "resetTimeout", Kind: Time, Default: "30s", Plausible: second, Doc: "how long it stays open"},
		{Name: "successThreshold", Kind: Count, Min: 1, Default: "2", Doc: "successes that close it"},
		{Name: "failureWindow", Kind: Time, Default: "60s", Plausible: second, Doc: "in which failures are counted"},
	}}

	tls = Set{Name: "tls", specs: []Spec{
		{Name: "ca", Kind: Text, Doc: "file with the certificates to trust"},
		{Name: "cert", Kind: Text, Doc: "file with the client's certificate"},
		{Name: "key", Kind: Text, Doc: "file with the client's key"},
		{Name: "serverName", Kind: Text, Doc: "the name that the server must prove"},
	}}

	store = Set{Name: "a store", specs: []Spec{
		{Name: "keep", Kind: Count, Min: 1, Doc: "the newest N records are kept"},
		{Name: "ttl", Kind: Time, Plausible: second, Doc: "older records are gone"},
		{Name: "mode", Kind: Words, Words: []string{"merge", "append", "replace", "history"}, Constant: true, Default: "merge", Doc: "how records meet those that are there"},
		{Name: "maxDelete", Kind: Any, Default: "50%", Doc: "how much of what is there `mode: replace` may remove: a share or a count"},
		{Name: "table", Kind: Text, Doc: "the table, with its schema if need be; without it the store's name"},
		{Name: "schema", Kind: SchemaName, Doc: "the schema whose fields get columns"},
		{Name: "evolve", Kind: Words, Words: []string{"add", "strict"}, Default: "add", Doc: "what is done where the table does not follow the schema"},
		{Name: "columns", Kind: Object, Doc: "types of columns, by field"},
		{Name: "key", Kind: FieldNames, Doc: "the unique columns of a table that others have made"},
		{Name: "extra", Kind: Words, Words: []string{"fail", "drop"}, Default: "fail", Doc: "what is done with fields that such a table has no column for"},
		{Name: "nul", Kind: Words, Words: []string{"fail", "replace"}, Default: "fail", Doc: "what is done with the character NUL"},
		{Name: "json", Kind: Words, Words: []string{"value", "exact"}, Default: "value", Doc: "whether JSON keeps the texts of numbers and the order of fields"},
		{Name: "pool", Kind: Count, Min: 1, Max: 1000, Default: "4", Doc: "connections at once"},
		{Name: "connectTimeout", Kind: Time, Plausible: second, Above0: true, Default: "10s", Doc: "how long is waited for a connection"},
		{Name: "statementTimeout", Kind: Time, Plausible: second, Above0: true, Doc: "how long a statement may take"},
		{Name: "retry", Kind: Block, Sub: &storeRetry, Doc: "how a database that is away is tried again"},
	}}

	storeRetry = Set{Name: "retry of a store", specs: []Spec{
		{Name: "maxAttempts", Kind: Count, Min: 1, Default: "3", Doc: "attempts, the first included"},
		{Name: "initialDelay", Kind: Time, Default: "1s", Doc: "wait before the second attempt"},
		{Name: "maxDelay", Kind: Time, Plausible: second, Default: "30s", Doc: "longest wait between two attempts"},
	}}

	storeStep = Set{Name: "`store`", specs: []Spec{
		{Name: "key", Kind: Item, Doc: "the record's key; without it its `id`"},
		{Name: "upsert", Kind: Bool, Default: "false", Doc: "merge into a record of that key"},
		{Name: "partial", Kind: Bool, Doc: "false with upsert: replace it"},
	}}

	schedule = Set{Name: "a schedule", specs: []Spec{
		{Name: "timezone", Kind: Text, Form: Zone, Constant: true, Doc: "IANA zone of cron and at; without it the system's"},
		{Name: "skipIfRunning", Kind: Bool, Constant: true, Default: "true", Doc: "whether a due time passes while the last run goes on"},
		{Name: "maxConcurrency", Kind: Count, Constant: true, Min: 1, Default: "1", Doc: "runs of the mission at once"},
		{Name: "runImmediately", Kind: Bool, Constant: true, Default: "false", Doc: "whether it runs at start"},
		{Name: "jitter", Kind: Time, Constant: true, Default: "0s", Doc: "each due time is put off by a random time up to this"},
		{Name: "catchUp", Kind: Words, OrBool: true, Constant: true, Words: []string{"all"}, Default: "false", Doc: "what is done about missed times"},
		{Name: "timeout", Kind: Time, Constant: true, Plausible: second, Doc: "of a whole run"},
		{Name: "retry", Kind: Block, Constant: true, Sub: &scheduleRetry, Excludes: "retryOnFailure", Doc: "runs after a failed one"},
		{Name: "retryOnFailure", Kind: Block, Constant: true, Sub: &retryOnFailure, Excludes: "retry", Doc: "runs after a failed one"},
	}}

	scheduleRetry = Set{Name: "retry", specs: []Spec{
		{Name: "maxRetries", Kind: Count, Constant: true, Default: "3", Doc: "runs after a failed one"},
		{Name: "delaySeconds", Kind: Seconds, Constant: true, Default: "0", Doc: "between two of them"},
	}}

	retryOnFailure = Set{Name: "retryOnFailure", specs: []Spec{
		{Name: "maxAttempts", Kind: Count, Constant: true, Min: 1, Default: "3", Doc: "runs, the first included"},
		{Name: "backoff", Kind: Words, Constant: true, Words: backoffWords, Default: "exponential", Doc: "how waits grow"},
		{Name: "initialDelay", Kind: Time, Constant: true, Default: "1s", Doc: "wait before the second run"},
		{Name: "maxDelay", Kind: Time, Constant: true, Default: "30s", Plausible: second, Doc: "longest wait between two runs"},
	}}

	// A mission's options are those of its schedule and its own.
	mission = Set{Name: "a mission", base: &schedule, specs: []Spec{
		{Name: "parallelMode", Kind: Words, Constant: true, Words: []string{"fail-fast", "best-effort"}, Doc: "what a failure in a bracket does; without it, the run fails when all of the bracket have ended"},
		{Name: "maxParallel", Kind: Count, Constant: true, Min: 1, Doc: "actions of a bracket at once"},
		{Name: "checkpoint", Kind: Words, Constant: true, Words: []string{"afterStep", "onFailure"}, Doc: "when a run is saved", NotYet: "take it out"},
		{Name: "trace", Kind: Words, Constant: true, Words: []string{"full", "minimal"}, Doc: "what is recorded of a run", NotYet: "take it out"},
	}}

	wait = Set{Name: "`wait`", specs: []Spec{
		{Name: "path", Kind: Text, Form: HookPath, Doc: "the path that the webhook is received on"},
		{Name: "timeout", Kind: Time, Default: "5m", Plausible: second, Doc: "how long is waited"},
		{Name: "expectedEvents", Kind: Count, Min: 1, Default: "1", Doc: "events to wait for"},
		{Name: "eventFilter", Kind: Item, Doc: "which events count; the subject is the event"},
		{Name: "storage", Kind: Block, Sub: &waitStorage, Doc: "where events are stored"},
		{Name: "retryOnTimeout", Kind: Block, OrBool: true, Sub: &retryDirective, Doc: "whether to wait again"},
	}}

	waitStorage = Set{Name: "storage", specs: []Spec{
		{Name: "target", Kind: StoreName, Required: true, Doc: "the store that events are put into"},
		{Name: "key", Kind: Item, Doc: "the event's key"},
	}}

	pause = Set{Name: "`pause`", specs: []Spec{
		{Name: "duration", Kind: Time, Plausible: second, Doc: "how long"},
		{Name: "resumeOn", Kind: Resume, Words: []string{"timeout"}, Doc: "timeout, or webhook \"/path\""},
	}}

	retryDirective = Set{Name: "`retry`", specs: []Spec{
		{Name: "maxAttempts", Kind: Count, Min: 1, Default: "3", Doc: "attempts, the first included"},
		{Name: "backoff", Kind: Words, Words: backoffWords, Default: "exponential", Doc: "how waits between attempts grow"},
		{Name: "initialDelay", Kind: Time, Default: "1s", Doc: "wait before the second attempt"},
		{Name: "maxDelay", Kind: Time, Default: "30s", Plausible: second, Doc: "longest wait between two attempts"},
		{Name: "delay", Kind: Time, Doc: "the wait between two attempts, always the same"},
	}}

	queue = Set{Name: "`queue`", specs: []Spec{
		{Name: "item", Kind: Any, Doc: "what is written"},
		{Name: "key", Kind: Item, Doc: "its key"},
	}}
)

// backoffWords are the kinds of package backoff.
var backoffWords = []string{"exponential", "linear", "constant"}

// pair is a name and what it stands for.
type pair struct{ name, meant string }

func lookup(pairs []pair, name string) string {
	for i := range pairs {
		if pairs[i].name == name {
			return pairs[i].meant
		}
	}
	return ""
}

// synonyms are what other tools call these options, without `_`, `-` and
// capitals.
var synonyms = [...]pair{
	{"url", "base"}, {"baseurl", "base"}, {"endpoint", "base"}, {"host", "base"}, {"query", "params"}, {"queryparams", "params"},
	{"qs", "params"}, {"json", "body"}, {"data", "body"}, {"payload", "body"}, {"pagination", "paginate"}, {"retries", "retry"},
	{"authentication", "auth"}, {"authorization", "auth"}, {"type", "auth"}, {"rpm", "requestsPerMinute"}, {"rps", "requestsPerSecond"},
	{"attempts", "maxAttempts"}, {"maxretries", "maxAttempts"}, {"id", "key"}, {"merge", "partial"}, {"tz", "timezone"}, {"limit", "keep"},
	{"user", "username"}, {"login", "username"}, {"pass", "password"}, {"secret", "token"}, {"expire", "ttl"}, {"expires", "ttl"},
	{"stopwhen", "until"}, {"while", "until"}, {"ignore", "allow"}, {"format", "decode"}, {"responsetype", "decode"}, {"separator", "delimiter"}, {"sep", "delimiter"}, {"nulls", "nullValues"}, {"failif", "failWhen"}, {"failon", "failWhen"}, {"errorwhen", "failWhen"}, {"retryon", "on"}, {"statuses", "on"}, {"bearer", "token"},
}

func synonym(name string) string { return lookup(synonyms[:], name) }

// wordSynonyms are what else the words of options are called, in lower case.
var wordSynonyms = [...]pair{
	{"jsonl", "ndjson"}, {"jsonlines", "ndjson"}, {"gz", "gzip"}, {"tab", "tsv"}, {"plain", "text"}, {"apikey", "api_key"}, {"api-key", "api_key"}, {"key", "api_key"}, {"token", "bearer"}, {"jwt", "bearer"}, {"oauth", "oauth2"},
	{"fixed", "constant"}, {"exp", "exponential"}, {"wait", "pause"}, {"error", "fail"}, {"iso8601", "ISO"}, {"unix", "timestamp"},
	{"seconds", "timestamp"}, {"milliseconds", "epoch"}, {"failfast", "fail-fast"}, {"besteffort", "best-effort"},
}

func wordSynonym(word string) string { return lookup(wordSynonyms[:], word) }

var sinceWords = []string{"ISO", "timestamp", "epoch", "http"}
