package value

import "testing"

func TestParseSize(t *testing.T) {
	for text, want := range map[string]float64{
		"10MB": 10e6, "64MiB": 64 << 20, "1 KB": 1000, "512B": 512, "512b": 512, "1.5kib": 1536, "1GB": 1e9, "2GiB": 2 << 30, "2gIb": 2 << 30,
		"0B": 0, "1e3KB": 1e6, "1_000B": 1000,
	} {
		if got, ok := ParseSize(text); !ok || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"", "10", "MB", "10XB", "10M", "10i", "10iB", "10BK", "10MBB", "1.KB", ".5KB", "01KB", "-1KB", "+1KB", " 1KB", "1KB ", "1  KB", "1\tKB",
		"1 ", "1 000KB", "1,5MB", "1e999B", "InfB", "1KBs", "10TB",
	} {
		if got, ok := ParseSize(text); ok {
			t.Errorf("%q: got %v, want none", text, got)
		}
	}
}
