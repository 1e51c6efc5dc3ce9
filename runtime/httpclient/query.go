package httpclient

import (
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"

	"reqon/vm/value"
)

// query is the parameters of a URL, in order.
type query []queryParam

// queryParam is one parameter: its name, and how it is written.
type queryParam struct {
	name string
	raw  string // name=value, escaped
}

// param returns the parameter name=text.
func param(name, text string) queryParam {
	return queryParam{name, escape(name, unreservedSet, false) + "=" + escape(text, unreservedSet, false)}
}

// splitQuery takes apart the query of a URL, which keeps the way it is written.
func splitQuery(raw string) query {
	if raw == "" {
		return nil
	}
	var q query
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		key, _, _ := strings.Cut(part, "=")
		name, err := url.QueryUnescape(key)
		if err != nil {
			name = key
		}
		q = append(q, queryParam{name, part})
	}
	return q
}

// with returns q and then layer, whose parameters replace those of q that have
// their names. Neither is written to, here or later: it may be a source's, or
// what with returned before.
func (q query) with(layer query) query {
	if len(layer) == 0 {
		return q
	}
	if len(q) == 0 {
		return layer
	}
	out := make(query, 0, len(q)+len(layer))
	names := make(map[string]struct{}, len(layer))
	for _, p := range layer {
		names[p.name] = struct{}{}
	}
	for _, p := range q {
		if _, replaced := names[p.name]; !replaced {
			out = append(out, p)
		}
	}
	return append(out, layer...)
}

// without returns q without the parameters called name.
func (q query) without(name string) query {
	return slices.DeleteFunc(slices.Clone(q), func(p queryParam) bool { return p.name == name })
}

// String returns q as it stands behind the question mark.
func (q query) String() string {
	switch len(q) {
	case 0:
		return ""
	case 1:
		return q[0].raw
	}
	n := len(q)
	for _, p := range q {
		n += len(p.raw)
	}
	b := make([]byte, 0, n)
	for i, p := range q {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(b, p.raw...)
	}
	return string(b)
}

// encodeParams writes a params object: a null is left out, an array repeats its
// parameter (language definition, section 5).
func encodeParams(params value.Value) (query, error) {
	var q query
	err := eachField("params", params, func(name, text string) {
		q = append(q, param(name, text))
	})
	return q, err
}

// encodePageParam writes the parameter that says which page is asked for.
func encodePageParam(p *Param) (query, error) {
	if p == nil || p.Value.IsNull() {
		return nil, nil
	}
	text, err := fieldText(p.Value)
	if err != nil {
		return nil, fmt.Errorf("the page parameter %s %w", p.Name, err)
	}
	return query{param(p.Name, text)}, nil
}

// nullNames are the names in an object whose values are null.
func nullNames(object value.Value) iter.Seq[string] {
	return func(yield func(string) bool) {
		if object.Kind() != value.Object {
			return
		}
		o := object.Obj()
		for i, v := range o.Slots() {
			if v.IsNull() && !yield(o.Shape().Key(i)) {
				return
			}
		}
	}
}

// eachField calls fn for the name and text of every field of an object such as
// params, headers or form. Nulls are left out, also in arrays, which give their
// name once for each element.
func eachField(what string, object value.Value, fn func(name, text string)) error {
	if object.IsNull() {
		return nil
	}
	if object.Kind() != value.Object {
		return fmt.Errorf("%s %w", what, unexpected(object, "an object of names and values"))
	}
	o := object.Obj()
	for i, v := range o.Slots() {
		name := o.Shape().Key(i)
		if v.Kind() != value.Array {
			if err := oneField(what, name, v, fn); err != nil {
				return err
			}
			continue
		}
		for _, e := range v.Elems() {
			if err := oneField(what, name, e, fn); err != nil {
				return err
			}
		}
	}
	return nil
}

// oneField calls fn for a value that is not null.
func oneField(what, name string, v value.Value, fn func(name, text string)) error {
	if v.IsNull() {
		return nil
	}
	text, err := fieldText(v)
	if err != nil {
		return fmt.Errorf("%s.%s %w", what, name, err)
	}
	fn(name, text)
	return nil
}

// fieldText returns the text of a single value.
func fieldText(v value.Value) (string, error) {
	switch v.Kind() {
	case value.Array, value.Object:
		return "", unexpected(v, "text, a number, a boolean, a timestamp, or a list of these")
	}
	return value.Text(v), nil
}

// unexpected is what an error says about a value.
func unexpected(v value.Value, expected string) error {
	return fmt.Errorf("is %s, expected %s", value.Describe(v), expected)
}
