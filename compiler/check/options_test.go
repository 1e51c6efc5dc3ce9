package check

import (
	"slices"
	"strings"
	"testing"

	"reqon/compiler/syntax"
)

// The options that the definition names, section by section.
func TestOptionTables(t *testing.T) {
	for _, c := range []struct {
		set   *OptionSet
		names string
	}{
		{SourceOptions(), "auth base headers params timeout retry rateLimit circuitBreaker idempotency proxy tls maxResponseSize maxInFlight " +
			"validateResponses validationMode specAuth token username password apiKey apiKeyHeader apiKeyQuery"},
		{RateLimitOptions(), "requestsPerMinute fallbackRpm requestsPerSecond burst strategy maxWait adaptive"},
		{CircuitBreakerOptions(), "failureThreshold resetTimeout successThreshold failureWindow"},
		{TLSOptions(), "ca cert key serverName"},
		{RetryOptions(), "maxAttempts backoff initialDelay maxDelay jitter"},
		{RequestOptions(), "source params headers body form timeout retry paginate until maxPages maxItems since sinceParam sinceFormat " +
			"syncKey updateFrom allow rateLimit"},
		{StoreOptions(), "keep ttl"},
		{StoreStepOptions(), "key upsert partial"},
		{ScheduleOptions(), "timezone skipIfRunning maxConcurrency runImmediately jitter catchUp timeout retry retryOnFailure"},
		{ScheduleOptions().Spec("retry").Sub, "maxRetries delaySeconds"},
		{ScheduleOptions().Spec("retryOnFailure").Sub, "maxAttempts backoff initialDelay maxDelay"},
		{MissionOptions(), "timezone skipIfRunning maxConcurrency runImmediately jitter catchUp timeout retry retryOnFailure " +
			"parallelMode maxParallel checkpoint trace"},
		{WaitOptions(), "path timeout expectedEvents eventFilter storage retryOnTimeout"},
		{WaitOptions().Spec("storage").Sub, "target key"},
		{PauseOptions(), "duration resumeOn"},
		{RetryDirectiveOptions(), "maxAttempts backoff initialDelay maxDelay delay"},
		{QueueOptions(), "item key"},
	} {
		want := strings.Fields(c.names)
		if got := c.set.Names(); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", c.set.Name, got, want)
		}
		for _, name := range want {
			s := c.set.Spec(name)
			if s == nil || s.Name != name || s.Doc == "" {
				t.Errorf("%s: %s is %+v", c.set.Name, name, s)
				continue
			}
			if (s.Kind == Block) != (s.Sub != nil) {
				t.Errorf("%s: %s is a block without options, or no block with options", c.set.Name, name)
			}
			if (s.Kind == Words || s.Kind == TextOrWords || s.Kind == Resume) != (s.Words != nil) {
				t.Errorf("%s: %s has no words, or words that it can't take", c.set.Name, name)
			}
		}
		if c.set.Spec("nothing") != nil {
			t.Errorf("%s has an option `nothing`", c.set.Name)
		}
	}
}

func parseExpr(t *testing.T, src string) syntax.Expr {
	t.Helper()
	e, errs := syntax.ParseExpr(syntax.NewFile("expr", []byte(src)))
	if len(errs) > 0 {
		t.Fatalf("%s: %v", src, errs[0])
	}
	return e
}

func TestWord(t *testing.T) {
	for src, want := range map[string]string{
		"bearer": "bearer", `"bearer"`: "bearer", "fail-fast": "fail-fast", `'best-effort'`: "best-effort",
		"fail - fast": "", "1": "", "a.b": "", "a-b-c": "", "a-1": "",
	} {
		word, ok := Word(parseExpr(t, src))
		if ok != (want != "") || word != want {
			t.Errorf("%s: %q, %v", src, word, ok)
		}
	}
}

func TestConstant(t *testing.T) {
	for src, want := range map[string]bool{
		"1": true, "-1": true, "30s": true, `"a"`: true, "true": true, "null": true, "2 * 30s + 1": true, "(1)": true, "`a`": true,
		"[1, 2]": true, "{ a: 1, b: [2] }": true, "a": false, "`{a}`": false, "[a]": false, "[...[1]]": false, "{ ...o }": false,
		"{ a: b }": false, "now()": false, "1 + a": false, "1 < 2": false, ".": false,
	} {
		if got := Constant(parseExpr(t, src)); got != want {
			t.Errorf("%s: %v", src, got)
		}
	}
}

func TestReadPagination(t *testing.T) {
	for _, c := range []struct{ src, form, param, size, next, items string }{
		{`page(p, 100)`, "page", "p", "100", "", ""},
		{`page("page[number]", 100, "data")`, "page", "page[number]", "100", "", `"data"`},
		{`(offset(skip, size))`, "offset", "skip", "size", "", ""},
		{`cursor(c, 10, "next")`, "cursor", "c", "10", `"next"`, ""},
		{`cursor(c, 10, "next", "items")`, "cursor", "c", "10", `"next"`, `"items"`},
		{`link()`, "link", "", "", "", ""},
		{`link("items")`, "link", "", "", "", `"items"`},
		{`page(p)`, "", "", "", "", ""},
		{`page(1, 100)`, "", "", "", "", ""},
		{`page("", 100)`, "", "", "", "", ""},
		{`cursor(c, 10)`, "", "", "", "", ""},
		{`link`, "", "", "", "", ""},
		{`pages(p, 1)`, "", "", "", "", ""},
		{`p | page(100)`, "", "", "", "", ""},
	} {
		text := func(e syntax.Expr) string {
			if e == nil {
				return ""
			}
			return e.Place().Text()
		}
		p, ok := ReadPagination(parseExpr(t, c.src))
		if ok != (c.form != "") {
			t.Errorf("%s: %v", c.src, ok)
		}
		if ok && (p.Form != c.form || p.Param != c.param || text(p.Size) != c.size || text(p.Next) != c.next || text(p.Items) != c.items) {
			t.Errorf("%s: %+v", c.src, p)
		}
	}
}
