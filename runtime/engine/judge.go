package engine

import (
	"context"
	"errors"
	"time"

	"reqon/runtime/httpclient"
	"reqon/vm"
	"reqon/vm/value"
)

// judges puts into a request what its options failWhen, retry.when and
// retry.wait say of its answers (language definition, section 6.1).
func (r *run) judges(req *httpclient.Request, q *vm.Request) {
	if fail := q.FailWhen; fail != nil {
		req.Refuse = func(ctx context.Context, resp *httpclient.Response) (why, err error) {
			a := vm.Answer{Response: resp.Body, Status: resp.Status}
			if q.Fetch.Headers {
				a.Headers = resp.HeadersValue()
			}
			v, err := fail(ctx, &a)
			if err != nil {
				return nil, err
			}
			return refusal(v), nil
		}
	}
	if again := q.RetryWhen; again != nil {
		req.Again = func(ctx context.Context, f *httpclient.Failure) (bool, bool) {
			v := r.judgeFailure(ctx, again, f, q)
			return value.Truth(v), !v.IsNull()
		}
	}
	if wait := q.RetryWait; wait != nil {
		req.Wait = func(ctx context.Context, f *httpclient.Failure) (time.Duration, bool) {
			v := r.judgeFailure(ctx, wait, f, q)
			if v.IsNull() {
				return 0, false
			}
			d, err := waitOf(v, r.engine.cfg.Clock.Now())
			if err != nil {
				r.Notice(&vm.Notice{Kind: vm.NoticeRetry, At: q.At, Text: "The option retry.wait " + err.Error() + "; the usual wait is taken"})
				return 0, false
			}
			return d, true
		}
	}
}

// judgeFailure works out what an expression says of a failed request. What fails
// in that is told, and counts as null: the request has a failure already.
func (r *run) judgeFailure(ctx context.Context, judge vm.Judge, f *httpclient.Failure, q *vm.Request) value.Value {
	a := vm.Answer{Response: f.Envelope(r.engine.shapes), Status: f.Status}
	if q.Fetch.Headers {
		a.Headers = f.HeadersValue()
	}
	v, err := judge(ctx, &a)
	if err == nil {
		return v
	}
	if ctx.Err() == nil {
		r.Notice(&vm.Notice{Kind: vm.NoticeRetry, At: q.At, Text: "Whether and when the request is repeated is left to the rules, for the options retry.when and retry.wait can't be worked out: " + err.Error()})
	}
	return value.NullValue
}

// refusedLength is how much is told of what refuses an answer.
const refusedLength = 200

// refusal gives why an answer is refused by the value of failWhen, nil if it is
// not: the text of the value, of an object or of an array's first element its
// message. True alone leaves it to the answer to say why.
func refusal(v value.Value) error {
	if vm.SaysNothing(v) {
		return nil
	}
	if v.Kind() == value.Bool {
		return httpclient.ErrRefused
	}
	return errors.New(cut(refusalText(v), refusedLength))
}

func refusalText(v value.Value) string {
	about := v
	if v.Kind() == value.Array {
		for _, e := range v.Elems() {
			if about = e; !e.IsNull() {
				break
			}
		}
	}
	if about.Kind() == value.Object {
		if m := value.Field(about, "message"); m.Kind() == value.String && m.Str() != "" {
			return m.Str()
		}
	}
	if v.Kind() == value.Array || v.Kind() == value.Object {
		return string(value.AppendJSON(nil, v))
	}
	return value.Text(v)
}

// cut shortens text to so many characters.
func cut(text string, most int) string {
	n := 0
	for i := range text {
		if n == most {
			return text[:i] + "…"
		}
		n++
	}
	return text
}

// waitOf reads what retry.wait gives: milliseconds or a time such as "30s", or
// when to ask again. What has passed is now.
func waitOf(v value.Value, now time.Time) (time.Duration, error) {
	if v.Kind() == value.Time {
		return max(time.UnixMilli(v.Time()).Sub(now), 0), nil
	}
	if v.Kind() == value.String {
		if ms, ok := value.ParseTime(v.Str()); ok {
			return max(time.UnixMilli(ms).Sub(now), 0), nil
		}
	}
	return value.Duration(v)
}
