package backoff

import "reqon/vm/option"

// Of returns the policy that the options of a block say: backoff, initialDelay,
// maxDelay, and jitter if the block knows it. What is not given is the default of
// the block's table.
func Of(o *option.Values) Policy {
	p := Policy{Kind: Kind(o.Text("backoff")), Initial: o.Duration("initialDelay"), Max: o.Duration("maxDelay")}
	if o.Has("jitter") {
		p.Jitter = o.Bool("jitter")
	}
	return p.With(o)
}

// With returns p with what the options give on top. An initialDelay beyond
// a maxDelay that is not among them raises it, and a maxDelay below an
// initialDelay that is not lowers it.
func (p Policy) With(o *option.Values) Policy {
	if o.Given("backoff") {
		p.Kind = Kind(o.Text("backoff"))
	}
	if o.Given("initialDelay") {
		p.Initial = o.Duration("initialDelay")
	}
	if o.Given("maxDelay") {
		p.Max = o.Duration("maxDelay")
	}
	if o.Has("jitter") && o.Given("jitter") {
		p.Jitter = o.Bool("jitter")
	}
	p.fit(o.Given("initialDelay"), o.Given("maxDelay"))
	return p
}

// fit makes Initial and Max agree where just one of them was chosen: the one that
// was chosen counts. If both were, Max does.
func (p *Policy) fit(initialChosen, maxChosen bool) {
	switch {
	case p.Max <= 0 || p.Initial <= p.Max:
	case initialChosen && !maxChosen:
		p.Max = p.Initial
	default:
		p.Initial = p.Max
	}
}
