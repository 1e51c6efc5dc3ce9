package backoff

import (
	"math"
	"math/big"
	"slices"
	"testing"
	"time"

	"reqon/vm/option"
	"reqon/vm/value"
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
	p := Policy{Exponential, time.Second, 30 * time.Second, true}
	for failed := int64(1); failed < 2000; failed++ {
		high := p.Wait(failed, func() float64 { return 0 })
		low := p.Wait(failed, func() float64 { return math.Nextafter(1, 0) })
		plain := Policy{p.Kind, p.Initial, p.Max, false}.Wait(failed, nil)
		if high != plain || low < plain/2 || low > plain/2+1 {
			t.Fatalf("attempt %d: from %v to %v, without jitter %v", failed, low, high, plain)
		}
	}
}

func TestOptions(t *testing.T) {
	const s = time.Second
	tests := []struct {
		place    option.Place
		options  string
		want     Policy // of the block alone
		wantOver Policy // on top of linear, 10s to 20s, no jitter
	}{
		{option.InSource, `null`, Policy{Exponential, s, 30 * s, true}, Policy{Linear, 10 * s, 20 * s, false}},
		{option.InSource, `{"maxAttempts":2,"jitter":null}`, Policy{Exponential, s, 30 * s, true}, Policy{Linear, 10 * s, 20 * s, false}},
		{option.InSource, `{"jitter":false,"backoff":"constant"}`, Policy{Constant, s, 30 * s, false}, Policy{Constant, 10 * s, 20 * s, false}},
		{option.InSource, `{"jitter":true}`, Policy{Exponential, s, 30 * s, true}, Policy{Linear, 10 * s, 20 * s, true}},
		{option.InSource, `{"initialDelay":"1m"}`, Policy{Exponential, 60 * s, 60 * s, true}, Policy{Linear, 60 * s, 60 * s, false}},
		{option.InSource, `{"maxDelay":"500ms"}`, Policy{Exponential, s / 2, s / 2, true}, Policy{Linear, s / 2, s / 2, false}},
		{option.InSource, `{"initialDelay":"1m","maxDelay":"50s"}`, Policy{Exponential, 50 * s, 50 * s, true}, Policy{Linear, 50 * s, 50 * s, false}},
		{option.InSource, `{"initialDelay":0}`, Policy{Exponential, 0, 30 * s, true}, Policy{Linear, 0, 20 * s, false}},
		{option.InRetryDirective, `{}`, Policy{Exponential, s, 30 * s, false}, Policy{Linear, 10 * s, 20 * s, false}},
		{option.InRetryDirective, `{"initialDelay":"1m"}`, Policy{Exponential, 60 * s, 60 * s, false}, Policy{Linear, 60 * s, 60 * s, false}},
	}
	for _, tt := range tests {
		v, err := value.ParseJSON(nil, tt.options)
		if err != nil {
			t.Fatal(err)
		}
		set := option.At(tt.place)
		if spec := set.Spec("retry"); spec != nil {
			set = spec.Sub
		}
		o, err := set.Decode(v)
		if err != nil {
			t.Fatalf("%s: %v", tt.options, err)
		}
		if got := Of(o); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.options, got, tt.want)
		}
		if got := (Policy{Linear, 10 * s, 20 * s, false}).With(o); got != tt.wantOver {
			t.Errorf("%s on top: got %+v, want %+v", tt.options, got, tt.wantOver)
		}
	}
	if kinds := option.At(option.InRetryDirective).Spec("backoff").Words; !slices.Equal(kinds, []string{string(Exponential), string(Linear), string(Constant)}) {
		t.Errorf("the option takes %v", kinds)
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
