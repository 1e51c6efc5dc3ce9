package engine

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"sync"
	"time"

	"reqon/runtime/httpclient"
	"reqon/runtime/state"
	"reqon/runtime/telemetry"
	"reqon/stdlib"
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
	resp, err := r.client.Do(ctx, source, req)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx) // which says who or what cancelled it
	}
	if err != nil {
		return r.failed(err)
	}
	if q.Fetch.Page == bytecode.PageLink && resp.NextErr != nil {
		return r.failed(resp.Reject(httpclient.KindRejected, resp.NextErr))
	}
	if resp.Dropped != "" {
		r.Notice(&vm.Notice{Kind: vm.NoticeRedirect, Text: resp.Dropped, At: q.At})
	}
	return &vm.Reply{Body: resp.Body, Status: resp.Status, Time: sentAt(resp).UnixMilli(), Next: resp.Next, Linked: resp.HasNext,
		Reject: func(why error) *vm.Failure { return r.failure(resp.Reject(httpclient.KindRejected, why)) },
	}, nil
}

// sentAt is when a request was sent, by the server's clock if it tells. Its Date
// header is of the answer: what changed while a slow answer was made may not be
// in it, so whole seconds that it took are taken off.
func sentAt(resp *httpclient.Response) time.Time {
	if resp.Date.IsZero() {
		return resp.Sent
	}
	return resp.Date.Add(-resp.Received.Sub(resp.Sent).Truncate(time.Second))
}

// failed turns a failed request into what a mission sees of it.
func (r *run) failed(err error) (*vm.Reply, error) {
	var f *httpclient.Failure
	if !errors.As(err, &f) {
		return nil, err
	}
	return &vm.Reply{Status: f.Status, Failure: r.failure(f)}, nil
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
		return httpclient.NewSource("none", option.At(option.InSource).Defaults(), nil)
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
	if !q.Next {
		if req.Params, err = r.sinceParam(o); err != nil {
			return nil, err
		}
	}
	if !q.Param.IsNull() {
		req.PageParam = &httpclient.Param{Name: q.Fetch.PageParam, Value: q.Param}
	}
	if o.Given("retry") {
		policy := source.Retry().With(o.Block("retry"))
		req.Retry = &policy
	}
	if o.Given("rateLimit") {
		r.limit(req, o.Block("rateLimit"), q)
	}
	return req, nil
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

// sinceParam gives the request's params with the one that `since` sends. A null
// is not sent.
func (r *run) sinceParam(o *option.Values) (value.Value, error) {
	params := o.Value("params")
	if !o.Given("since") {
		return params, nil
	}
	text, err := sinceText(o.Value("since"), o.Text("sinceFormat"))
	if err != nil {
		return params, err
	}
	b := value.NewObjectBuilder(r.engine.shapes, 4)
	if params.Kind() == value.Object {
		b.SetAll(params.Obj())
	}
	b.Set(o.Text("sinceParam"), text)
	return b.Value(), nil
}

// sinceText writes a position in sinceFormat (language definition, section 6.1,
// "Incremental"). What is neither a time nor the text of one, such as an id
// that updateFrom has kept, is sent as it is.
func sinceText(v value.Value, format string) (value.Value, error) {
	t, ok := asTime(v)
	if !ok {
		return v, nil
	}
	switch format {
	case "ISO":
		return t, nil
	case "timestamp":
		return value.FromInt(floorDiv(t.Time(), 1000)), nil
	case "epoch":
		return value.FromInt(t.Time()), nil
	}
	return stdlib.Lookup("formatDate").Impl(nil, []value.Value{t, value.FromString(format)})
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// asTime reads a timestamp, or text that is one.
func asTime(v value.Value) (value.Value, bool) {
	switch v.Kind() {
	case value.Time:
		return v, true
	case value.String:
		if ms, ok := value.ParseTime(v.Str()); ok {
			return value.FromTime(ms), true
		}
	}
	return v, false
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
	return &vm.Reply{Body: value.FromArray(nil), Status: 200, Time: r.engine.cfg.Clock.Now().UnixMilli(), Last: true}, nil
}

// positions are the sync positions of a run: those it began with, and those it
// will leave behind.
type positions struct {
	mu    sync.Mutex
	known map[string]value.Value
	used  value.Value // the earliest that the run goes by, or null
	next  map[string]value.Value
	held  map[string]int // by how many fetches
}

// lastRunKey is the key under which the start of the last successful run is
// kept beside the positions of its fetches.
const lastRunKey = ""

// positionKey names a position in the state: source and path template, or
// syncKey.
func (r *run) positionKey(source int, key string) string {
	if source == bytecode.None {
		return key
	}
	return r.mission.prog.Sources[source].Name + " " + key
}

// Position gives a sync position.
func (r *run) Position(source int, key string) value.Value {
	return r.readPosition(r.positionKey(source, key))
}

// LastRun gives when the last successful run started.
func (r *run) LastRun() value.Value { return r.readPosition(lastRunKey) }

func (r *run) readPosition(key string) value.Value {
	if r.opts.FullRefresh {
		return value.NullValue
	}
	p := &r.position
	p.mu.Lock()
	defer p.mu.Unlock()
	if v, ok := p.known[key]; ok {
		return v
	}
	v := value.NullValue
	if r.engine.db != nil {
		text, ok, err := r.engine.db.Position(r.mission.Name(), key)
		switch {
		case err != nil:
			// Without its position the fetch would ask for everything, or worse
			// move a position that it has not read.
			if p.held == nil {
				p.held = map[string]int{}
			}
			p.held[key]++
			r.log.Error("The sync position can't be read; everything is fetched, and it is left as it is", telemetry.String("key", key), telemetry.Err(err))
		case ok:
			v = parsePosition(text)
			p.use(v)
		}
	}
	if p.known == nil {
		p.known = map[string]value.Value{}
	}
	p.known[key] = v
	return v
}

// parsePosition reads a saved position: what reads as a time is one.
func parsePosition(text string) value.Value {
	v, err := value.ParseJSON(nil, text)
	if err != nil {
		return value.NullValue
	}
	t, _ := asTime(v)
	return t
}

// Fetched notes how a fetch ended. Of several fetches under one key the
// earliest position counts, and one that was held holds it for all: a position
// must never pass what any of them has not fetched.
func (r *run) Fetched(f *vm.Fetched) {
	key := r.positionKey(f.Source, f.Key)
	p := &r.position
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next == nil {
		p.next = map[string]value.Value{}
	}
	if p.held == nil {
		p.held = map[string]int{}
	}
	switch {
	case f.Held:
		p.held[key]++
		return
	case f.Repeated:
		if p.held[key]--; p.held[key] == 0 {
			delete(p.held, key)
		}
		return
	}
	if f.Position.IsNull() {
		return
	}
	if old, ok := p.next[key]; ok {
		if c, ok, err := value.Compare(old, f.Position); err != nil || !ok || c <= 0 {
			return
		}
	}
	p.next[key] = f.Position
}

// holds is the number of positions that must not move.
func (p *positions) holds() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int64(len(p.held))
}

// texts gives the positions to save, as JSON. That of the mission's last
// successful run moves with a success only.
func (p *positions) texts(run *state.Run) map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := map[string]string{}
	if run.Status == state.StatusSuccess {
		out[lastRunKey] = jsonTime(run.Start)
	}
	for key, v := range p.next {
		if p.held[key] == 0 {
			out[key] = string(value.AppendJSON(nil, v))
		}
	}
	return maps.Clone(out)
}

func jsonTime(t time.Time) string {
	text, _ := json.Marshal(string(value.AppendTime(nil, t.UnixMilli())))
	return string(text)
}
