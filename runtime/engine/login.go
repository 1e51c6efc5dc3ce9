package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"reqon/runtime/httpclient"
	"reqon/vm/bytecode"
	"reqon/vm/option"
	"reqon/vm/value"
)

// login gives the functions of a source's `login` block.
func (r *run) login(s *bytecode.Source) *httpclient.Login {
	l := s.Login
	eval := func(ctx context.Context, fn int, args ...value.Value) (value.Value, error) {
		v, err := r.mission.machine.Eval(ctx, r, fn, args...)
		if err != nil {
			err = fmt.Errorf("%s: %w", r.mission.where(l.Pos), err)
		}
		return v, err
	}
	out := &httpclient.Login{
		Request: func(ctx context.Context, keep value.Value) (*httpclient.Request, error) {
			v, err := eval(ctx, l.Request, keep)
			if err != nil {
				return nil, err
			}
			return loginRequest(l.Method, v)
		},
		Result: func(ctx context.Context, answer, keep value.Value) (value.Value, error) {
			return eval(ctx, l.Result, answer, keep)
		},
		Account: r.identity("login "+l.Method, func(host identityHost) (value.Value, error) {
			return r.mission.machine.Eval(context.Background(), host, l.Request, value.NullValue)
		}),
	}
	if l.When != bytecode.None {
		out.When = func(ctx context.Context, answer value.Value) (bool, error) {
			v, err := eval(ctx, l.When, answer)
			return err == nil && value.Truth(v), err
		}
	}
	return out
}

// cost gives the function of a source's rateLimit.cost. Null is 1.
func (r *run) cost(fn int) httpclient.Cost {
	return func(ctx context.Context, answer value.Value) (float64, error) {
		v, err := r.mission.machine.Eval(ctx, r, fn, answer)
		switch {
		case err != nil:
			return 0, err
		case v.IsNull():
			return 1, nil
		case !v.IsNumber() || value.Float64(v) < 0:
			return 0, fmt.Errorf("it is %s, expected a number that is not negative", value.Describe(v))
		}
		return value.Float64(v), nil
	}
}

// loginRequest makes the request of a login.
func loginRequest(method string, v value.Value) (*httpclient.Request, error) {
	path, options := value.Field(v, "path"), value.Field(v, "options")
	if path.Kind() != value.String {
		return nil, fmt.Errorf("the path of the login's request is %s, expected text", value.Describe(path))
	}
	o, err := option.At(option.InLoginRequest).Decode(options)
	if err != nil {
		return nil, err
	}
	req := &httpclient.Request{
		Method: method, Path: path.Str(), Params: o.Value("params"), Headers: o.Value("headers"), Form: o.Value("form"), Timeout: o.Duration("timeout"),
	}
	if options.Kind() == value.Object {
		req.Body, req.HasBody = options.Obj().Get("body") // null is a body, too
	}
	return req, nil
}

// signature gives a source's `sign`.
func (r *run) signature(s *bytecode.Source) *httpclient.Signature {
	return &httpclient.Signature{
		Parts: s.Sign,
		Value: func(ctx context.Context, part bytecode.SignPart, request value.Value) (value.Value, error) {
			return r.mission.machine.Eval(ctx, r, part.Func, request)
		},
		Account: r.identity("sign", func(host identityHost) (value.Value, error) {
			var all []value.Value
			for _, part := range s.Sign {
				v, err := r.mission.machine.Eval(context.Background(), host, part.Func, sampleRequest())
				if err != nil {
					return value.NullValue, err
				}
				all = append(all, value.FromString(part.Name), v)
			}
			return value.FromArray(all), nil
		}),
	}
}

// identity tells whoever signs in, or signs, from others: by all values that are
// worked out for it, at a time that stands still. It shows nothing of them.
func (r *run) identity(what string, eval func(identityHost) (value.Value, error)) string {
	text := what
	v, err := eval(identityHost{r})
	if err != nil {
		text += " error " + err.Error()
	} else {
		text += " " + string(value.AppendJSON(nil, v))
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// identityHost gives what is another each time as if it were always the same.
type identityHost struct{ *run }

// Call answers the functions that are no pure functions of their arguments.
func (h identityHost) Call(f bytecode.HostFunc, args []value.Value) (value.Value, error) {
	switch f {
	case bytecode.HostNow:
		return value.FromTime(0), nil
	case bytecode.HostTimestamp:
		return value.FromInt(0), nil
	case bytecode.HostUUID:
		return value.FromString("00000000-0000-4000-8000-000000000000"), nil
	case bytecode.HostRandom:
		return value.FromInt(0), nil
	}
	return h.run.Call(f, args)
}

// sampleRequest is a request that stands for all others.
func sampleRequest() value.Value {
	b := value.NewObjectBuilder(nil, 8)
	for _, name := range []string{"method", "url", "path", "query", "body"} {
		b.Set(name, value.FromString("x"))
	}
	b.Set("headers", value.NewObjectBuilder(nil, 0).Value())
	b.Set("timestamp", value.FromTime(0))
	return b.Value()
}
