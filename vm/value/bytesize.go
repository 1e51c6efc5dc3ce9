package value

import "strings"

// ParseSize reads the text of a size and returns its bytes: a number and a unit,
// with a space between them or without, in any case: B, KB, MB, GB (decimal), or
// KiB, MiB, GiB (binary) (language definition, section 5).
func ParseSize(text string) (bytes float64, ok bool) {
	number := strings.TrimRight(text, "bBkKmMgGiI")
	bytes, ok = plainNumber(strings.TrimSuffix(number, " "))
	if !ok {
		return 0, false
	}
	switch strings.ToLower(text[len(number):]) {
	case "b":
	case "kb":
		bytes *= 1e3
	case "mb":
		bytes *= 1e6
	case "gb":
		bytes *= 1e9
	case "kib":
		bytes *= 1 << 10
	case "mib":
		bytes *= 1 << 20
	case "gib":
		bytes *= 1 << 30
	default:
		return 0, false
	}
	return bytes, true
}
