package engine

import (
	"fmt"
	"strings"
	"time"

	"reqon/runtime/httpclient"
	"reqon/stdlib"
	"reqon/vm"
	"reqon/vm/option"
	"reqon/vm/value"
)

// believedAhead is how far a clock may be ahead of this side's: what is later is
// no time that anything can have happened at.
const believedAhead = 24 * time.Hour

// times gives when a request was sent and the latest time that it can be now,
// both by the server's clock if it tells. Its Date header is of the answer: what
// changed while a slow answer was made may not be in it, so whole seconds that
// it took are taken off. A Date that lies in the future is not believed: what
// changes from now on until then would never be asked for.
func (r *run) times(resp *httpclient.Response, at vm.At) (sent, latest time.Time) {
	now := r.engine.cfg.Clock.Now()
	switch {
	case resp.Date.IsZero():
	case resp.Date.After(now.Add(believedAhead)):
		r.Notice(&vm.Notice{Kind: vm.NoticeDate, At: at, Text: fmt.Sprintf(
			"The server's Date header says %s, which is in the future; the time of sending counts in its place", value.AppendTime(nil, resp.Date.UnixMilli()))})
	default:
		sent = resp.Date.Add(-resp.Received.Sub(resp.Sent).Truncate(time.Second))
		if resp.Date.After(now) {
			now = resp.Date
		}
		return sent, now
	}
	return resp.Sent, now
}

// since puts the position that `since` sends into a request: a query parameter,
// or a header with sinceHeader. A null is not sent. A following page whose query
// is complete takes the header alone.
func (r *run) since(req *httpclient.Request, q *vm.Request, o *option.Values) error {
	if !q.Next {
		req.Params = o.Value("params")
	}
	if !o.Given("since") {
		return nil
	}
	v, err := sinceValue(o.Value("since"), o, q.Fetch.Opaque)
	if err != nil {
		return err
	}
	if o.Given("sinceHeader") {
		header := o.Text("sinceHeader")
		text, ok := headerText(v)
		if !ok {
			r.Notice(&vm.Notice{Kind: vm.NoticePosition, At: q.At, Text: fmt.Sprintf(
				"The sync position %s can't be sent in the header %s; it is not sent, and everything is fetched", value.Describe(v), header)})
			return nil
		}
		req.Headers, err = r.with(req.Headers, "headers", header, value.FromString(text))
		return err
	}
	if q.Next {
		return nil
	}
	req.Params, err = r.with(req.Params, "params", o.Text("sinceParam"), paramValue(v))
	return err
}

// with gives an object with one more field.
func (r *run) with(object value.Value, what, name string, v value.Value) (value.Value, error) {
	b := value.NewObjectBuilder(r.engine.shapes, 4)
	if object.Kind() == value.Object {
		o := object.Obj()
		for i, slot := range o.Slots() {
			if key := o.Shape().Key(i); what != "headers" || !strings.EqualFold(key, name) {
				b.Set(key, slot)
			}
		}
	} else if !object.IsNull() {
		return object, fmt.Errorf("option %s must be an object, found %s", what, value.Describe(object))
	}
	b.Set(name, v)
	return b.Value(), nil
}

// paramValue gives a position as a query parameter can have it: an object, and an
// array of other than plain values, is its JSON. What updateFrom gave may be
// anything.
func paramValue(v value.Value) value.Value {
	switch v.Kind() {
	case value.Array:
		for _, e := range v.Elems() {
			if k := e.Kind(); k == value.Array || k == value.Object {
				return value.FromString(string(value.AppendJSON(nil, v)))
			}
		}
	case value.Object:
		return value.FromString(string(value.AppendJSON(nil, v)))
	}
	return v
}

// headerText gives a position as a header can have it; ok is false if it can't.
func headerText(v value.Value) (text string, ok bool) {
	if k := v.Kind(); k == value.Array || k == value.Object {
		text = string(value.AppendJSON(nil, v))
	} else {
		text = value.Text(v)
	}
	bad := strings.IndexFunc(text, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f })
	return text, bad < 0 && strings.TrimSpace(text) == text && text != ""
}

// sinceValue gives a position in sinceFormat (language definition, section 6.1,
// "Incremental"). What is no time, such as an id that updateFrom has kept, is sent
// as it is, and so is a position that was worked out, unless a format is asked
// for. Parts of what the format does not have are cut off.
func sinceValue(v value.Value, o *option.Values, opaque bool) (value.Value, error) {
	if opaque && !o.Given("sinceFormat") && v.Kind() != value.Time {
		return v, nil
	}
	form := o.Text("sinceFormat")
	k := vm.SyncKey{Format: form, Zone: o.Text("sinceZone")}
	reader, err := k.Reader()
	if err != nil {
		return v, err
	}
	instant, ok := reader.Read(v)
	if !ok {
		return v, nil
	}
	ms := instant.Milliseconds()
	t := value.FromTime(ms)
	switch form {
	case "ISO":
		return t, nil
	case "timestamp":
		return value.FromInt(floorDiv(ms, 1000)), nil
	case "epoch":
		return value.FromInt(ms), nil
	case "http":
		// RFC 9110, section 5.6.7.
		return value.FromString(time.UnixMilli(ms).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")), nil
	}
	args := []value.Value{t, value.FromString(form)}
	if k.Zone != "" {
		args = append(args, value.FromString(k.Zone))
	}
	return stdlib.Lookup("formatDate").Impl(nil, args)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
