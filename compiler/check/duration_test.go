package check

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"reqon/compiler/constant"
	"reqon/compiler/diag"
	"reqon/compiler/syntax"
	"reqon/vm/value"
)

// timeOption checks a mission whose jitter is the text as it stands. problems
// are its errors, v the value that the mission would have at run time.
func timeOption(t *testing.T, text string) (problems []string, v value.Value) {
	t.Helper()
	file := syntax.NewFile("x.reqon", []byte("mission M {\n  schedule: every 1 day\n  jitter: "+text+"\n  action A { log \"x\" }\n}\n"))
	tree, errs := syntax.Parse(file)
	for _, e := range errs {
		problems = append(problems, e.Msg)
	}
	for _, m := range tree.Missions {
		for _, d := range Mission(m, tree.Loose) {
			if d.Severity == diag.Error {
				problems = append(problems, d.Message)
			}
		}
	}
	if len(errs) == 0 {
		v, _ = constant.Value(tree.Missions[0].Options[0].Value)
	}
	return problems, v
}

// spellings are the odd ways to write a time.
var spellings = []string{
	"30s", "1.5h", "500ms", "1w", "0s", "1e3ms", "1E3ms", "1e+3ms", "1_000ms", "1_0.0_1s", "1e1_0ms", "106751d",
	"106752d", "99999999w", "1e308w", "1e999s", "01s", "00s", "0_1s", "1.s", ".5s", "1.2.3s", "1_s", "1__0s", "_1s", "1_.5s", "1._5s", "1e_3s",
	"-1s", "+5s", " 30s", "30s ", "30 s", "5y", "5sec", "5S", "1h30m", "5mss", "0x5s", "1,5s", "30", "s", "", "Infs", "NaNs",
}

// TestDurationsAgree holds what the checker says of a time in quotes against
// what the runtime makes of the same text when a variable of the environment
// gives it, and of the same text without quotes.
func TestDurationsAgree(t *testing.T) {
	for _, text := range spellings {
		agree(t, text)
	}
}

// sum finds a plus that is not the sign of an exponent.
var sum = regexp.MustCompile(`[^eE]\+`)

func agree(t *testing.T, text string) {
	t.Helper()
	got, err := value.Duration(value.FromString(text))
	problems, v := timeOption(t, strconv.Quote(text))
	if v.Kind() == value.String && v.Str() != text {
		return // quoted otherwise than in Go: another text
	}
	if (err == nil) != (len(problems) == 0) {
		t.Errorf("%q in quotes: the runtime says %v, %v, the checker %q", text, got, err, problems)
	}
	// Without quotes only what is one number of the source stands for itself.
	if strings.TrimSpace(text) != text || strings.Trim(text, "0123456789._eE+mshdw") != "" || value.DurationUnit(strings.TrimLeft(text, "0123456789._eE+")) == 0 {
		return
	}
	if sum.MatchString(text) {
		return // an expression: 0+10000s
	}
	problems, v = timeOption(t, text)
	if (err == nil) != (len(problems) == 0) {
		t.Errorf("%s without quotes: the runtime says %v, %v of the text, the checker %q", text, got, err, problems)
	}
	if bare, e := value.Duration(v); err == nil && (e != nil || bare != got) {
		t.Errorf("%s is %v, %v, and in quotes %v", text, bare, e, got)
	}
}

// FuzzDurationsAgree is TestDurationsAgree for any text.
func FuzzDurationsAgree(f *testing.F) {
	for _, text := range spellings {
		f.Add(text)
	}
	f.Fuzz(agree)
}
