package value

import (
	"testing"
)

func parse(t testing.TB, text string) Value {
	t.Helper()
	v, err := ParseJSON(nil, text)
	if err != nil {
		t.Fatalf("ParseJSON(%q): %v", text, err)
	}
	return v
}

func TestJSONRoundTrip(t *testing.T) {
	for _, text := range []string{
		`null`, `true`, `false`, `0`, `-0`, `-0.0`, `1`, `-1`, `1.10`, `-1.10`, `0.000000000000001`, `1e3`, `1E+3`, `1.5e-7`,
		`9223372036854775807`, `-9223372036854775808`, `9223372036854775808`, `12345678901234567890`, `123456789012345.0`,
		`99999999999999.9`, `0.1234567890123456`, `1e400`, `""`, `"abc"`, `"ünï😀"`, `"a\"b\\c\n\r\t\b\f\u0001"`, "\"\u2028</>&\"",
		`[]`, `{}`, `[1,2.50,"x",null,true,{"a":[{}]}]`, `{"id":1,"name":"x","nested":{"a":{"b":[1,2]}},"":0}`,
		`{"a\"b":1,"long key of more than sixteen bytes":2}`,
	} {
		if got := string(AppendJSON(nil, parse(t, " "+text+"\n"))); got != text {
			t.Errorf("%s: got %s", text, got)
		}
	}
}
