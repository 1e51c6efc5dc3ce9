package relational

import "testing"

func TestExactFloat(t *testing.T) {
	for text, want := range map[string]bool{
		"0": true, "-0": true, "0.1": true, "1e3": true, "1.50": true, "-2.5e-7": true, "9007199254740992": true, "0.12345678901234568": true,
		"9007199254740993": false, "0.12345678901234567890": false, "0.1234567890123456789": false, "1e400": false, "1e-400": false, "12345678901234567890.5": false,
	} {
		if _, ok := ExactFloat(text); ok != want {
			t.Errorf("%s: %v", text, ok)
		}
	}
}
