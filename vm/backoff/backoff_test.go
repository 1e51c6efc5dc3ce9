package backoff

import (
	"math"
	"math/big"
	"slices"
	"testing"
	"time"
)

func TestWait(t *testing.T) {
	const s = time.Second
	tests := []struct {
		name   string
		policy Policy
		want   []time.Duration // after 1, 2, 3, … failed attempts
	}{
		{"default, without jitter", Policy{Exponential, s, 30 * s, false}, []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 30 * s, 30 * s}},
		{"linear", Policy{Linear, 10 * s, 35 * s, false}, []time.Duration{10 * s, 20 * s, 30 * s, 35 * s, 35 * s}},
		{"constant", Policy{Constant, 5 * s, 30 * s, false}, []time.Duration{5 * s, 5 * s, 5 * s}},
		{"no kind", Policy{Initial: 5 * s}, []time.Duration{5 * s, 5 * s, 5 * s}},
		{"no bound", Policy{Exponential, s, 0, false}, []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 64 * s}},
		{"more than the longest at once", Policy{Exponential, 60 * s, 30 * s, false}, []time.Duration{30 * s, 30 * s}},
		{"a constant more than the longest", Policy{Constant, 60 * s, 30 * s, false}, []time.Duration{30 * s, 30 * s}},
		{"no wait", Policy{Exponential, 0, 30 * s, true}, []time.Duration{0, 0, 0}},
		{"no wait, linear", Policy{Linear, 0, 30 * s, false}, []time.Duration{0, 0, 0}},
	}
	for _, tt := range tests {
		var got []time.Duration
		for n := range tt.want {
			got = append(got, tt.policy.Wait(int64(n)+1, nil))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestJitter(t *testing.T) {
	p := Default()
	for failed := int64(1); failed < 2000; failed++ {
		high := p.Wait(failed, func() float64 { return 0 })
		low := p.Wait(failed, func() float64 { return math.Nextafter(1, 0) })
		plain := Policy{p.Kind, p.Initial, p.Max, false}.Wait(failed, nil)
		if high != plain || low < plain/2 || low > plain/2+1 {
			t.Fatalf("attempt %d: from %v to %v, without jitter %v", failed, low, high, plain)
		}
	}
}

func TestFit(t *testing.T) {
	const s = time.Second
	tests := []struct {
		initial, max         time.Duration
		initialSet, maxSet   bool
		wantInitial, wantMax time.Duration
	}{
		{1 * s, 30 * s, false, false, 1 * s, 30 * s},
		{60 * s, 30 * s, true, false, 60 * s, 60 * s},
		{1 * s, s / 2, false, true, s / 2, s / 2},
		{60 * s, 30 * s, true, true, 30 * s, 30 * s},
		{60 * s, 0, true, false, 60 * s, 0},
	}
	for _, tt := range tests {
		p := Policy{Initial: tt.initial, Max: tt.max}
		if p.Fit(tt.initialSet, tt.maxSet); p.Initial != tt.wantInitial || p.Max != tt.wantMax {
			t.Errorf("%+v: got %v to %v", tt, p.Initial, p.Max)
		}
	}
}

// FuzzWait holds waits against the definition, worked out with numbers of any
// size.
func FuzzWait(f *testing.F) {
	f.Add(int64(time.Second), int64(30*time.Second), int64(5), uint8(0))
	f.Add(int64(1), int64(math.MaxInt64), int64(63), uint8(0))
	f.Add(int64(1), int64(math.MaxInt64), int64(64), uint8(0))
	f.Add(int64(3), int64(0), int64(62), uint8(0))
	f.Add(int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MaxInt64), uint8(1))
	f.Add(int64(math.MaxInt64), int64(0), int64(2), uint8(1))
	f.Add(int64(0), int64(0), int64(math.MinInt64), uint8(2))
	f.Fuzz(func(t *testing.T, initial, longest, failed int64, kind uint8) {
		if initial < 0 || longest < 0 || failed > 1<<20 && kind%3 == 0 {
			return // options give no such times; and 2^(2^20) takes its time
		}
		p := Policy{Kind: []Kind{Exponential, Linear, Constant}[kind%3], Initial: time.Duration(initial), Max: time.Duration(longest)}
		want := big.NewInt(initial)
		switch n := max(failed, 1); p.Kind {
		case Exponential:
			want.Lsh(want, uint(n-1))
		case Linear:
			want.Mul(want, big.NewInt(n))
		}
		limit := big.NewInt(longest)
		if longest == 0 {
			limit = big.NewInt(math.MaxInt64)
		}
		if want.Cmp(limit) > 0 {
			want = limit
		}
		if got := p.Wait(failed, nil); int64(got) != want.Int64() {
			t.Errorf("%+v after %d: got %d, want %v", p, failed, got, want)
		}
		p.Jitter = true
		if got := p.Wait(failed, func() float64 { return 0.5 }); got < 0 || int64(got) > want.Int64() {
			t.Errorf("%+v after %d: got %d, which is not from 0 to %v", p, failed, got, want)
		}
	})
}
