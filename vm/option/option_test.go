package option

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"reqon/vm/value"
)

// named are the options that the definition names, section by section.
var named = []struct {
	set   *Set
	names string
}{
	{At(InSource), "auth base headers params timeout retry rateLimit circuitBreaker failWhen idempotency origins proxy tls maxResponseSize maxInFlight sign " +
		"validateResponses validationMode specAuth token username password apiKey apiKeyHeader apiKeyQuery"},
	{At(InSource).Spec("rateLimit").Sub, "requestsPerSecond requestsPerMinute fallbackRpm requestsPerHour burst strategy maxWait cost adaptive"},
	{At(InRequest).Spec("rateLimit").Sub, "name requestsPerSecond requestsPerMinute fallbackRpm requestsPerHour burst strategy maxWait adaptive"},
	{At(InSource).Spec("circuitBreaker").Sub, "failureThreshold failureRate minimumRequests resetTimeout successThreshold failureWindow"},
	{At(InSource).Spec("tls").Sub, "ca cert key serverName"},
	{At(InSource).Spec("retry").Sub, "maxAttempts backoff initialDelay maxDelay jitter on when wait"},
	{At(InRequest), "source params headers body form timeout retry paginate until maxPages maxItems allowCut since sinceParam sinceHeader sinceFormat sinceZone " +
		"syncKey updateFrom failWhen allow omitNull decode csv rateLimit"},
	{At(InRequest).Spec("csv").Sub, "delimiter quote header comment skip nullValues"},
	{At(InRequest).Spec("retry").Sub, "maxAttempts backoff initialDelay maxDelay jitter on when wait"},
	{At(InStore), "keep ttl mode maxDelete table schema evolve columns key extra nul json pool connectTimeout statementTimeout retry"},
	{At(InStore).Spec("retry").Sub, "maxAttempts initialDelay maxDelay"},
	{At(InStoreStep), "key upsert partial"},
	{At(InSchedule), "timezone skipIfRunning maxConcurrency runImmediately jitter catchUp timeout retry retryOnFailure"},
	{At(InSchedule).Spec("retry").Sub, "maxRetries delaySeconds"},
	{At(InSchedule).Spec("retryOnFailure").Sub, "maxAttempts backoff initialDelay maxDelay"},
	{At(InMission), "timezone skipIfRunning maxConcurrency runImmediately jitter catchUp timeout retry retryOnFailure " +
		"parallelMode maxParallel checkpoint trace"},
	{At(InWait), "path timeout expectedEvents eventFilter storage retryOnTimeout"},
	{At(InWait).Spec("storage").Sub, "target key"},
	{At(InPause), "duration resumeOn"},
	{At(InRetryDirective), "maxAttempts backoff initialDelay maxDelay delay"},
	{At(InQueue), "item key"},
	{At(InSince), "param header format zone updateFrom"},
	{At(InLogin), "headers token params cookies base expires keep when"},
	{At(InLoginRequest), "params headers body form timeout"},
}

func TestTables(t *testing.T) {
	for _, c := range named {
		want := strings.Fields(c.names)
		if got := c.set.Names(); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", c.set.Name, got, want)
		}
		for _, name := range want {
			if s := c.set.Spec(name); s == nil || s.Name != name {
				t.Errorf("%s: %s is %+v", c.set.Name, name, s)
			}
		}
		if c.set.Spec("nothing") != nil {
			t.Errorf("%s has an option `nothing`", c.set.Name)
		}
	}
	if At(InRequest).Spec("paginate.size") != nil {
		t.Error("what the compiler makes can be written")
	}
	tested := map[*Set]bool{}
	for _, c := range named {
		tested[c.set] = true
	}
	n := 0
	for place, set := range Places {
		n++
		if At(place) != set || set.Name == "" {
			t.Errorf("place %d", place)
		}
		lint(t, set, tested)
	}
	if n != int(placeCount) {
		t.Errorf("%d places", n)
	}
}

// lint holds every line of the tables against what a line must be.
func lint(t *testing.T, set *Set, tested map[*Set]bool) {
	if !tested[set] {
		t.Errorf("no line of the test names the options of %s", set.Name)
	}
	set.each(func(s *Spec) bool {
		at := set.Name + ": " + s.Name
		if s.Doc == "" || strings.HasSuffix(s.Doc, ".") || strings.Contains(s.Doc, "\n") || strings.Contains(s.Doc, "(") {
			t.Errorf("%s: Doc is %q: one line, without the default", at, s.Doc)
		}
		if s.Kind >= kindCount || s.Form >= formCount || s.Form != AnyText && s.Kind != Text {
			t.Errorf("%s: kind %d, form %d", at, s.Kind, s.Form)
		}
		if (s.Kind == Block) != (s.Sub != nil) {
			t.Errorf("%s is a block without options, or no block with options", at)
		}
		if (s.Kind == Words || s.Kind == TextOrWords || s.Kind == Resume || s.Kind == Decode) != (s.Words != nil) {
			t.Errorf("%s has no words, or words that it can't take", at)
		}
		if (s.Min != 0 || s.Max != 0) && s.Kind != Count || s.Above0 && s.Kind != Time || s.Plausible != 0 && s.Kind != Time || s.Elem != Any && s.Kind != List {
			t.Errorf("%s has a bound of another kind", at)
		}
		for _, other := range []string{s.AliasOf, s.Excludes} {
			if other != "" && (set.Spec(other) == nil || other == s.Name) {
				t.Errorf("%s speaks of %s, which is none", at, other)
			}
		}
		if s.Excludes != "" && set.Spec(s.Excludes).Excludes != s.Name {
			t.Errorf("%s excludes %s, but not the other way round", at, s.Excludes)
		}
		if s.AliasOf != "" && set.Spec(s.AliasOf).Kind != s.Kind {
			t.Errorf("%s is of another kind than %s", at, s.AliasOf)
		}
		if s.Default != "" {
			if _, err := s.read(s.defaultValue(), ""); err != nil {
				t.Errorf("%s: the default: %v", at, err)
			}
			if s.Required {
				t.Errorf("%s must be given, and has a default", at)
			}
		}
		if s.Kind == Block && s.Sub != nil {
			lint(t, s.Sub, tested)
		}
		if s.Kind != Block && strings.HasSuffix(s.Help(), ")") != (s.Default != "") {
			t.Errorf("%s: %s", at, s.Help())
		}
		return true
	})
}

// TestDefaultsInTheDefinition: where the definition names a default in brackets,
// as in `timeout` (30s), it is that of the table.
func TestDefaultsInTheDefinition(t *testing.T) {
	text, err := os.ReadFile("../../docs/language.md")
	if err != nil {
		t.Fatal(err)
	}
	def := strings.NewReplacer("64 MiB", "64MiB", "default ", "").Replace(string(text))
	found := 0
	for _, set := range Places {
		check := func(set *Set) {
			for s := range set.All {
				if s.Default == "" {
					continue
				}
				for _, form := range []string{"`" + s.Name + "` (" + s.Default, s.Name + " (" + s.Default} {
					if strings.Contains(def, form+")") || strings.Contains(def, form+";") {
						found++
						break
					}
				}
			}
		}
		check(set)
		for s := range set.All {
			if s.Kind == Block {
				check(s.Sub)
			}
		}
	}
	if found < 12 {
		t.Errorf("just %d defaults of the tables are in the definition", found)
	}
}

func js(t testing.TB, text string) value.Value {
	t.Helper()
	v, err := value.ParseJSON(nil, text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestDecode(t *testing.T) {
	o, err := At(InSource).Decode(js(t, `{
		"auth": "basic", "base": "https://x", "headers": {"A": "1"}, "timeout": "1.5s", "proxy": null, "tls": null, "idempotency": null,
		"retry": {"maxAttempts": 5, "backoff": "linear", "jitter": false, "initialDelay": null},
		"rateLimit": {"fallbackRpm": 90.5, "burst": 2.0, "maxWait": 2000},
		"maxResponseSize": "10 MB", "maxInFlight": 4, "apiKeyHeader": "X-K"}`))
	if err != nil {
		t.Fatal(err)
	}
	retry, limit, breaker := o.Block("retry"), o.Block("rateLimit"), o.Block("circuitBreaker")
	got := strings.ReplaceAll(fmt.Sprintln(o.Text("auth"), o.Text("base"), value.Text(value.Field(o.Value("headers"), "A")), o.Duration("timeout"), o.Given("proxy"), o.Given("tls"),
		o.Bool("idempotency"), retry.Int("maxAttempts"), retry.Text("backoff"), retry.Bool("jitter"), retry.Duration("initialDelay"), retry.Given("initialDelay"), retry.Duration("maxDelay"),
		limit.Number("requestsPerMinute"), limit.Given("requestsPerMinute"), limit.Int("burst"), limit.Duration("maxWait"), limit.Text("strategy"),
		o.Given("circuitBreaker"), breaker.Int("failureThreshold"), breaker.Duration("failureWindow"),
		o.Bytes("maxResponseSize"), o.Int64("maxInFlight"), o.Text("apiKeyHeader"), o.Value("params").IsNull()), "  ", " \"\" ")
	want := "basic https://x 1 1.5s false false false 5 linear false 1s false 30s 90.5 true 2 2s pause false 5 1m0s 10000000 4 X-K true\n"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	none := At(InSource).Defaults()
	if none.Duration("timeout") != 30*time.Second || none.Bytes("maxResponseSize") != 64<<20 || none.Int("maxInFlight") != 0 || none.Text("base") != "" ||
		none.Block("rateLimit").Duration("maxWait") != time.Minute || none.Text("apiKeyHeader") != "X-API-Key" || none.Given("apiKeyHeader") {
		t.Errorf("the defaults are %+v", none)
	}
}

func TestDecodeOthers(t *testing.T) {
	m, err := At(InMission).Decode(js(t, `{"timezone":"Europe/Berlin","catchUp":true,"retry":{"delaySeconds":1.5},"parallelMode":"fail-fast","maxParallel":3}`))
	if err != nil {
		t.Fatal(err)
	}
	if m.Zone("timezone").String() != "Europe/Berlin" || m.Text("catchUp") != "true" || m.Block("retry").Duration("delaySeconds") != 1500*time.Millisecond ||
		m.Block("retry").Int("maxRetries") != 3 || m.Text("parallelMode") != "fail-fast" || m.Int("maxParallel") != 3 || !m.Bool("skipIfRunning") {
		t.Errorf("got %+v", m)
	}
	for in, want := range map[string]string{`{}`: "false", `{"catchUp":false}`: "false", `{"catchUp":"all"}`: "all"} {
		if m, err = At(InMission).Decode(js(t, in)); err != nil || m.Text("catchUp") != want || m.Zone("timezone") != nil {
			t.Errorf("%s: %v, %v", in, m, err)
		}
	}
	for in, want := range map[string]string{
		`{}`: "false 3 false", `{"retryOnTimeout":true}`: "true 3 true", `{"retryOnTimeout":false}`: "false 3 true", `{"retryOnTimeout":{"maxAttempts":5}}`: "true 5 true",
	} {
		w, err := At(InWait).Decode(js(t, in))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(w.Enabled("retryOnTimeout"), w.Block("retryOnTimeout").Int("maxAttempts"), w.Given("retryOnTimeout")); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	r, err := At(InRequest).Decode(js(t, `{"allow":[404,4e2,500],"since":1,"body":[1],"maxItems":9007199254740992,"paginate.size":50}`))
	if err != nil || !slices.Equal(r.Statuses("allow"), []int{404, 400, 500}) || r.Int64("maxItems") != 1<<53 || r.Text("sinceParam") != "since" || r.Int("paginate.size") != 50 {
		t.Errorf("got %+v, %v", r, err)
	}
	if none := At(InRequest).Defaults(); none.Statuses("allow") != nil || none.Duration("timeout") != 0 || none.Text("sinceFormat") != "ISO" {
		t.Error("the defaults of a request")
	}
}

func TestDecodeErrors(t *testing.T) {
	for _, c := range []struct {
		place   Place
		options string
		want    string
	}{
		{InSource, `[]`, "the options are array [], expected an object of its options"},
		{InSource, `"x"`, `the options are string "x", expected an object of its options`},
		{InSource, `{"retry": 3}`, "option retry is number 3, expected an object of its options"},
		{InSource, `{"retry": {"maxAttempts": "x"}}`, `option retry.maxAttempts is string "x", expected a whole number of at least 1`},
		{InSource, `{"retry": {"maxAttempts": 0}}`, "option retry.maxAttempts is number 0, expected a whole number of at least 1"},
		{InSource, `{"retry": {"maxAttempts": 1.5}}`, "option retry.maxAttempts is number 1.5, expected a whole number of at least 1"},
		{InSource, `{"retry": {"maxAttempts": 2147483648}}`, "option retry.maxAttempts is number 2147483648, expected a whole number of at most 2147483647"},
		{InSource, `{"retry": {"maxAttempts": 1e300}}`, "option retry.maxAttempts is number 1e300, expected a whole number of at least 1"},
		{InSource, `{"retry": {"maxAttemps": 2}}`, "option retry.maxAttemps does not exist; did you mean retry.maxAttempts?"},
		{InSource, `{"retry": {"zzzzz": 2}}`, "option retry.zzzzz does not exist; the options of retry are maxAttempts, backoff, initialDelay, maxDelay, jitter"},
		{InSource, `{"base_url": "x"}`, "option base_url does not exist; did you mean base?"},
		{InSource, `{"Base": "x"}`, "option Base does not exist; did you mean base?"},
		{InSource, `{"retry": {"backoff": "fast"}}`, `option retry.backoff is string "fast", expected exponential, linear or constant`},
		{InSource, `{"retry": {"backoff": "Linear"}}`, `option retry.backoff is string "Linear", expected exponential, linear or constant; did you mean linear?`},
		{InSource, `{"retry": {"backoff": true}}`, `option retry.backoff is boolean true, expected exponential, linear or constant`},
		{InSource, `{"auth": "api-key"}`, "; did you mean api_key?"},
		{InSource, `{"retry": {"jitter": 1}}`, "option retry.jitter is number 1, expected true or false"},
		{InSource, `{"retry": {"initialDelay": "soon"}}`, `option retry.initialDelay is string "soon", expected a time such as 30s or a number of milliseconds`},
		{InSource, `{"timeout": 0}`, "option timeout is number 0, expected a time above 0"},
		{InSource, `{"timeout": -1}`, "option timeout is number -1, expected a time that is not negative"},
		{InSource, `{"base": null}`, "option base is null, expected an address such as \"https://api.example.com/v1\": is an environment variable unset?"},
		{InSource, `{"base": 5}`, "option base is number 5, expected an address"},
		{InSource, `{"headers": []}`, "option headers is array [], expected an object"},
		{InSource, `{"maxResponseSize": "10 megs"}`, `option maxResponseSize is string "10 megs", expected a number of bytes or a size such as "10MB"`},
		{InSource, `{"maxResponseSize": 0}`, "option maxResponseSize is number 0"},
		{InSource, `{"maxResponseSize": "9999999999GB"}`, "option maxResponseSize is"},
		{InSource, `{"rateLimit": {"requestsPerSecond": 0}}`, "option rateLimit.requestsPerSecond is number 0, expected a number above 0"},
		{InSource, `{"rateLimit": {"requestsPerMinute": 1, "fallbackRpm": 2}}`, "option rateLimit.fallbackRpm is given twice, by two names"},
		{InSource, `{"proxy": "http://p"}`, "option proxy is not available in this version of reqon; set the environment variable"},
		{InSource, `{"token": 5}`, "option token is of type number, expected text"},
		{InRequest, `{"body": 1, "form": {}}`, "option form can't be given together with body"},
		{InRequest, `{"allow": 404}`, "option allow is number 404, expected an array"},
		{InRequest, `{"allow": [404, 99]}`, "option allow[1] is number 99, expected an HTTP status from 100 to 999"},
		{InRequest, `{"allow": ["404"]}`, `option allow[0] is string "404", expected an HTTP status from 100 to 999`},
		{InRequest, `{"sinceFormat": 5}`, "option sinceFormat is number 5, expected text"},
		{InRequest, `{"paginate.size": 0}`, "option paginate.size is number 0, expected a whole number of at least 1"},
		{InStore, `{"keep": "all", "ttl": 1}`, `option keep is string "all", expected a whole number of at least 1`},
		{InMission, `{"timezone": "Mars"}`, `option timezone is string "Mars", expected an IANA time zone such as Europe/Berlin`},
		{InMission, `{"timezone": ""}`, `option timezone is string ""`},
		{InMission, `{"catchUp": "some"}`, `option catchUp is string "some", expected true, false or all`},
		{InMission, `{"retry": {}, "retryOnFailure": {}}`, "option retryOnFailure can't be given together with retry"},
		{InMission, `{"retry": {"delaySeconds": -1}}`, "option retry.delaySeconds is number -1, expected a number of seconds"},
		{InMission, `{"retry": {"delaySeconds": 1e11}}`, "less than 292 years"},
		{InMission, `{"trace": "full"}`, "option trace is not available in this version of reqon; take it out"},
		{InWait, `{"storage": {"key": 1}}`, "option storage.target must be given: the store that events are put into"},
	} {
		o, err := At(c.place).Decode(js(t, c.options))
		var wrong *Error
		if err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, &wrong) || o != nil && wrong.Path == "" {
			t.Errorf("%s: got %v, want %q", c.options, err, c.want)
		}
		if errors.Is(err, ErrNotAvailable) != strings.Contains(c.want, "not available") {
			t.Errorf("%s: %v", c.options, err)
		}
	}
}

func TestCheck(t *testing.T) {
	upsert := At(InStoreStep).Spec("upsert")
	for _, in := range []string{`null`, `true`, `false`} {
		if err := upsert.Check(js(t, in)); err != nil {
			t.Errorf("%s: %v", in, err)
		}
	}
	if err := upsert.Check(js(t, `"no"`)); err == nil || err.Error() != `option upsert is string "no", expected true or false` {
		t.Errorf("got %v", err)
	}
}

func TestMeant(t *testing.T) {
	for name, want := range map[string]string{"url": "base", "BASE_URL": "base", "baes": "base", "api-key": "", "apikey": "apiKey", "nothing": "", "limit": ""} {
		if got := At(InSource).Meant(name); got != want && want != "" {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for i, p := range append(synonyms[:], wordSynonyms[:]...) {
		if p.name != strings.ToLower(p.name) || i < len(synonyms) && strings.ContainsAny(p.name, "_-") {
			t.Errorf("%s would never be found", p.name)
		}
	}
}

// FuzzDecode checks that no options, however odd, make the decoder panic, and
// that what is decoded can be read.
func FuzzDecode(f *testing.F) {
	f.Add(`{"retry":{"maxAttempts":5},"timeout":"30s","allow":[404]}`)
	f.Add(`{"rateLimit":{"fallbackRpm":1,"requestsPerMinute":null},"tls":{}}`)
	f.Add(`{"storage":{"target":"s"},"retryOnTimeout":{"backoff":"linear"},"catchUp":"all","timezone":"UTC","maxResponseSize":"1KiB"}`)
	f.Add(`[1]`)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := value.ParseJSON(nil, text)
		if err != nil {
			return
		}
		for _, set := range Places {
			o, err := set.Decode(v)
			var wrong *Error
			if err != nil && (!errors.As(err, &wrong) || wrong.Problem == "") {
				t.Errorf("%s: %v", text, err)
			}
			if err == nil {
				readAll(o)
			}
		}
	})
}

// readAll reads every option in the way of its kind.
func readAll(o *Values) {
	o.set.each(func(s *Spec) bool {
		o.Value(s.Name)
		switch s.Kind {
		case Text, Words, TextOrWords, SourceName, StoreName:
			o.Text(s.Name)
			if s.Form == Zone {
				o.Zone(s.Name)
			}
		case Bool:
			o.Bool(s.Name)
		case Number:
			o.Number(s.Name)
		case Count:
			o.Int(s.Name)
		case Time, Seconds:
			o.Duration(s.Name)
		case Size:
			o.Bytes(s.Name)
		case Block:
			o.Enabled(s.Name)
			readAll(o.Block(s.Name))
		case List:
			o.Statuses(s.Name)
		}
		return true
	})
}

func BenchmarkDecodeRequest(b *testing.B) {
	v := js(b, `{"params":{"a":1},"headers":{"b":"2"},"timeout":"30s","since":"2026-01-01","retry":{"maxAttempts":5}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := At(InRequest).Decode(v); err != nil {
			b.Fatal(err)
		}
	}
}
