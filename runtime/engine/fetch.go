package engine

import (
	"context"
	"errors"
	"net/http"

	"reqon/runtime/httpclient"
	"reqon/vm"
	"reqon/vm/bytecode"
	"reqon/vm/option"
	"reqon/vm/value"
)

// newClient makes the run's client, over the connections that all runs share.
func (r *run) newClient() *httpclient.Client {
	cfg := &r.engine.cfg
	return httpclient.New(httpclient.Config{
		Transport: r.engine.transport, Clock: cfg.Clock, Redactor: cfg.Redactor, Shapes: r.engine.shapes,
		Random: cfg.Random, NewKey: cfg.NewUUID,
		OnRequest: func(e httpclient.RequestEvent) {
			cfg.Metrics.Request(e.Source, e.Method, e.Status, e.Duration.Seconds())
		},
		OnWait: r.onWait,
	})
}

// Fetch makes one request.
func (r *run) Fetch(ctx context.Context, q *vm.Request) (*vm.Reply, error) {
	source, err := r.source(q)
	if err != nil {
		return nil, err
	}
	req, err := r.request(source, q)
	if err != nil {
		return nil, err
	}
	if r.opts.DryRun {
		return r.dryFetch(source, req, q)
	}
	counter := r.counter(q.At.Action)
	counter.requests.Add(1)
	r.opts.Progress.Requests.Add(1)
	r.tellRepeats(r.repeats.since(r.engine.cfg.Clock.Now()))
	if q.Fetch.Source != bytecode.None {
		r.secrets[q.Fetch.Source].asked.Store(true)
	}
	resp, err := r.client.Do(ctx, source, req)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx) // which says who or what cancelled it
	}
	if err != nil {
		return r.failed(err, q)
	}
	if q.Fetch.Page == bytecode.PageLink && resp.NextErr != nil {
		return r.failed(resp.Reject(httpclient.KindRejected, resp.NextErr), q)
	}
	if resp.Dropped != "" {
		r.Notice(&vm.Notice{Kind: vm.NoticeRedirect, Text: resp.Dropped, At: q.At})
	}
	if resp.Status == http.StatusNotModified && resp.Body.IsNull() {
		resp.Body = value.FromArray(nil) // nothing has changed: there are no items, and that is no failure of a store
	}
	sent, latest := r.times(resp, q.At)
	reply := &vm.Reply{
		Body: resp.Body, Status: resp.Status, Time: sent.UnixMilli(), Latest: latest.UnixMilli(), Next: resp.Next, Linked: resp.HasNext, Total: resp.Total,
		Reject:  func(why error) *vm.Failure { return r.failure(resp.Reject(httpclient.KindRejected, why)) },
		Resolve: resp.Resolve,
	}
	if q.Fetch.Headers {
		reply.Headers = resp.HeadersValue()
	}
	return reply, nil
}

// failed turns a failed request into what a mission sees of it.
func (r *run) failed(err error, q *vm.Request) (*vm.Reply, error) {
	var f *httpclient.Failure
	if !errors.As(err, &f) {
		return nil, err
	}
	reply := &vm.Reply{Status: f.Status, Failure: r.failure(f)}
	if q.Fetch.Headers {
		reply.Headers = f.HeadersValue()
	}
	return reply, nil
}

// failure is a failed request as the machine keeps it.
func (r *run) failure(f *httpclient.Failure) *vm.Failure {
	return &vm.Failure{Envelope: f.Envelope(r.engine.shapes), Text: validText(f.Error()), ByStatus: f.ByStatus()}
}

// source gives the source of a request. A mission without sources may ask
// absolute addresses.
func (r *run) source(q *vm.Request) (*httpclient.Source, error) {
	if q.Fetch.Operation != "" {
		return nil, r.refuse(bytecode.StepPart, "call", q.At)
	}
	if q.Fetch.Source == bytecode.None {
		r.noSourceOnce.Do(func() {
			r.noSource, r.noSourceErr = httpclient.NewSource("none", option.At(option.InSource).Defaults(), nil)
		})
		return r.noSource, r.noSourceErr
	}
	return r.sources[q.Fetch.Source], nil
}

// request builds a request from a fetch's options.
func (r *run) request(source *httpclient.Source, q *vm.Request) (*httpclient.Request, error) {
	o, err := option.At(option.InRequest).Decode(q.Options)
	if err != nil {
		return nil, err
	}
	req := &httpclient.Request{
		Method: q.Fetch.Method, Path: q.Path, Headers: o.Value("headers"), Form: o.Value("form"), Timeout: o.Duration("timeout"),
		Allow: o.Statuses("allow"), OnRetry: r.onRetry(q.At), IdempotencyKey: q.IdempotencyKey,
	}
	if q.Options.Kind() == value.Object {
		req.Body, req.HasBody = q.Options.Obj().Get("body") // null is a body, too
	}
	if o.Bool("omitNull") {
		req.Body = withoutNulls(r.engine.shapes, req.Body)
	}
	if err := r.since(req, q, o); err != nil {
		return nil, err
	}
	if !q.Param.IsNull() {
		req.PageParam = &httpclient.Param{Name: q.Fetch.PageParam, Value: q.Param}
	}
	if o.Given("retry") {
		policy := source.Retry().With(o.Block("retry"))
		req.Retry = &policy
	}
	if req.Decode, err = httpclient.DecodingOf(o); err != nil {
		return nil, err
	}
	r.judges(req, q)
	req.Complete = q.Next && q.Fetch.Page == bytecode.PageNext
	if o.Given("rateLimit") {
		r.limit(req, o.Block("rateLimit"), q)
	}
	return req, nil
}

// withoutNulls leaves out the fields that are null, at any depth. Elements of
// arrays stay: their places count.
func withoutNulls(t *value.Shapes, v value.Value) value.Value {
	switch v.Kind() {
	case value.Array:
		elems := make([]value.Value, len(v.Elems()))
		for i, e := range v.Elems() {
			elems[i] = withoutNulls(t, e)
		}
		return value.FromArray(elems)
	case value.Object:
		b := value.NewObjectBuilder(t, v.Obj().Len())
		for i, slot := range v.Obj().Slots() {
			if !slot.IsNull() {
				b.Set(v.Obj().Shape().Key(i), withoutNulls(t, slot))
			}
		}
		return b.Value()
	}
	return v
}

// limit takes in the rateLimit of a request.
func (r *run) limit(req *httpclient.Request, o *option.Values, q *vm.Request) {
	rate := httpclient.RateOf(o)
	req.Rate, req.Site = &rate, r.mission.Name()+" "+r.mission.where(q.At.Pos)
	if o.Given("strategy") {
		fail := o.Text("strategy") == "fail"
		req.FailAtLimit = &fail
	}
	if o.Given("maxWait") {
		wait := o.Duration("maxWait")
		req.MaxWait = &wait
	}
}

// dryFetch tells what would be sent. The answer is an empty list.
func (r *run) dryFetch(source *httpclient.Source, req *httpclient.Request, q *vm.Request) (*vm.Reply, error) {
	p, err := r.client.Preview(source, req)
	if err != nil {
		return nil, err
	}
	r.counter(q.At.Action).requests.Add(1)
	r.sent.Store(true)
	if r.opts.Preview != nil {
		preview := Preview{Place: r.mission.where(q.At.Pos), Request: p}
		if q.At.Action != bytecode.None {
			preview.Action = r.mission.prog.Actions[q.At.Action].Name
		}
		r.opts.Preview(preview)
	}
	return &vm.Reply{Body: value.FromArray(nil), Status: 200, Time: r.engine.cfg.Clock.Now().UnixMilli(), Latest: r.engine.cfg.Clock.Now().UnixMilli(), Last: true}, nil
}
